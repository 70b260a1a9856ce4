package commands

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// declare opens an incident by hand.
func declare(d Deps) bot.Command {
	return bot.Command{
		Name: "declare", Aliases: []string{"new", "create", "宣言"}, Usage: "declare [SEV1…SEV5] [customer=name] title",
		Example: []string{"/inc declare SEV2 checkout is slow"},
		Help:    "help.declare", Right: bot.Respond, Text: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			sev, title := titleOf(r.Rest, args)
			if sev == incidents.SevUnknown && len(args) > 0 && looksLikeSeverity.MatchString(args[0]) {
				return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.severity", "no such severity: "+args[0], "value", args[0]).WithHint("/inc declare SEV2 " + bot.Line(strings.TrimSpace(strings.TrimPrefix(r.Rest, args[0])), 60))
			}
			customer, title, err := d.customerOf(r, title)
			if err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Declare(ctx, r.Once, incidents.Declare{Title: title, Severity: sev, By: r.Person, Customer: customer})
			if e, refused := errors.AsType[*incidents.Error](err); refused && e.Phrase == "error.declared_already" {
				s, err = d.declared(ctx, r, title, e)
			}
			if err != nil {
				return bot.Reply{}, err
			}
			m := bot.Message{Tone: bot.ToneGood, Text: phrases.T(r.Lang, "say.declared", "id", s.ID.String(), "severity", s.Severity().String())}
			if u := d.Links.Incident(s.ID); u != "" {
				m.Links = []bot.Link{{Label: phrases.T(r.Lang, "link.incident"), URL: u}}
			}
			return answer(s, m), nil
		},
	}
}

// declared finds the incident that this person declared under this title, for
// somebody who did not get the answer and says it again.
func (d Deps) declared(ctx context.Context, r bot.Request, title string, otherwise error) (*incidents.Incident, error) {
	page, err := d.Incidents.List(ctx, incidents.Query{Limit: 50})
	if err != nil {
		return nil, err
	}
	for i := range page.Incidents {
		if page.Incidents[i].Title != title {
			continue
		}
		s, err := d.Incidents.Load(ctx, page.Incidents[i].ID)
		if err != nil {
			return nil, err
		}
		if s.Declared != nil && s.Declared.By.ID == r.Person.ID {
			return s, nil
		}
	}
	return nil, otherwise
}

// looksLikeSeverity is a first word that was not meant as a title.
var looksLikeSeverity = regexp.MustCompile(`(?i)^sev-?[0-9]+:?$`)

// titleOf takes a severity off the front: SEV2 or P2, and nothing that could
// be a title's first word ("critical path is slow").
func titleOf(rest string, args []string) (incidents.Severity, string) {
	sev := incidents.SevUnknown
	if len(args) > 0 {
		w := strings.TrimSuffix(strings.ToLower(args[0]), ":")
		digits := strings.TrimPrefix(strings.TrimPrefix(w, "sev"), "p")
		if parsed, ok := incidents.ParseSeverity(w); ok && len(digits) == 1 && digits != w {
			sev, rest = parsed, strings.TrimSpace(rest[len(args[0]):])
		}
	}
	if n := len(rest); n > 1 && rest[0] == '"' && rest[n-1] == '"' {
		rest = rest[1 : n-1]
	}
	return sev, bot.Line(rest, incidents.MaxTitle)
}
