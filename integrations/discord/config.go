package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Config is the part of the configuration that this package reads.
type Config struct {
	Token     string   // of the bot
	App       string   // the application's id
	Guild     string   // the only guild that is served
	PublicKey string   // of the application, in hex; needed where Via is HTTP
	Via       Via      // how Discord reaches us
	Category  string   // the name of the category of open rooms
	Archive   string   // the name of the category of closed rooms
	Private   bool     // rooms are seen by Roles only
	Roles     []string // ids: who may see private rooms, and speak to the bot; none: every member
	Messages  bool     // read what is said in rooms, which needs a privileged intent
	Language  string   // of the rooms
	URL       string   // where the API is; "" is Discord itself
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
