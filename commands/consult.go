package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Inquiry asks the sources of the first investigation. It changes nothing.
type Inquiry interface {
	// Only asks for one kind of clue ("": all, and the checks), and of those what
	// has the words in it ("": all).
	Only(ctx context.Context, s *incidents.Incident, kind incidents.ClueKind, words string) incidents.Diagnosed
	// Graph draws a query of a person's own; in names the source, "" is the first;
	// own: of those that are the incident's customer's alone.
	Graph(ctx context.Context, s *incidents.Incident, in, query string, own bool) (incidents.Diagnosed, error)
}

// maxWords bounds what is looked for, in bytes.
const maxWords = 200

// asking is what one of these verbs asks for.
type asking func(ctx context.Context, s *incidents.Incident, words string) (incidents.Diagnosed, error)

// only asks for clues of one kind.
func (d Deps) only(kind incidents.ClueKind) asking {
	return func(ctx context.Context, s *incidents.Incident, words string) (incidents.Diagnosed, error) {
		if len(words) > maxWords {
			return incidents.Diagnosed{}, unexpected(words[maxWords:], "/inc help")
		}
		return d.Inquiry.Only(ctx, s, kind, words), nil
	}
}

// consult asks, and puts the answer into the room in the asker's name, so that
// everybody has it and nobody asks again. Whoever asked by a program is told
// what the room shows.
func (d Deps) consult(ctx context.Context, r bot.Request, verb string, ask asking) (bot.Reply, error) {
	if s, e, err := d.before(ctx, r, incidents.EventConsulted); err != nil || e != nil {
		return d.consulted(r, s, e), err
	}
	if d.Inquiry == nil {
		return bot.Reply{}, incidents.Fail(incidents.NotFound, "error.no_sources", "no source is configured that could be asked")
	}
	s, err := d.Incidents.Load(ctx, r.Incident)
	if err != nil {
		return bot.Reply{}, err
	}
	words := straight(r.Rest)
	found, err := ask(ctx, s, words)
	if err != nil {
		return bot.Reply{}, err
	}
	s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Consulted{
		By: r.Person, Line: strings.TrimSpace(verb + " " + words), Findings: found.Findings, Clues: found.Clues,
	})
	if err != nil {
		return bot.Reply{}, err
	}
	latest, err := d.Incidents.Events(ctx, r.Incident, s.Version-1, 1)
	if err != nil || len(latest) == 0 {
		return d.consulted(r, s, nil), err
	}
	return d.consulted(r, s, &latest[0]), nil
}

func (d Deps) consulted(r bot.Request, s *incidents.Incident, e *incidents.Event) bot.Reply {
	if s == nil {
		return bot.Reply{}
	}
	if r.Origin == bot.FromAPI && e != nil && e.Kind == incidents.EventConsulted {
		return answer(s, bot.Consulted(s, e, r.Lang, d.Now(), d.Links))
	}
	reply := confirm(r, s, "say.consulted", "id", s.ID.String())
	if u := d.Links.Incident(s.ID); u != "" && reply.Message != nil {
		reply.Message.Links = []bot.Link{{Label: phrases.T(r.Lang, "link.incident"), URL: u}}
	}
	return reply
}

// straight makes plain quotes of the curly ones that telephones and chats put
// into a query.
func straight(text string) string {
	return strings.TrimSpace(strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "＂", `"`, "‘", "'", "’", "'").Replace(text))
}
