package slack

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Name is what this chat is called in the policy, and before the colon of its
// people's ids.
const Name = "slack"

// Config is what the administrator of a workspace knows about the app.
type Config struct {
	Token          string              // of the bot: "xoxb-…"
	AppToken       string              // for sockets: "xapp-…"; "" for HTTP
	SigningSecrets []string            // for HTTP: one, or two while it is being changed
	Team           string              // the workspace: "T…"
	App            string              // the app: "A…"
	Language       string              // of what everybody in a room reads
	Private        bool                // rooms are for those who are invited
	Invite         []string            // into every room that is no customer's: people "U…" and user groups "S…"
	Customers      map[string][]string // into the rooms of each customer
	API            string              // where Slack's methods are; "" for Slack itself
}

// IsGuest says whether Slack could have somebody of that id to invite.
func IsGuest(id string) bool { return guestID.MatchString(id) }

// guests are whom the rooms of a customer invite; "" is nobody's. Of a customer who
// is not configured any more nobody comes.
func (c Config) guests(customer string) []string {
	if customer == "" {
		return c.Invite
	}
	return c.Customers[customer]
}

// everybody is whoever is invited into any room, once.
func (c Config) everybody() []string {
	all := slices.Clone(c.Invite)
	for _, name := range slices.Sorted(maps.Keys(c.Customers)) {
		for _, id := range c.Customers[name] {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all
}

// Sockets says whether events come over sockets instead of HTTP.
func (c Config) Sockets() bool { return c.AppToken != "" }

// minSecret bounds a signing secret from below, in bytes: Slack's have 32.
const minSecret = 16

var (
	teamID  = regexp.MustCompile(`^[TE][A-Z0-9]{1,20}$`)
	appID   = regexp.MustCompile(`^A[A-Z0-9]{1,20}$`)
	guestID = regexp.MustCompile(`^[UWS][A-Z0-9]{1,20}$`)
)

// Validate refuses what cannot work, or would let strangers in. The error names
// the key under "key".
func (c Config) Validate() error {
	refuse := func(key, phrase, message string, args ...string) error {
		return incidents.Fail(incidents.Invalid, phrase, message, append([]string{"key", key}, args...)...).WithHint("hikeshi slack manifest")
	}
	switch {
	case !strings.HasPrefix(c.Token, "xoxb-"):
		return refuse("bot_token", "slack.config.token", "the bot token begins with xoxb-")
	case c.AppToken != "" && !strings.HasPrefix(c.AppToken, "xapp-"):
		return refuse("app_token", "slack.config.app_token", "the app-level token begins with xapp-")
	case c.AppToken == "" && len(c.SigningSecrets) == 0:
		return refuse("signing_secret", "slack.config.way_in", "slack needs an app_token for sockets, or a signing_secret for HTTP")
	case c.AppToken != "" && len(c.SigningSecrets) > 0:
		return refuse("signing_secret", "slack.config.two_ways", "sockets or HTTP, not both: an app_token or a signing_secret")
	case slices.ContainsFunc(c.SigningSecrets, func(s string) bool { return len(s) < minSecret }):
		return refuse("signing_secret", "slack.config.secret", "a signing secret has at least 16 characters")
	case !teamID.MatchString(c.Team):
		return refuse("team", "slack.config.team", "the workspace's id looks like T024BE7LD")
	case !appID.MatchString(c.App):
		return refuse("app", "slack.config.app", "the app's id looks like A024BE7LD")
	case c.Language != "" && !slices.Contains(phrases.Languages, c.Language):
		return refuse("language", "slack.config.language", "there is no such language")
	}
	for _, id := range c.Invite {
		if !guestID.MatchString(id) {
			return refuse("invite", "slack.config.invite", "invite people (U…) and user groups (S…) by their ids", "id", id)
		}
	}
	if u, err := url.Parse(c.API); c.API != "" && (err != nil || u.Host == "" || !safeScheme(u)) {
		return refuse("api", "slack.config.api", "the address of the API is https://…")
	}
	return nil
}

// safeScheme keeps tokens from crossing a network in the open.
func safeScheme(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
}

// api is the base of all methods, with a slash at its end.
func (c Config) api() string {
	if c.API == "" {
		return "https://slack.com/api/"
	}
	return strings.TrimRight(c.API, "/") + "/"
}

// language is that of the rooms.
func (c Config) language() string {
	if c.Language == "" {
		return phrases.English
	}
	return c.Language
}
