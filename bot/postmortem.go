package bot

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Postmortem is the whole story as Markdown, in one language: what happened,
// what it did to whom, how long everything took, who decided what, what was
// tried and what that changed. What only people can add is left open for them.
func (t Story) Postmortem(lang string, s *incidents.Incident, events []incidents.Event) string {
	w := writer{lang: lang, now: t.now(), clean: t.Clean, s: s, d: incidents.Postmortem(s, events)}
	w.head(t.Links)
	w.summary()
	w.impact()
	w.times()
	w.timeline()
	w.checked()
	w.decisions()
	w.tried()
	w.feedback()
	w.cause()
	w.followUps()
	return w.b.String()
}

// writer writes one postmortem. Everything from outside goes through markdown
// or fence.
type writer struct {
	lang  string
	now   time.Time
	clean func(string) string
	s     *incidents.Incident
	d     incidents.PostmortemData
	b     strings.Builder
}

// md is text from outside, without secrets: they are looked for before marks
// that Markdown wants stand between their characters.
func (w *writer) md(s string) string { return markdown(w.plain(s)) }

func (w *writer) plain(s string) string {
	if w.clean == nil {
		return s
	}
	return w.clean(s)
}

func (w *writer) t(key string, args ...string) string { return phrases.T(w.lang, key, args...) }

// p writes a paragraph.
func (w *writer) p(text string) { w.b.WriteString(text + "\n\n") }

func (w *writer) heading(key string) { w.b.WriteString("## " + w.t(key) + "\n\n") }

// row writes one row of a table; cells are Markdown already.
func (w *writer) row(cells ...string) { w.b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// table writes a table's head, whose cells are keys of the catalogue.
func (w *writer) table(keys ...string) {
	head, rule := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		head[i], rule[i] = w.t(k), "---"
	}
	w.row(head...)
	w.row(rule...)
}

func (w *writer) end() { w.b.WriteString("\n") }

// say says a reason as Markdown.
func (w *writer) say(r incidents.Reason) string { return w.md(Say(w.lang, r)) }

func (w *writer) clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(w.now.Location()).Format("2006-01-02 15:04:05 MST")
}

func (w *writer) took(d incidents.Duration) string {
	if !d.Known {
		return "–"
	}
	return Duration(w.lang, d.D)
}

// tookSince is took with the moment that it counts from.
func (w *writer) tookSince(key string, d incidents.Duration) string {
	if !d.Known {
		return "–"
	}
	return w.t(key, "took", w.took(d))
}

func (w *writer) text(t incidents.Text, id string) string {
	return w.md(cmp.Or(t.In(w.lang), id))
}

func (w *writer) head(links Links) {
	sum := &w.d.Summary
	w.p("# " + w.t("pm.title", "id", sum.ID.String(), "title", w.md(sum.Title)))
	status := w.t("pm.status", "severity", sum.Severity.String(), "status", StatusWord(w.lang, sum.Status))
	if sum.Service != "" {
		status += " · " + w.md(sum.Service)
	}
	if u := links.Incident(sum.ID); u != "" {
		status += " · <" + u + ">"
	}
	w.p(status)
	if sum.Status.Open() {
		w.p("> " + w.t("pm.still_open"))
	}
}

func (w *writer) summary() {
	w.heading("pm.summary")
	d := &w.d
	if d.About != "" {
		w.p(w.md(d.About))
	}
	w.p(w.t("pm.began", "at", w.clock(d.Times.Began), "because", w.say(d.Because)))
	switch {
	case d.Times.Resolved.IsZero():
		w.p(w.t("pm.not_resolved"))
	case w.s.Resolved != nil && w.s.Resolved.Because.Phrase != "":
		w.p(w.t("pm.resolved_because", "at", w.clock(d.Times.Resolved), "took", w.took(d.Times.TTR()), "because", w.say(w.s.Resolved.Because)))
	default:
		w.p(w.t("pm.resolved", "at", w.clock(d.Times.Resolved), "took", w.took(d.Times.TTR()), "by", w.resolvedBy()))
	}
	if len(d.People) > 0 {
		names := make([]string, len(d.People))
		for i, name := range d.People {
			names[i] = w.md(name)
		}
		w.p(w.t("pm.people", "names", strings.Join(names, w.t("list.comma"))))
	}
	if d.Commander != "" {
		w.p(w.t("pm.commander", "name", w.md(d.Commander)))
	}
}

func (w *writer) resolvedBy() string {
	if w.s.Resolved == nil {
		return "–"
	}
	return w.md(Who(w.s.Resolved.By))
}

func (w *writer) impact() {
	w.heading("pm.impact")
	im := &w.d.Impact
	services := make([]string, len(im.Services))
	for i, name := range im.Services {
		services[i] = w.md(name)
	}
	w.item("pm.impact_services", cmp.Or(strings.Join(services, w.t("list.comma")), "–"))
	w.item("pm.impact_alerts", w.t("pm.impact_alerts_n", "n", strconv.Itoa(im.Alerts), "firing", strconv.Itoa(im.Firing)))
	w.item("pm.impact_worst", im.Worst.String())
	w.item("pm.impact_hurt", w.took(im.Hurt))
	if im.Relapses > 0 {
		w.item("pm.impact_relapses", strconv.Itoa(im.Relapses))
	}
	if im.Truncated > 0 {
		w.item("pm.impact_truncated", strconv.Itoa(im.Truncated))
	}
	w.item("pm.impact_users", "_"+w.t("pm.to_fill")+"_")
	w.end()
}

func (w *writer) item(key, value string) { w.b.WriteString("- **" + w.t(key) + "**: " + value + "\n") }

func (w *writer) times() {
	w.heading("pm.times")
	t := &w.d.Times
	w.table("pm.moment", "pm.at", "pm.after")
	w.row(w.t("pm.times_began"), w.clock(t.Began), "")
	w.row(w.t("pm.times_detected"), w.clock(t.Detected), w.took(t.TTD()))
	w.row(w.t("pm.times_acknowledged"), w.clock(t.Acknowledged), w.tookSince("pm.tta", t.TTA()))
	w.row(w.t("pm.times_mitigated"), w.clock(t.Mitigated), w.tookSince("pm.ttm", t.TTM()))
	w.row(w.t("pm.times_resolved"), w.clock(t.Resolved), w.tookSince("pm.ttr", t.TTR()))
	w.end()
}

func (w *writer) timeline() {
	w.heading("pm.timeline")
	w.table("pm.at", "pm.what", "pm.who")
	for i := range w.d.Timeline {
		l := &w.d.Timeline[i]
		w.row(w.clock(l.At), w.md(TimelineText(w.lang, l)), w.md(Who(l.By)))
	}
	w.end()
}
