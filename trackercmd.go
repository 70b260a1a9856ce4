package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// trackerCommand is "hikeshi jira VERB …", and that of the other kinds of trackers.
func trackerCommand(kind string) func(context.Context, []string, streams) int {
	return func(ctx context.Context, args []string, std streams) int {
		if len(args) == 0 || args[0] != "doctor" {
			fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_"+kind))
			return exitUsage
		}
		return trackerDoctor(ctx, kind, args[1:], std)
	}
}

// doctorTime bounds the whole look at one tracker.
const doctorTime = time.Minute

// trackerDoctor says what is wrong with each tracker of the kind, what to do
// about it, and shows a ticket without creating it.
func trackerDoctor(ctx context.Context, kind string, args []string, std streams) int {
	fs := newFlags(kind+" doctor", std)
	path := fs.String("config", os.Getenv("HIKESHI_CONFIG"), phrases.T(language(), "cli.flag.config"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	c, err := config.Load(*path, os.Getenv)
	var s *config.Settled
	if err == nil {
		s, err = c.Settle()
	}
	var desks []config.TicketDesk
	if err == nil {
		desks = slices.DeleteFunc(slices.Clone(s.TicketDesks.Desks), func(d config.TicketDesk) bool { return d.Kind != kind })
		if len(desks) == 0 {
			err = incidents.Fail(incidents.Invalid, "error.no_tracker_kind", "the configuration has no tracker of kind "+kind, "kind", kind).WithHint("docs/" + kind + ".md")
		}
	}
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	well := true
	for _, t := range desks {
		k, err := ticketSystemOf(t, nil, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			complain(std.err, err)
			return exitCode(err)
		}
		fmt.Fprintln(std.out, phrases.T(language(), "jira.doctor.tracker", "name", t.Name, "project", t.Project))
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
	body, err := json.MarshalIndent(k.Example(bot.TicketOf(s, nil, t.Name, t.Language, at, bot.Links{Base: base})), "   ", "  ")
	if err != nil {
		panic("an example ticket did not encode: " + err.Error())
	}
	fmt.Fprintln(out, phrases.T(language(), "jira.doctor.example"))
	fmt.Fprintf(out, "   %s\n", body)
}
