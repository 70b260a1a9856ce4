package commands

import (
	"context"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// alerts shows what the incident is made of.
func alerts(d Deps) bot.Command {
	return bot.Command{
		Name: "alerts", Aliases: []string{"alert", "アラート"}, Usage: "alerts",
		Example: []string{"/inc alerts"},
		Help:    "help.alerts", Right: bot.View, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("alerts", args); err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			return answer(s, alertTable(r.Lang, s)), nil
		},
	}
}

func alertTable(lang string, s *incidents.Incident) bot.Message {
	firing, all := s.Alerts.Firing()+s.Untracked, s.Alerts.Len()+s.Untracked
	m := bot.Message{
		Title: phrases.T(lang, "say.alerts", "id", s.ID.String()),
		Text:  phrases.T(lang, "card.alerts_n", "firing", strconv.Itoa(firing), "cleared", strconv.Itoa(all-firing)),
	}
	if all == 0 {
		m.Text = phrases.T(lang, "card.no_alerts")
		return m
	}
	if more := all - len(s.Samples); more > 0 {
		m.Text += " · " + phrases.T(lang, "say.alerts_first", "n", strconv.Itoa(len(s.Samples)))
	}
	for i := range s.Samples {
		a := &s.Samples[i]
		c := bot.Check{State: bot.CheckOK, Name: bot.Line(a.Name(), 200), Value: bot.Line(a.Labels.String(), 500)}
		if t, ok := s.Alerts.Get(a.Fingerprint()); ok && t.Firing() {
			c.State = bot.CheckBad
		}
		m.Checks = append(m.Checks, c)
	}
	return m
}
