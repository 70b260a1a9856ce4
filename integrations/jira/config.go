package jira

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Flavour is which Jira it is.
type Flavour string

// The flavours.
const (
	Cloud      Flavour = "cloud"       // an e-mail address and an API token
	DataCenter Flavour = "data_center" // a personal access token
)

// Config is one project of one Jira.
type Config struct {
	Name    string // of the tracker: it begins the accounts of its people ("jira:557058:f58131cb")
	Flavour Flavour
	URL     string // "https://example.atlassian.net", "https://jira.example.com"
	User    string // Cloud: the e-mail address that the token belongs to
	Token   string
	Secret  string // what Jira signs webhooks with; "" where it does not
	Hook    string // Data Center: a token that webhooks carry; "" for none
	Project string // its key: "OPS"
	Type    string // the kind of issue: "Incident"

	Priorities  map[string]string          // "SEV1" → "Highest"; without it the priority is left alone
	Transitions map[bot.TicketState]string // "done" → the name of a transition or a status, where several would do
	Resolution  string                     // where a transition wants one
	Components  []string
	Labels      []string
	Fields      map[string]any    // custom fields as Jira wants them: "customfield_10010" → {value: Ops}
	People      map[string]string // a person's name or account → accountId (Cloud) or user name (Data Center)
	Duplicate   string            // the kind of link between two tickets of one incident; "" is "Duplicate"
	Relates     string            // the kind of link between a ticket and a follow-up that is no sub-task; "" is "Relates"
	IndexTime   time.Duration     // after which Jira's search must have caught up; 0 is five minutes
}

// Defaults.
const (
	defaultIndexTime = 5 * time.Minute
	defaultDuplicate = "Duplicate"
	commonLabel      = "hikeshi" // on every ticket that has to do with an incident
)

var (
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,9}$`)
	issueKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,30}-[1-9][0-9]{0,9}$`)
	label      = regexp.MustCompile(`^[^\s"\\]{1,255}$`)
	fieldID    = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,60}$`)
)

// Validate says what is wrong; Args["key"] of each is the key.
func (c Config) Validate() error {
	var all []error
	bad := func(key, phrase, why string) {
		all = append(all, incidents.Fail(incidents.Invalid, phrase, key+": "+why, "key", key, "tracker", c.Name))
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		bad("url", "config.jira.url", "no address of a Jira")
	}
	if c.Flavour != Cloud && c.Flavour != DataCenter {
		bad("flavour", "config.jira.flavour", "cloud or data_center")
	}
	if c.Flavour == Cloud && !strings.Contains(c.User, "@") {
		bad("user", "config.jira.user", "Cloud wants the e-mail address that the token belongs to")
	}
	if c.Token == "" || strings.ContainsAny(c.Token, " \t\r\n") {
		bad("token", "config.jira.token", "no token")
	}
	if !projectKey.MatchString(c.Project) {
		bad("project", "config.jira.project", "no key of a project")
	}
	if strings.TrimSpace(c.Type) == "" {
		bad("type", "config.jira.type", "which kind of issue?")
	}
	for name := range c.Priorities {
		if _, ok := incidents.ParseSeverity(name); !ok {
			bad("priorities", "config.jira.priorities", name+" is no severity")
		}
	}
	for state := range c.Transitions {
		if category[state] == "" {
			bad("transitions", "config.jira.transitions", string(state)+" is not todo, doing or done")
		}
	}
	for _, l := range c.Labels {
		if !label.MatchString(l) {
			bad("labels", "config.jira.labels", "a label has no spaces")
		}
	}
	for id := range c.Fields {
		if !fieldID.MatchString(id) || ours[id] {
			bad("fields", "config.jira.fields", id+" is no field that can be set")
		}
	}
	if c.Secret != "" && len(c.Secret) < 16 {
		bad("webhook_secret", "config.jira.short", "too short")
	}
	if c.Hook != "" && len(c.Hook) < 16 {
		bad("webhook_token", "config.jira.short", "too short")
	}
	return errors.Join(all...)
}

// ours are the fields that have a key of their own in the configuration, or none.
var ours = map[string]bool{
	"project": true, "issuetype": true, "summary": true, "description": true, "labels": true,
	"priority": true, "components": true, "assignee": true, "status": true,
}

// category is Jira's word for each of the three steps.
var category = map[bot.TicketState]string{bot.TicketTodo: "new", bot.TicketDoing: "indeterminate", bot.TicketDone: "done"}

// stateOf is the step that a status is in.
func stateOf(cat string) bot.TicketState {
	for state, key := range category {
		if key == cat {
			return state
		}
	}
	return ""
}

// severityOf is the severity that a priority stands for; the gravest where
// several have the same one.
func (c Config) severityOf(priority string) incidents.Severity {
	best := incidents.SevUnknown
	for name, p := range c.Priorities {
		sev, _ := incidents.ParseSeverity(name)
		if strings.EqualFold(p, priority) && (best == incidents.SevUnknown || sev < best) {
			best = sev
		}
	}
	return best
}

func (c Config) priorityOf(sev incidents.Severity) string {
	for name, p := range c.Priorities {
		if s, ok := incidents.ParseSeverity(name); ok && s == sev {
			return p
		}
	}
	return ""
}

// accountOf is the account in Jira of a person; "" where it is not known.
func (c Config) accountOf(a incidents.Actor) string {
	if account := c.People[a.ID]; account != "" {
		return account
	}
	for name, account := range c.People {
		if a.Name != "" && strings.EqualFold(name, a.Name) {
			return account
		}
	}
	return ""
}

// nameOf is what a person is called here, for an account there.
func (c Config) nameOf(u *user) string {
	if u == nil {
		return ""
	}
	best := ""
	for name, account := range c.People {
		if account == u.account() && !strings.Contains(name, ":") && (best == "" || name < best) {
			best = name
		}
	}
	if best != "" {
		return best
	}
	return bot.Line(u.DisplayName, 80)
}
