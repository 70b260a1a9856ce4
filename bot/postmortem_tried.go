package bot

import (
	"strconv"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The second half of a postmortem: what was looked at, decided, tried, and
// what is left to do.

func (w *writer) checked() {
	w.heading("pm.checked")
	if len(w.d.Findings) == 0 {
		w.p(w.t("pm.checked_none"))
		return
	}
	w.table("pm.check", "pm.outcome", "pm.value", "pm.took")
	for i := range w.d.Findings {
		f := &w.d.Findings[i]
		outcome, value := w.outcome(f.OK), f.Value
		if f.Error != "" {
			outcome, value = w.t("pm.no_answer"), f.Error
		}
		w.row(w.text(f.Title, f.Check), outcome, w.md(value), Duration(w.lang, f.Elapsed))
	}
	w.end()
}

func (w *writer) outcome(ok bool) string {
	if ok {
		return w.t("pm.pass")
	}
	return w.t("pm.fail")
}

func (w *writer) decisions() {
	w.heading("pm.decisions")
	if len(w.d.Decisions) == 0 {
		w.p(w.t("pm.decisions_none"))
		return
	}
	for i := range w.d.Decisions {
		l := &w.d.Decisions[i]
		w.b.WriteString("- " + w.clock(l.At) + " · " + w.md(TimelineText(w.lang, l)) + "\n")
	}
	w.end()
}

func (w *writer) tried() {
	w.heading("pm.tried")
	if len(w.d.Tried) == 0 {
		w.p(w.t("pm.tried_none"))
		return
	}
	for i := range w.d.Tried {
		w.trial(&w.d.Tried[i])
	}
}

// trial is one run: who allowed it, what it did, and what that changed.
func (w *writer) trial(t *incidents.Trial) {
	w.p("### " + t.Run + " · " + w.text(t.Title, t.Action))
	w.item("pm.verdict", w.verdict(t))
	w.item("pm.approved_by", w.t("pm.approved_by_n", "by", w.md(t.ApprovedBy), "asker", w.md(t.AskedBy), "at", w.clock(t.ApprovedAt)))
	w.item("pm.plan", "`"+t.Plan+"`")
	w.item("pm.took_proof", w.took(t.Took))
	w.end()
	for i := range t.Steps {
		step := &t.Steps[i]
		w.p(w.outcome(step.OK) + " · " + w.text(step.Title, step.Step) + " · " + w.md(resultWords(w.lang, step)) + " · " + Duration(w.lang, step.Elapsed))
		if out := Clean(step.Output); out != "" {
			w.p(fence(w.plain(out)))
		}
	}
	if len(t.Change) == 0 {
		return
	}
	w.table("pm.check", "pm.before", "pm.after_run", "pm.outcome")
	for i := range t.Change {
		c := &t.Change[i]
		before, after, outcome := "–", "–", "–"
		if c.Before != nil {
			before = w.md(resultWords(w.lang, c.Before))
		}
		if c.After != nil {
			after, outcome = w.md(resultWords(w.lang, c.After)), w.outcome(c.After.OK)
		}
		w.row(w.text(c.Title, c.Step), before, after, outcome)
	}
	w.end()
}

func (w *writer) verdict(t *incidents.Trial) string {
	because := w.say(t.Because)
	switch t.State {
	case incidents.RunVerified:
		return w.t("run.verified", "because", because)
	case incidents.RunNotVerified:
		return w.t("run.not_verified", "because", because)
	case incidents.RunFailed:
		return w.t("run.failed", "because", because)
	case incidents.RunUnknown:
		return w.t("run.unknown", "because", because)
	}
	return w.t("pm.unfinished")
}

func (w *writer) feedback() {
	if len(w.d.Feedback) == 0 {
		return
	}
	w.heading("pm.feedback")
	for i := range w.d.Feedback {
		f := &w.d.Feedback[i]
		w.b.WriteString("- " + w.text(f.Title, f.Action) + ": 👍" + strconv.Itoa(f.Up) + " 👎" + strconv.Itoa(f.Down) + "\n")
		for j := range f.Votes {
			if said := f.Votes[j].Said; said != "" {
				w.b.WriteString("  - " + w.md(Who(f.Votes[j].By)) + ": " + w.md(said) + "\n")
			}
		}
	}
	w.end()
}

func (w *writer) cause() {
	w.heading("pm.cause")
	w.p("_" + w.t("pm.to_fill") + "_")
	w.heading("pm.learned")
	w.p("_" + w.t("pm.to_fill") + "_")
}

func (w *writer) followUps() {
	w.heading("pm.follow_ups")
	for _, hint := range w.d.Hints {
		w.b.WriteString("- [ ] " + w.say(hint) + "\n")
	}
	for i := range w.s.Todos {
		w.todo(&w.s.Todos[i])
	}
	if len(w.s.Todos) == 0 {
		w.b.WriteString("- [ ] _" + w.t("pm.to_fill") + "_\n")
	}
}

// todo is a follow-up that somebody wrote down, and where trackers have it.
func (w *writer) todo(t *incidents.Todo) {
	box, by := "- [ ] ", w.md(Who(t.Added.By))
	switch {
	case t.Done != nil:
		box = "- [x] "
	case t.Dropped != nil && t.Why != "":
		box, by = "- ", by+"; "+w.t("pm.todo_dropped_why", "by", w.md(Who(t.Dropped.By)), "why", w.md(t.Why))
	case t.Dropped != nil:
		box, by = "- ", by+"; "+w.t("pm.todo_dropped", "by", w.md(Who(t.Dropped.By)))
	}
	w.b.WriteString(box + w.md(t.Text) + " (" + by + ")\n")
}
