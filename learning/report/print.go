package report

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// Say puts a sentence of the catalogue into the reader's words.
type Say func(key string, args ...string) string

// Print writes the report for people.
func (r *Report) Print(out io.Writer, t Say) {
	fmt.Fprintln(out, t("learn.about", "facts", strconv.Itoa(r.Facts), "imported", strconv.Itoa(r.Imported), "left", strconv.Itoa(r.LeftOut)))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	part := func(name string, p Part) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", name, shareText(p.Hit1), shareText(p.Hit3), shareText(p.Accepted), shareText(p.Verified))
	}
	fmt.Fprintf(w, "\n\t%s\t%s\t%s\t%s\n", t("learn.hit1"), t("learn.hit3"), t("learn.accepted"), t("learn.verified"))
	part(t("learn.all"), r.All)
	for _, p := range r.Services {
		part(t("learn.service", "name", nameOr(p.Name)), p)
	}
	for _, p := range r.Weeks {
		part(t("learn.week", "day", p.Name), p)
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
	if len(r.Struck) > 0 {
		fmt.Fprintln(out, "\n"+t("learn.struck"))
	}
	for _, s := range r.Struck {
		key, args := s.Told()
		fmt.Fprintln(out, "  "+t(key, args...))
	}
	if r.Unread > 0 {
		fmt.Fprintln(out, t("learn.unreadable", "n", strconv.Itoa(r.Unread)))
	}
}

// Told is the sentence that says what was taken back.
func (s Struck) Told() (key string, args []string) {
	args = []string{"day", s.At.UTC().Format(time.DateOnly), "by", nameOr(s.By), "person", s.Person, "service", s.Service}
	switch {
	case s.Person != "":
		return "learn.struck.person", args
	case s.Service != "":
		return "learn.struck.service", args
	}
	return "learn.struck.all", args
}

// shareText is a share with what it is of: "67 % (2/3)".
func shareText(s Share) string {
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
