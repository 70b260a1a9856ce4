package watch

import (
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Source is the name under which the alerts are in the intake log.
const Source = "watch"

// sayer says a sentence of the catalogue.
type sayer func(key string, args ...string) string

// batches are the alerts, in their order: a batch has a subject once.
func (r *Rule) batches(told []Told, now time.Time, say sayer) []*incidents.Batch {
	var all []*incidents.Batch
	in := map[string]bool{}
	for i := range told {
		a := r.alert(&told[i], say)
		key := a.Labels.Get(incidents.DedupLabel)
		if len(all) == 0 || in[key] {
			all = append(all, &incidents.Batch{Source: Source, ReceivedAt: now.UTC(), GroupKey: "watch/" + r.Name})
			clear(in)
		}
		in[key] = true
		b := all[len(all)-1]
		b.Alerts = append(b.Alerts, a)
	}
	for _, b := range all {
		b.Normalise()
	}
	return all
}

func (r *Rule) labels() map[string]string {
	labels := map[string]string{"alertname": r.Name, "severity": "warning"}
	if r.Service != "" {
		labels["service"] = r.Service
	}
	if r.Host != "" {
		labels["host"] = r.Host
	}
	for _, l := range r.Labels {
		labels[l.Name] = l.Value
	}
	labels["source"], labels["watch"] = Source, r.Name
	return labels
}

func (r *Rule) alert(t *Told, say sayer) incidents.Alert {
	labels, kind := r.labels(), "subject"
	if t.Down {
		kind = "source"
	}
	labels[incidents.DedupLabel] = r.Name + "/" + kind + "/" + incidents.KeyOf(t.Of).String()
	if t.Of != "" {
		labels["series"] = t.Of
	}
	notes := map[string]string{"summary": r.summary(t, say)}
	if t.Detail != "" {
		notes["description"] = t.Detail
	}
	a := incidents.Alert{
		Labels: incidents.LabelsFromMap(labels), Annotations: incidents.LabelsFromMap(notes),
		StartsAt: time.Unix(t.Since, 0).UTC(), Resolved: t.Over != "", GeneratorURL: t.URL,
	}
	if a.Resolved {
		a.EndsAt = time.Unix(t.At, 0).UTC()
	}
	return a
}

const leastTimes = 1.05 // a move by less is said by its values only

// summary is what was seen, in one sentence.
func (r *Rule) summary(t *Told, say sayer) string {
	what := t.Of
	if what == "" {
		what = r.Name
	}
	args := []string{
		"what", what, "rule", r.Name, "source", r.Source, "since", time.Unix(t.Since, 0).UTC().Format("15:04 UTC"),
		"before", diagnostics.Number(t.Usual), "after", diagnostics.Number(t.Value), "n", strconv.FormatFloat(t.Value, 'f', 0, 64), "keyword", r.Keyword,
	}
	if t.Usual > 0 && t.Value >= 0 {
		args = append(args, "times", diagnostics.Number(t.Value/t.Usual))
	}
	return say(r.sentence(t), args...)
}

func (r *Rule) sentence(t *Told) string {
	switch {
	case t.Down && t.Over != "":
		return "watch.source_back"
	case t.Down:
		return "watch.source_down"
	case t.Over == Back && r.Kind == Logs:
		return "watch.over.quiet"
	case t.Over != "":
		return "watch.over." + string(t.Over)
	case r.Keyword != "":
		return "watch.keyword"
	case r.Kind == Logs:
		return "watch.log"
	}
	if times := t.Value / t.Usual; t.Usual > 0 && t.Value >= 0 && (times >= leastTimes || times > 0.05 && times < 1/leastTimes) {
		return "watch.times"
	}
	return "watch.moved"
}
