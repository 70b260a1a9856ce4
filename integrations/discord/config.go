package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Config is the part of the configuration that this package reads.
type Config struct {
	Token     string              // of the bot
	App       string              // the application's id
	Guild     string              // the only guild that is served
	PublicKey string              // of the application, in hex; needed where Via is HTTP
	Via       Via                 // how Discord reaches us
	Category  string              // the name of the category of open rooms
	Archive   string              // the name of the category of closed rooms
	Private   bool                // rooms are seen by Roles only
	Roles     []string            // ids: who may see private rooms that are no customer's, and speak to the bot; none: every member
	Customers map[string][]string // who may see a customer's private rooms, and speak to the bot: ids of roles, and "user:" with a member's
	Messages  bool                // read what is said in rooms, which needs a privileged intent
	Language  string              // of the rooms
	URL       string              // where the API is; "" is Discord itself
}

// Via is how Discord's events reach us.
type Via string

// The ways. Discord allows one of them at a time.
const (
	ViaGateway Via = "gateway" // we connect to Discord; reactions and messages are heard
	ViaHTTP    Via = "http"    // Discord posts signed requests; buttons and commands only
)

// The names that categories have where none are configured.
const (
	DefaultCategory = "incidents"
	DefaultArchive  = "incidents-closed"
)

// minToken bounds the bot's token from below: Discord's have 70 bytes or so.
const minToken = 50

// Validate says all that is wrong with it. Args["key"] names the key.
func (c Config) Validate() error {
	var all []error
	bad := func(key, phrase, message string, args ...string) {
		all = append(all, incidents.Fail(incidents.Invalid, phrase, "discord."+key+" "+message, append(args, "key", key)...).WithHint("docs/discord.md"))
	}
	if len(c.Token) < minToken || strings.ContainsAny(c.Token, " \t\r\n") {
		bad("bot_token", "error.discord_token", "is not a bot's token")
	}
	for key, id := range map[string]string{"app_id": c.App, "guild_id": c.Guild} {
		if !isID(id) {
			bad(key, "error.discord_id", "is not an id", "value", id)
		}
	}
	for _, id := range c.Roles {
		if !isID(id) {
			bad("roles", "error.discord_id", "has something that is not an id", "value", id)
		}
	}
	switch c.Via {
	case ViaGateway:
	case ViaHTTP:
		if _, err := publicKey(c.PublicKey); err != nil {
			bad("public_key", "error.discord_key", "is not a public key of 64 hex digits")
		}
		if c.Messages {
			bad("messages", "error.discord_messages", "needs via: gateway")
		}
	default:
		bad("via", "error.discord_via", "is gateway or http", "value", string(c.Via))
	}
	if c.Private && len(c.Roles) == 0 {
		bad("roles", "error.discord_private", "is empty, and nobody would see private rooms")
	}
	for key, name := range map[string]string{"category": c.Category, "archive": c.Archive} {
		if name == "" || len(name) > maxCategory {
			bad(key, "error.discord_category", "is not a name of at most 90 bytes")
		}
	}
	if strings.EqualFold(c.Category, c.Archive) {
		bad("archive", "error.discord_archive", "is the same as category")
	}
	return errors.Join(all...)
}

// userPrefix begins a member among roles.
const userPrefix = "user:"

// IsGuest says whether it names a role, or a member.
func IsGuest(id string) bool { return isID(strings.TrimPrefix(id, userPrefix)) }

// guests are who sees the private rooms of a customer; "" is nobody's. Those of a
// customer who is not configured any more nobody sees.
func (c Config) guests(customer string) []string {
	if customer == "" {
		return c.Roles
	}
	return c.Customers[customer]
}

// hears says whether a member is among those who may speak to the bot.
func (c Config) hears(m *member) bool {
	is := func(id string) bool { return id == userPrefix+m.User.ID || slices.Contains(m.Roles, id) }
	if len(c.Roles) == 0 || slices.ContainsFunc(c.Roles, is) {
		return true
	}
	for _, guests := range c.Customers {
		if slices.ContainsFunc(guests, is) {
			return true
		}
	}
	return false
}

// everyRole is each role that is configured, once; everyMember each member.
func (c Config) everyRole() []string { return c.every(isID) }

func (c Config) everyMember() []string {
	return c.every(func(id string) bool { return !isID(id) })
}

func (c Config) every(is func(guest string) bool) []string {
	all := slices.Clone(c.Roles)
	for _, guests := range c.Customers {
		all = append(all, guests...)
	}
	all = slices.DeleteFunc(all, func(id string) bool { return !is(id) })
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], userPrefix)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isID says whether s is a snowflake: Discord's ids are numbers of 17 to 20
// digits (https://docs.discord.com/developers/reference#snowflakes).
func isID(s string) bool {
	return len(s) >= 17 && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

var errKey = errors.New("not a public key of 64 hex digits")

func publicKey(s string) (ed25519.PublicKey, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errKey
	}
	return ed25519.PublicKey(b), nil
}
