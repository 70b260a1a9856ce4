package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/learning/report"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// learnReport says how good the suggestions were. It needs the store for itself;
// the console's page says the same while it is served.
func learnReport(ctx context.Context, args []string, std streams) int {
	fs, f := learnFlags("learn report", std)
	asJSON := fs.Bool("json", false, phrases.T(language(), "cli.flag.json"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	store, code := openLearned(ctx, f, std)
	if store == nil {
		return code
	}
	defer store.Close()
	r, err := report.Collect(ctx, store, store.Shards(), time.Now())
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	if !*asJSON {
		printReport(std.out, language(), r)
		return exitOK
	}
	enc := json.NewEncoder(std.out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		complain(std.err, fmt.Errorf("write the report: %w", err))
		return exitFailed
	}
	return exitOK
}

// printReport is the report for people.
func printReport(out io.Writer, lang string, r *report.Report) {
	t := func(key string, args ...string) string { return phrases.T(lang, key, args...) }
	fmt.Fprintln(out, t("learn.about", "facts", strconv.Itoa(r.Facts), "imported", strconv.Itoa(r.Imported), "left", strconv.Itoa(r.LeftOut)))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	part := func(name string, p report.Part) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, shareText(p.Hit1), shareText(p.Hit3), shareText(p.Accepted), shareText(p.Verified))
	}
	fmt.Fprintf(w, "\n\t%s\t%s\t%s\t%s\n", t("learn.hit1"), t("learn.hit3"), t("learn.accepted"), t("learn.verified"))
	part(t("learn.all"), r.All)
	for _, p := range r.Services {
		part(phrases.T(lang, "learn.service", "name", nameOr(p.Name)), p)
	}
	for _, p := range r.Weeks {
		part(phrases.T(lang, "learn.week", "day", p.Name), p)
	}
	fmt.Fprintf(w, "\n%s\t%s\t%s\n", t("learn.compared"), t("learn.hit1"), t("learn.hit3"))
	for _, c := range r.Compared {
		fmt.Fprintf(w, "%s\t%s\t%s\n", t("learn.by."+c.Name), shareText(c.Hit1), shareText(c.Hit3))
	}
	fmt.Fprintf(w, "\n%s\t%s\t%s\n", t("learn.score"), t("learn.predicted"), t("learn.observed"))
	for _, b := range r.Calibration {
		fmt.Fprintf(w, "%.1f–%.1f\t%.0f %%\t%s\n", b.From, b.To, 100*b.Predicted, shareText(b.Observed))
	}
	w.Flush()
	fmt.Fprintln(out, "\n"+t("learn.this_week", "votes", strconv.Itoa(r.Votes), "outcomes", strconv.Itoa(r.Outcomes)))
	for _, action := range r.New {
		fmt.Fprintln(out, "  "+t("learn.new", "action", action))
	}
	for _, m := range r.Moves {
		fmt.Fprintf(out, "  %s: %s → %s (%s, %s)\n", m.Action, place(m.Before), place(m.After), m.Alert, nameOr(m.Service))
	}
}

// shareText is a share with what it is of: "67 % (2/3)".
func shareText(s report.Share) string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %% (%d/%d)", 100*s.Value(), s.N, s.Of)
}

func place(rank int) string {
	if rank == 0 {
		return "–"
	}
	return strconv.Itoa(rank)
}

func nameOr(name string) string {
	if name == "" {
		return "–"
	}
	return name
}

// learningPage keeps the report that the console shows for a minute: it reads the
// whole log.
type learningPage struct {
	store storage.Store
	now   func() time.Time
	turn  chan struct{} // whoever holds it makes one

	mu   sync.Mutex
	last *report.Report
}

func newLearningPage(store storage.Store, now func() time.Time) *learningPage {
	return &learningPage{store: store, now: now, turn: make(chan struct{}, 1)}
}

// reportFor is how long a report is shown.
const reportFor = time.Minute

// Report implements web.Learning.
func (p *learningPage) Report(ctx context.Context) (*report.Report, error) {
	if r := p.fresh(); r != nil {
		return r, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the report: %w", ctx.Err())
	}
	if r := p.fresh(); r != nil {
		return r, nil
	}
	r, err := report.Collect(ctx, p.store, p.store.Shards(), p.now())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = r
	return r, nil
}

func (p *learningPage) fresh() *report.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || p.now().Sub(p.last.At) >= reportFor {
		return nil
	}
	return p.last
}
