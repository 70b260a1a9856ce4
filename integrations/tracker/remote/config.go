package remote

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Config is one project of one tracker.
type Config struct {
	Name    string // of the tracker: it begins the accounts of its people ("backlog:1234")
	URL     string // where people see it: "https://example.backlog.com"
	Token   string
	Hook    string // what a webhook shows itself with; "" for none
	Project string
	Type    string // the kind of issue, where there are kinds

	Priorities  map[string]string          // "SEV1" → the tracker's word
	Transitions map[bot.TicketState]string // "doing" → the tracker's word
	Resolution  string                     // when it is done, where the tracker has such a thing
	Labels      []string
	Fields      map[string]any    // more fields for new tickets, as the tracker's API calls them
	People      map[string]string // a person's name or account → the id of the account there
	IndexTime   time.Duration     // after which the tracker's search must have caught up; 0 is five minutes
}

// DefaultIndexTime is for Config.IndexTime.
const DefaultIndexTime = 5 * time.Minute

var account = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)

// Check says what is wrong with what all trackers have; bad also takes what an
// adapter finds. Args["key"] of each is the key.
type Check struct {
	Config  Config
	Account *regexp.Regexp // what an account's id looks like; nil: a number
	all     []error
}

// Bad notes a mistake.
func (c *Check) Bad(key, phrase, why string) {
	c.all = append(c.all, incidents.Fail(incidents.Invalid, phrase, key+": "+why, "key", key, "tracker", c.Config.Name))
}

// Err is all of them.
func (c *Check) Err() error { return errors.Join(c.all...) }

// Common looks at what all trackers have.
func (c *Check) Common() {
	u, err := url.Parse(c.Config.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		c.Bad("url", "config.tracker.url", "no address")
	}
	if c.Config.Token == "" || strings.ContainsAny(c.Config.Token, " \t\r\n") {
		c.Bad("token", "config.tracker.token", "no token")
	}
	if c.Config.Hook != "" && (len(c.Config.Hook) < 16 || url.PathEscape(c.Config.Hook) != c.Config.Hook) {
		c.Bad("webhook_token", "config.tracker.hook", "too short, or not fit for an address")
	}
	for name, word := range c.Config.Priorities {
		if _, ok := incidents.ParseSeverity(name); !ok || strings.TrimSpace(word) == "" {
			c.Bad("priorities", "config.tracker.priorities", name+" is no severity")
		}
	}
	for state, word := range c.Config.Transitions {
		if state != bot.TicketTodo && state != bot.TicketDoing && state != bot.TicketDone || strings.TrimSpace(word) == "" {
			c.Bad("transitions", "config.tracker.transitions", string(state)+" is not todo, doing or done")
		}
	}
	form := c.Account
	if form == nil {
		form = account
	}
	for name, id := range c.Config.People {
		if !form.MatchString(id) {
			c.Bad("people", "config.tracker.people", name+" has no number")
		}
	}
}

// SeverityOf is the severity that a word stands for; the gravest where several
// have the same one.
func (c *Config) SeverityOf(word string) incidents.Severity {
	best := incidents.SevUnknown
	for name, w := range c.Priorities {
		sev, _ := incidents.ParseSeverity(name)
		if word != "" && strings.EqualFold(w, word) && (best == incidents.SevUnknown || sev < best) {
			best = sev
		}
	}
	return best
}

// PriorityOf is the word for a severity; "" where there is none.
func (c *Config) PriorityOf(sev incidents.Severity) string {
	for name, w := range c.Priorities {
		if s, ok := incidents.ParseSeverity(name); ok && s == sev {
			return w
		}
	}
	return ""
}

// AccountOf is the account in the tracker of a person; "" where it is not known.
func (c *Config) AccountOf(a incidents.Actor) string {
	if id := c.People[a.ID]; id != "" {
		return id
	}
	for name, id := range c.People {
		if a.Name != "" && strings.EqualFold(name, a.Name) {
			return id
		}
	}
	return ""
}

// NameOf is what a person is called here, for an account there.
func (c *Config) NameOf(a Account) string {
	best := ""
	for name, id := range c.People {
		if id == a.ID && !strings.Contains(name, ":") && (best == "" || name < best) {
			best = name
		}
	}
	if best != "" {
		return best
	}
	return bot.Line(a.Name, 80)
}

// Account is somebody in a tracker.
type Account struct {
	ID   string // lasting
	Name string
}

// Actor is an account as incidents know it.
func (c *Config) Actor(a Account, system string) incidents.Actor {
	id, name := bot.Line(a.ID, 200), c.NameOf(a)
	if id == "" {
		id = "unknown"
	}
	if name == "" {
		name = system
	}
	return incidents.Actor{ID: c.Name + ":" + id, Name: name}
}
