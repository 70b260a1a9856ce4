package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/calendar"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// windows is what the calendar means for alerts, approvals and runs.
type windows struct{ all calendar.Calendar }

// expected is the maintenance that an alert belongs to.
func (w windows) expected(a *incidents.Alert, now time.Time) incidents.Expected {
	if !w.all.Now(calendar.Maintenance, now) {
		return incidents.Expected{}
	}
	held := w.all.Expected(a, now)
	if held == nil {
		return incidents.Expected{}
	}
	return incidents.Expected{By: held.Name, Until: held.Until}
}

// closed refuses what is to be approved while the calendar freezes changes.
func (w windows) closed(i *incidents.Incident, now time.Time) error {
	held := w.all.Frozen(i, now)
	if held == nil {
		return nil
	}
	because := frozen(held, "error.change_freeze", "error.calendar_unread")
	return &incidents.Error{
		Code: incidents.Conflict, Message: "changes are frozen by the calendar (" + held.Name + ": " + cmp.Or(because.Args["why"], because.Args["error"]) + ")", Phrase: because.Phrase, Args: because.Args,
		Hint: "/inc approve 1 despite " + phrases.T(language(), "hint.despite"),
	}
}

// frozen says what the calendar freezes, by the phrase for a time that is known, or the
// one for a file that nobody could read.
func frozen(h *calendar.Held, known, unread string) incidents.Reason {
	if h.Unread != nil {
		return incidents.Because(unread, "name", h.Name, "file", h.Source(), "error", config.Cause(h.Unread))
	}
	return incidents.Because(known, "name", h.Name, "until", clockOf(h.Until), "why", cmp.Or(bot.Line(h.Span.Why, incidents.MaxValue), "–"))
}

func clockOf(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// unlessFrozen stops what the calendar freezes, but for what each approver wanted all
// the same, and said why. What nobody approved by hand never is.
func (w windows) unlessFrozen(now func() time.Time) worker.Brake {
	return worker.Brake{Name: "calendar", Ask: func(_ context.Context, i *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
		held := w.all.Frozen(i, now())
		if held == nil {
			return incidents.Reason{}, nil
		}
		a := i.Approval(r.Approval)
		if a != nil && len(a.Given) > 0 && !slices.ContainsFunc(a.Given, func(m incidents.Mark) bool { return m.Despite() == "" || !m.By.IsPerson() }) {
			return incidents.Reason{}, nil
		}
		return frozen(held, "because.change_freeze", "because.calendar_unread"), nil
	}}
}

// reread reads the files of the windows again, and says what came of it.
func (w windows) reread(log *slog.Logger) func(context.Context) {
	return func(context.Context) {
		changed, problems := w.all.Reread()
		for _, err := range problems {
			log.Warn("a calendar file is bad; what it said before still holds", "error", err)
		}
		for _, name := range changed {
			log.Info("a calendar file was read again", "window", name)
		}
	}
}

// warn says which files could not be read at the start.
func (w windows) warn(log *slog.Logger) {
	for _, r := range w.unread() {
		log.Warn("a calendar file is bad", "problem", phrases.Fill(phrases.English, r.Phrase, r.Args))
	}
}

// told is how many of a window's next times are told.
const told = 3

// say prints when the windows are next.
func (w windows) say(out io.Writer, now time.Time) {
	lang := language()
	for _, w := range w.all {
		kind := phrases.T(lang, "window."+string(w.Kind))
		next := w.Next(now, told)
		if len(next) == 0 {
			fmt.Fprintln(out, phrases.T(lang, "cli.window_never", "name", w.Name, "kind", kind))
		}
		for _, span := range next {
			fmt.Fprintln(out, phrases.T(lang, "cli.window", "name", w.Name, "kind", kind, "from", clockOf(span.From), "until", clockOf(span.Until), "why", bot.Line(span.Why, 200)))
		}
	}
}

// coming are the windows that are now or next, for people in a chat.
func (w windows) coming(now time.Time) []commands.Window {
	var all []commands.Window
	for _, w := range w.all.Unread() {
		all = append(all, commands.Window{Name: w.Name, Kind: string(w.Kind), About: about(w), Unread: config.Cause(w.Unread())})
	}
	for _, w := range w.all {
		for _, span := range w.Next(now, 1) {
			all = append(all, commands.Window{Name: w.Name, Kind: string(w.Kind), About: about(w), Why: span.Why, From: span.From, Until: span.Until})
		}
	}
	slices.SortStableFunc(all, func(a, b commands.Window) int { return a.From.Compare(b.From) })
	return all
}

// about is what the window's matchers match, as it is configured.
func about(w *calendar.Window) string {
	var all []string
	for _, m := range w.Match {
		all = append(all, m.Label+m.Op+m.Value)
	}
	return strings.Join(all, ", ")
}

// unread are the files that could never be read, and what is so until they can.
func (w windows) unread() (all []incidents.Reason) {
	for _, w := range w.all.Unread() {
		all = append(all, incidents.Because("ready.calendar_unread."+string(w.Kind), "name", w.Name, "file", w.Source(), "error", config.Cause(w.Unread())))
	}
	return all
}
