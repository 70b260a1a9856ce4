package schedule

import (
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Source is the name under which the alerts are in the intake log.
const Source = "schedule"

// The names of the alerts.
const (
	CheckFailed = "ScheduledCheckFailed"
	RunMissed   = "ScheduledRunMissed"
)

// alert is about one schedule. Its labels stay the same as long as the schedule
// does, so that what fires one time is resolved another.
func (e *Entry) alert(name, summary string, since, now time.Time, resolved bool) *incidents.Batch {
	a := incidents.Alert{
		Labels: incidents.LabelsFromMap(map[string]string{
			"alertname": name, "schedule": e.Name, "runbook": e.Runbook, "severity": "warning",
		}),
		Annotations: incidents.LabelsFromMap(map[string]string{"summary": summary}),
		StartsAt:    since.UTC(), Resolved: resolved,
	}
	if resolved {
		a.EndsAt = now.UTC()
	}
	b := &incidents.Batch{Source: Source, ReceivedAt: now.UTC(), GroupKey: "schedule/" + e.Name + "/" + name, Alerts: []incidents.Alert{a}}
	b.Normalise()
	return b
}

// said is what came of a check, in one line.
func (e *Entry) said(results []incidents.StepResult, err error) string {
	if err != nil {
		return e.Name + " could not be carried out: " + err.Error()
	}
	var bad []string
	for i := range results {
		if r := &results[i]; !r.OK {
			what := r.Value
			if r.Error != "" {
				what = r.Error
			}
			bad = append(bad, r.Step+": "+what)
		}
	}
	switch {
	case len(results) == 0:
		return e.Name + " checked nothing"
	case len(bad) > 0:
		return e.Name + ": " + strings.Join(bad, "; ")
	}
	return e.Name + ": all is well"
}

// clock is how planned times are written.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// missed is the sentence of planned times that led to no start.
func (e *Entry) missed(first, last time.Time, n int) string {
	if n == 1 {
		return e.Name + " was not started at " + clock(first)
	}
	return e.Name + " was not started " + strconv.Itoa(n) + " times, from " + clock(first) + " to " + clock(last)
}
