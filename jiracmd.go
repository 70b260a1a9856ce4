package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/jira"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// jiraCommand is "hikeshi jira VERB …".
func jiraCommand(ctx context.Context, args []string, std streams) int {
	if len(args) == 0 || args[0] != "doctor" {
		fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_jira"))
		return exitUsage
	}
	return jiraDoctor(ctx, args[1:], std)
}

// doctorTime bounds the whole look at one tracker.
const doctorTime = time.Minute

// jiraDoctor says what is wrong with each tracker of kind jira, what to do about
// it, and shows a ticket without creating it.
func jiraDoctor(ctx context.Context, args []string, std streams) int {
	fs := newFlags("jira doctor", std)
	path := fs.String("config", os.Getenv("HIKESHI_CONFIG"), phrases.T(language(), "cli.flag.config"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	c, err := config.Load(*path, os.Getenv)
	var s *config.Settled
	if err == nil {
		s, err = c.Settle()
	}
	if err == nil && len(s.TicketDesks.Desks) == 0 {
		err = incidents.Fail(incidents.Invalid, "error.no_jira", "the configuration has no tracker of kind jira").WithHint("docs/jira.md")
	}
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	well := true
	for _, t := range s.TicketDesks.Desks {
		k, err := jira.New(jira.Options{
			Config: t.Jira, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Pace: limit.New(limit.Options{Provider: t.Jira.Name, Rates: jira.Rates(), Now: time.Now}),
		})
		if err != nil {
			complain(std.err, err)
			return exitCode(err)
		}
		fmt.Fprintln(std.out, phrases.T(language(), "jira.doctor.tracker", "name", t.Jira.Name, "project", t.Jira.Project))
		within, cancel := context.WithTimeout(ctx, doctorTime)
		well = tellFindings(std.out, k.Examine(within)) && well
		cancel()
		showExample(std.out, k, t, s.PublicURL)
	}
	if !well {
		return exitFailed
	}
	fmt.Fprintln(std.out, phrases.T(language(), "jira.doctor.all_well"))
	return exitOK
}

func tellFindings(out io.Writer, all []tracker.Finding) bool {
	lang, well := language(), true
	for _, f := range all {
		sign := "✅ "
		if !f.Good {
			sign, well = "❌ ", false
		}
		fmt.Fprintln(out, sign+phrases.Fill(lang, f.What.Phrase, f.What.Args))
		if f.Do.Phrase != "" {
			fmt.Fprintln(out, "   → "+phrases.Fill(lang, f.Do.Phrase, f.Do.Args))
		}
	}
	return well
}

// showExample prints a ticket as it would be sent.
func showExample(out io.Writer, k ticketSystem, t config.TicketDesk, base string) {
	at := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	alert := incidents.Alert{StartsAt: at, Labels: incidents.LabelsFromMap(map[string]string{"alertname": "HighErrorRate", "service": "checkout", "severity": "critical"})}
	s := &incidents.Incident{}
	open := incidents.Open{ID: 42, Source: "example", Alerts: []incidents.Alert{alert}, Keys: []incidents.Key{alert.Fingerprint()}, Grouping: incidents.Grouping{Key: incidents.KeyOf("example")}}
	if _, _, err := incidents.Advance(s, open, at, incidents.Policy{}); err != nil {
		panic("an example incident did not open: " + err.Error())
	}
	body, err := json.MarshalIndent(k.Example(bot.TicketOf(s, nil, t.Jira.Name, t.Language, at, bot.Links{Base: base})), "   ", "  ")
	if err != nil {
		panic("an example ticket did not encode: " + err.Error())
	}
	fmt.Fprintln(out, phrases.T(language(), "jira.doctor.example"))
	fmt.Fprintf(out, "   %s\n", body)
}
