package commands

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Trackers is where tickets are.
type Trackers interface {
	// Tracker is the one that an incident's ticket belongs in; "" for none.
	Tracker(s *incidents.Incident) string
	// Find looks up a ticket that somebody names: its key as the tracker writes
	// it, its page and its status. NotFound where there is none.
	Find(ctx context.Context, tracker, key string) (incidents.Ticket, error)
}

// ticket shows the incident's ticket, links an existing one, opens another, or
// parts the two.
func ticket(d Deps) bot.Command {
	return bot.Command{
		Name: "ticket", Aliases: []string{"チケット"}, Usage: "ticket [link KEY | open | unlink]",
		Example: []string{"/inc ticket", "/inc ticket link OPS-123", "/inc ticket open", "/inc ticket unlink"},
		Help:    "help.ticket", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			tracker := ""
			if d.Trackers != nil {
				tracker = d.Trackers.Tracker(s)
			}
			if len(args) == 0 {
				return answer(s, d.tickets(s, tracker, r.Lang)), nil
			}
			if tracker == "" {
				return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.no_tracker_here", "incidents like this one have no tracker: no rule under tickets fits them").WithHint("docs/configuration.md")
			}
			return d.changeTicket(ctx, r, tracker, args)
		},
	}
}

func (d Deps) changeTicket(ctx context.Context, r bot.Request, tracker string, args []string) (bot.Reply, error) {
	var cmd incidents.Command
	said, words := "", 1
	switch strings.ToLower(args[0]) {
	case "link", "紐付け":
		if len(args) < 2 {
			return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.ticket_key", "which ticket?").WithHint("/inc ticket link OPS-123")
		}
		found, err := d.Trackers.Find(ctx, tracker, args[1])
		if err != nil {
			return bot.Reply{}, err
		}
		cmd, said, words = incidents.LinkTicket{By: r.Person, Tracker: tracker, Key: found.Key, URL: found.URL}, "say.ticket_linked", 2
	case "open", "new", "起票":
		cmd, said = incidents.AskTicket{By: r.Person, Tracker: tracker}, "say.ticket_asked"
	case "unlink", "解除":
		cmd, said = incidents.UnlinkTicket{By: r.Person, Tracker: tracker}, "say.ticket_unlinked"
	default:
		return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.ticket_words", "a ticket is shown, linked, opened or unlinked").WithHint("/inc ticket link OPS-123")
	}
	if err := atMost(words, "ticket", args); err != nil {
		return bot.Reply{}, err
	}
	s, err := d.Incidents.Do(ctx, r.Incident, r.Once, cmd)
	if err != nil {
		return bot.Reply{}, err
	}
	return confirm(r, s, said, "id", s.ID.String(), "tracker", tracker, "ticket", s.Tickets[tracker].Key), nil
}

// tickets tells which tickets the incident has, or how it gets one.
func (d Deps) tickets(s *incidents.Incident, tracker, lang string) bot.Message {
	m := bot.Message{Tone: bot.ToneInfo}
	for _, tracker := range slices.Sorted(maps.Keys(s.Tickets)) {
		t := s.Tickets[tracker]
		if t.Key == "" || t.Off {
			continue
		}
		m.Fields = append(m.Fields, bot.Field{Name: bot.Line(tracker, 60), Value: strings.TrimSpace(bot.Line(t.Key, 60) + " " + bot.Line(t.Status, 60))})
		if t.URL != "" {
			m.Links = append(m.Links, bot.Link{Label: bot.Line(t.Key, 60), URL: t.URL})
		}
		if t.Problem.Phrase != "" {
			m.Fields = append(m.Fields, bot.Field{Name: phrases.T(lang, "card.ticket_problem"), Value: bot.Say(lang, t.Problem)})
		}
	}
	switch {
	case len(m.Fields) > 0:
	case tracker == "":
		m.Text = phrases.T(lang, "say.ticket_nowhere", "id", s.ID.String())
	default:
		m.Text = phrases.T(lang, "say.ticket_none", "id", s.ID.String())
	}
	return m
}
