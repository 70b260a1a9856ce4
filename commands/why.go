package commands

import (
	"context"
	"fmt"
	"math"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// why explains: without a target why these alerts are one incident, with one
// why an action stands where it stands.
func why(d Deps) bot.Command {
	return bot.Command{
		Name: "why", Aliases: []string{"explain", "理由"}, Usage: "why [rank|action]",
		Example: []string{"/inc why", "/inc why 1"},
		Help:    "help.why", Right: bot.View, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			target, rest := bot.ParseTarget(args)
			if len(rest) > 0 {
				return bot.Reply{}, unexpected(rest[0], "/inc why "+bot.Line(args[0], 80))
			}
			if target.Empty() {
				return answer(s, whyOne(r.Lang, s)), nil
			}
			g := target.Suggestion(s)
			if g == nil {
				return bot.Reply{}, noAction(args)
			}
			return answer(s, d.whyHere(r.Lang, s, g)), nil
		},
	}
}

func whyOne(lang string, s *incidents.Incident) bot.Message {
	m := bot.Message{
		Title: phrases.T(lang, "say.why_one", "id", s.ID.String()),
		Text:  bot.Say(lang, s.Because),
	}
	from := "say.why_severity_default"
	by := ""
	switch {
	case s.SetSeverity != nil:
		from, by = "say.why_severity_set", bot.Who(s.SetSeverity.By)
	case s.AlertSeverity != incidents.SevUnknown:
		from = "say.why_severity_alerts"
	case bot.UnknownSeverity(s) != "":
		from, by = "say.why_severity_unknown", bot.UnknownSeverity(s)
	}
	m.Fields = []bot.Field{{
		Name:  phrases.T(lang, "card.severity"),
		Value: phrases.T(lang, from, "severity", s.Severity().String(), "by", by),
	}}
	if none := bot.Say(lang, s.NoAction); none != "" && len(s.Suggestions) == 0 {
		m.Fields = append(m.Fields, bot.Field{Name: phrases.T(lang, "suggestions.title"), Value: none})
	}
	return m
}

func (d Deps) whyHere(lang string, s *incidents.Incident, g *incidents.Suggestion) bot.Message {
	m := bot.Message{
		Title: phrases.T(lang, "say.why_here", "rank", fmt.Sprint(g.Rank), "action", bot.Title(lang, g.Title, g.Action)),
		Text:  bot.Evidence(lang, g.Evidence, s.RankedAt),
	}
	for _, t := range g.Evidence.Terms {
		m.Fields = append(m.Fields, bot.Field{Name: weight(t.Weight), Value: bot.Say(lang, t.Because)})
	}
	label := "manual.sheet"
	if !g.Manual.None() {
		label = "manual.link"
		m.Fields = append(m.Fields, bot.Field{Name: phrases.T(lang, "manual.title"), Value: phrases.T(lang, "manual.from", "from", g.Manual.From, "place", g.Manual.Place())})
	}
	if to := d.Links.Runbook(s.ID, g.Action); to != "" {
		m.Links = append(m.Links, bot.Link{Label: phrases.T(lang, label), URL: to})
	}
	return m
}

// weight says how much a reason counts, and which way.
func weight(w float64) string {
	if math.Abs(w) < 0.005 {
		return "±0"
	}
	return fmt.Sprintf("%+.2f", w)
}

// noAction says that nothing of that name was suggested.
func noAction(args []string) error {
	word := ""
	if len(args) > 0 {
		word = bot.Line(args[0], 80)
	}
	return incidents.Fail(incidents.NotFound, "error.no_action", "no such action was suggested here", "action", word).WithHint("/inc suggest")
}
