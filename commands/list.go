package commands

import (
	"context"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// listed is how many incidents one answer shows.
const listed = 20

// list shows the open incidents, or all, or a service's.
func list(d Deps) bot.Command {
	return bot.Command{
		Name: "list", Aliases: []string{"ls", "incidents", "一覧"}, Usage: "list [all] [service]",
		Example: []string{"/inc list", "/inc list all checkout"},
		Help:    "help.list", Right: bot.View,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			q := incidents.Query{Open: true, Limit: listed}
			for _, w := range args {
				if strings.EqualFold(w, "all") || w == "すべて" {
					q.Open = false
				} else if q.Service == "" {
					q.Service = w
				} else {
					return bot.Reply{}, unexpected(w, "/inc list "+bot.Line(q.Service, 80))
				}
			}
			seen, err := r.Reader.List(ctx, d.Incidents, q)
			if err != nil {
				return bot.Reply{}, err
			}
			return answer(nil, d.rows(r.Lang, q, seen)), nil
		},
	}
}

func (d Deps) rows(lang string, q incidents.Query, page bot.Seen) bot.Message {
	m := bot.Message{Title: phrases.T(lang, "say.list", "open", strconv.Itoa(page.Open))}
	cut, notAll := page.Cut || page.OpenCut, phrases.T(lang, "say.list_cut", "n", strconv.Itoa(bot.MostScanned))
	if len(page.Incidents) == 0 {
		m.Text = phrases.T(lang, "say.list_none")
		if cut {
			m.Tone, m.Text = bot.ToneWarn, notAll
		} else if q.Open && q.Service == "" {
			m.Tone, m.Text = bot.ToneGood, phrases.T(lang, "say.list_quiet")
		}
		return m
	}
	for i := range page.Incidents {
		row := &page.Incidents[i]
		parts := []string{bot.Line(row.Title, incidents.MaxTitle), bot.Clock(lang, row.OpenedAt, d.Now())}
		if row.Firing > 0 {
			parts = append(parts, phrases.T(lang, "say.list_firing", "n", strconv.Itoa(row.Firing)))
		}
		if who := row.Commander; who != "" {
			parts = append(parts, "@"+bot.Line(who, 80))
		} else if who := row.AckedBy; who != "" {
			parts = append(parts, "@"+bot.Line(who, 80))
		}
		m.Fields = append(m.Fields, bot.Field{
			Name:  row.ID.String() + " · " + row.Severity.String() + " · " + bot.StatusWord(lang, row.Status),
			Value: strings.Join(parts, " · "),
		})
	}
	if cut {
		m.Text = notAll
	} else if page.Next != 0 {
		m.Text = phrases.T(lang, "say.list_more", "n", strconv.Itoa(listed))
	}
	return m
}
