package config

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/backlog"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
	"github.com/hikeshi-ops/hikeshi/integrations/gitlab"
	"github.com/hikeshi-ops/hikeshi/integrations/jira"
	"github.com/hikeshi-ops/hikeshi/integrations/servicenow"
	"github.com/hikeshi-ops/hikeshi/integrations/slack"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// Tracker is one project of one ticket tracker.
type Tracker struct {
	Name              string            `yaml:"name"`
	Kind              string            `yaml:"kind"`
	Flavour           string            `yaml:"flavour"`
	URL               string            `yaml:"url"`
	User              string            `yaml:"user"`
	Token             Secret            `yaml:"token"`
	TokenFile         string            `yaml:"token_file"`
	WebhookSecret     Secret            `yaml:"webhook_secret"`
	WebhookSecretFile string            `yaml:"webhook_secret_file"`
	WebhookToken      Secret            `yaml:"webhook_token"`
	WebhookTokenFile  string            `yaml:"webhook_token_file"`
	Project           string            `yaml:"project"`
	Type              string            `yaml:"type"`
	Language          string            `yaml:"language"`
	Priorities        map[string]string `yaml:"priorities"`
	Transitions       map[string]string `yaml:"transitions"`
	Resolution        string            `yaml:"resolution"`
	Components        []string          `yaml:"components"`
	Labels            []string          `yaml:"labels"`
	Fields            map[string]any    `yaml:"fields"`
	People            map[string]string `yaml:"people"`
	Duplicate         string            `yaml:"duplicate"`
	Relates           string            `yaml:"relates"`
}

// Ticket is a rule for which incidents have their ticket in which tracker.
type Ticket struct {
	Match   []string `yaml:"match"`
	Tracker string   `yaml:"tracker"`
}

// The kinds of trackers.
const (
	KindJira       = "jira"
	KindBacklog    = "backlog"
	KindGitLab     = "gitlab"
	KindServiceNow = "servicenow"
)

const (
	maxTrackers = 100 // each polls its tracker once a minute
	noTracker   = "-" // in a rule: such incidents have no ticket
)

// files are the paths that are relative to the configuration's file.
func (c *Tracker) files() []*string {
	return []*string{&c.TokenFile, &c.WebhookSecretFile, &c.WebhookTokenFile}
}

// TicketDesks is where tickets are, looked up and checked.
type TicketDesks struct {
	Desks  []TicketDesk
	Routes []incidents.TicketRoute
}

// TicketDesk is one tracker.
type TicketDesk struct {
	Kind, Name, Project string
	Jira                jira.Config   // of kind jira
	Remote              remote.Config // of the others
	Language            string
}

func (s TicketDesks) secrets() []string {
	var all []string
	for _, t := range s.Desks {
		for _, secret := range []string{t.Jira.Token, t.Jira.Secret, t.Jira.Hook, t.Remote.Token, t.Remote.Hook} {
			if secret != "" {
				all = append(all, secret)
			}
		}
		if _, password, ok := strings.Cut(t.Remote.Token, ":"); ok && password != "" { // ServiceNow's, "user:password"
			all = append(all, password, base64.StdEncoding.EncodeToString([]byte(t.Remote.Token)))
		}
	}
	return all
}

// trackerName also begins the accounts of the tracker's people, and keeps apart
// what is said there from what is said in a chat.
var trackerName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// tickets checks the trackers and the rules.
func (s *settler) tickets() {
	taken := map[string]bool{"console": true, slack.Name: true, discord.Chat: true, "person": true, "source": true, "bot": true, "oidc": true, "email": true} // what begins an account
	if len(s.Trackers) > maxTrackers {
		s.note(wrong("trackers", "config.trackers_many", "max", fmt.Sprint(maxTrackers)))
		return
	}
	for i := range s.Trackers {
		c, key := &s.Trackers[i], fmt.Sprintf("trackers[%d]", i)
		if !trackerName.MatchString(c.Name) || taken[c.Name] {
			s.note(wrong(key+".name", "config.tracker_name", "name", c.Name))
		}
		taken[c.Name] = true
		desk := TicketDesk{Kind: c.Kind, Name: c.Name, Project: c.Project, Language: s.ticketLanguage(key, c)}
		switch c.Kind {
		case KindJira:
			desk.Jira = s.jira(key, c)
		case KindBacklog, KindGitLab, KindServiceNow:
			desk.Remote = s.remote(key, c)
		default:
			s.note(wrong(key+".kind", "config.one_of", "value", c.Kind, "known", strings.Join([]string{KindBacklog, KindGitLab, KindJira, KindServiceNow}, ", ")))
			continue
		}
		s.TicketDesks.Desks = append(s.TicketDesks.Desks, desk)
	}
	s.ticketRoutes()
}

func (s *settler) jira(key string, c *Tracker) jira.Config {
	before := len(s.problems)
	to := jira.Config{
		Name: c.Name, Flavour: jira.Flavour(c.Flavour), URL: strings.TrimRight(c.URL, "/"), User: c.User,
		Token: s.secret(key+".token", c.Token, c.TokenFile), Secret: s.secret(key+".webhook_secret", c.WebhookSecret, c.WebhookSecretFile),
		Hook: s.secret(key+".webhook_token", c.WebhookToken, c.WebhookTokenFile), Project: c.Project, Type: c.Type,
		Priorities: c.Priorities, Transitions: map[bot.TicketState]string{}, Resolution: c.Resolution, Components: c.Components,
		Labels: c.Labels, Fields: c.Fields, People: s.ticketPeople(c), Duplicate: c.Duplicate, Relates: c.Relates,
	}
	for state, name := range c.Transitions {
		to.Transitions[bot.TicketState(state)] = name
	}
	if len(s.problems) == before {
		s.note(problemsOf(to.Validate(), func(e *incidents.Error) string { return key + "." + e.Args["key"] })...)
	}
	return to
}

func (s *settler) ticketLanguage(key string, c *Tracker) string {
	lang := c.Language
	if lang == "" {
		lang = s.Language
	}
	if !slices.Contains(phrases.Languages, lang) {
		s.note(wrong(key+".language", "config.one_of", "value", lang, "known", strings.Join(phrases.Languages, ", ")))
	}
	return lang
}

// remote is a tracker of another kind than Jira. What that kind has not is a
// mistake: it would be thought to work.
func (s *settler) remote(key string, c *Tracker) remote.Config {
	before := len(s.problems)
	for name, given := range map[string]bool{
		"flavour": c.Flavour != "", "user": c.User != "", "resolution": c.Resolution != "" && c.Kind != KindServiceNow, "components": len(c.Components) > 0, "duplicate": c.Duplicate != "", "relates": c.Relates != "",
		"webhook_secret": c.WebhookSecret != "" || c.WebhookSecretFile != "", "type": c.Type != "" && c.Kind != KindBacklog, "labels": len(c.Labels) > 0 && c.Kind != KindGitLab,
	} {
		if given {
			s.note(wrong(key+"."+name, "config.tracker.only", "kind", c.Kind))
		}
	}
	to := remote.Config{
		Name: c.Name, URL: strings.TrimRight(c.URL, "/"), Token: s.secret(key+".token", c.Token, c.TokenFile),
		Hook: s.secret(key+".webhook_token", c.WebhookToken, c.WebhookTokenFile), Project: c.Project, Type: c.Type,
		Priorities: c.Priorities, Transitions: map[bot.TicketState]string{}, Resolution: c.Resolution, Labels: c.Labels, Fields: c.Fields, People: s.ticketPeople(c),
	}
	for state, name := range c.Transitions {
		to.Transitions[bot.TicketState(state)] = name
	}
	if len(s.problems) == before {
		check := map[string]func(remote.Config) error{KindBacklog: backlog.Validate, KindGitLab: gitlab.Validate, KindServiceNow: servicenow.Validate}[c.Kind]
		s.note(problemsOf(check(to), func(e *incidents.Error) string { return key + "." + e.Args["key"] })...)
	}
	return to
}

// ticketPeople are the people of the configuration who have an account there,
// and those whom the tracker names.
func (s *settler) ticketPeople(c *Tracker) map[string]string {
	all := map[string]string{}
	for _, p := range s.People {
		for _, account := range p.Accounts {
			if there, ok := strings.CutPrefix(account, c.Name+":"); ok {
				all[p.Name] = there
			}
		}
		for _, account := range p.Accounts {
			if all[p.Name] != "" {
				all[account] = all[p.Name]
			}
		}
	}
	maps.Copy(all, c.People)
	return all
}

func (s *settler) ticketRoutes() {
	known := append([]string{noTracker}, s.trackerNames()...)
	for i, c := range s.Tickets {
		key := fmt.Sprintf("tickets[%d]", i)
		r := incidents.TicketRoute{Tracker: c.Tracker}
		if !slices.Contains(known, c.Tracker) {
			s.note(wrong(key+".tracker", "config.one_of", "value", c.Tracker, "known", strings.Join(known, ", ")))
		}
		if c.Tracker == noTracker {
			r.Tracker = ""
		}
		for j, text := range c.Match {
			m, err := incidents.ParseMatcher(text)
			if err != nil {
				s.note(badMatcher(fmt.Sprintf("%s.match[%d]", key, j), text, err))
			}
			r.Match = append(r.Match, m)
		}
		s.TicketDesks.Routes = append(s.TicketDesks.Routes, r)
	}
	switch {
	case len(s.Tickets) > 0:
	case len(s.Trackers) == 1: // nothing to choose from
		s.TicketDesks.Routes = []incidents.TicketRoute{{Tracker: s.Trackers[0].Name}}
	case len(s.Trackers) > 1:
		s.note(wrong("tickets", "config.tickets_missing"))
	}
}
