package incidents

import (
	"encoding/json"
	"time"
)

// What the tests of this package are made of.

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// minute is n minutes after noon.
func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

var (
	bea = Actor{ID: "console:bea", Name: "bea"}
	abe = Actor{ID: "console:abe", Name: "abe"}
	eve = Actor{ID: "slack:T1/eve", Name: "eve"}
)

// firing is a report that the alert called name fires since start.
func firing(name, severity string, start time.Time) Alert {
	return Alert{
		Labels:   LabelsFromMap(map[string]string{"alertname": name, "service": "checkout", "severity": severity}),
		StartsAt: start,
	}
}

// until gives a firing alert a term.
func until(a Alert, end time.Time) Alert {
	a.EndsAt = end
	return a
}

// ended is a report that it is over.
func ended(a Alert, end time.Time) Alert {
	a.Resolved, a.EndsAt = true, end
	return a
}

func keysOf(alerts []Alert) []Key {
	keys := make([]Key, len(alerts))
	for i := range alerts {
		keys[i] = alerts[i].Fingerprint()
	}
	return keys
}

func receive(alerts ...Alert) Receive {
	return Receive{Source: "prometheus", Alerts: alerts, Keys: keysOf(alerts)}
}

func opening(rule Rule, alerts ...Alert) Open {
	return Open{
		ID: 42, Shard: 3, Source: "prometheus", Alerts: alerts, Keys: keysOf(alerts),
		Grouping: Grouping{Key: KeyOf("group"), Rule: rule, Because: Because("because.rule_all", "rule", rule.Name)},
	}
}

// teller is a fatal test: *testing.T or *rapid.T.
type teller interface {
	Helper()
	Fatalf(format string, args ...any)
}

var testPolicy = Policy{Chats: []string{"console", "slack"}, RemindAck: 5 * time.Minute, Look: 10 * time.Second}

// story is an incident with its log and the effects that wait, as a store
// would hold them.
type story struct {
	t       teller
	s       *Incident
	log     []Event
	waiting map[string]Effect
	light   bool // check no laws: for tests of many thousand stories about something else
}

func newStory(t teller) *story {
	return &story{t: t, s: &Incident{}, waiting: map[string]Effect{}}
}

// opened begins a story with one alert that fires since noon.
func opened(t teller, rule Rule) *story {
	st := newStory(t)
	st.must(opening(rule, firing("HighErrorRate", "warning", noon)), noon)
	return st
}

// try carries out a command, holds it to what every command promises, and
// remembers what came of it.
func (st *story) try(cmd Command, now time.Time) ([]Event, error) {
	st.t.Helper()
	advance := st.advance
	if st.light {
		advance = func(cmd Command, now time.Time) ([]Event, []Effect, error) {
			return Advance(st.s, cmd, now, testPolicy)
		}
	}
	events, effects, err := advance(cmd, now)
	st.log = append(st.log, events...)
	st.enqueue(effects)
	return events, err
}

func (st *story) must(cmd Command, now time.Time) []Event {
	st.t.Helper()
	events, err := st.try(cmd, now)
	if err != nil {
		st.t.Fatalf("%T at %s: %v", cmd, now.Format(time.TimeOnly), err)
	}
	return events
}

// enqueue coalesces as a store does: a waiting effect is only made earlier.
func (st *story) enqueue(effects []Effect) {
	for _, e := range effects {
		if old, waits := st.waiting[e.Key]; waits && !e.Due.Before(old.Due) {
			continue
		}
		st.waiting[e.Key] = e
	}
}

// ring carries out the timer's effect, as a worker does.
func (st *story) ring(e Effect, now time.Time) {
	st.t.Helper()
	delete(st.waiting, e.Key)
	st.must(Tick{Name: e.Arg, Policy: testPolicy}, now)
	st.enqueue(Rearm(st.s, e.Arg, testPolicy))
}

// pass lets time go by: every timer rings when it is due.
func (st *story) pass(now time.Time) {
	st.t.Helper()
	for range 1000 {
		var next *Effect
		for _, e := range st.waiting {
			if e.Kind == DoTimer && !e.Due.After(now) && (next == nil || e.Due.Before(next.Due) || e.Due.Equal(next.Due) && e.Key < next.Key) {
				next = &e
			}
		}
		if next == nil {
			return
		}
		st.ring(*next, later(next.Due, st.s.UpdatedAt))
	}
	st.t.Fatalf("timers never come to rest: %v", st.waiting)
}

func (st *story) wantStatus(want Status) {
	st.t.Helper()
	if got := st.s.Status(); got != want {
		st.t.Fatalf("status = %s, want %s", got, want)
	}
}

func kinds(events []Event) []EventKind {
	ks := make([]EventKind, len(events))
	for i := range events {
		ks[i] = events[i].Kind
	}
	return ks
}

func asJSON(t teller, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("encode %T: %v", v, err)
	}
	return string(b)
}

// copyOf is the state after a trip through a store.
func copyOf(t teller, s *Incident) *Incident {
	t.Helper()
	var c Incident
	if err := json.Unmarshal([]byte(asJSON(t, s)), &c); err != nil {
		t.Fatalf("decode incident: %v", err)
	}
	return &c
}

func restart(n ID) Plan {
	return Plan{
		Runbook: "restart-web", RunbookDigest: "d1", Title: Text{EN: "Restart the web tier", JA: "Web層を再起動"},
		Risk: RiskLow, Incident: n,
		Recover:  []Step{{ID: "restart", Kind: "command", Argv: []string{"systemctl", "restart", "web"}, Timeout: time.Minute}},
		Verify:   Verify{Steps: []Step{{ID: "health", Kind: "http", URL: "http://web/health", Timeout: time.Second}}, Every: 10 * time.Second, Stable: 30 * time.Second, Within: 5 * time.Minute},
		Escalate: Text{EN: "Call the web team", JA: "Webチームに連絡"},
	}.Seal()
}

func suggestions(plans ...Plan) Ranked {
	var r Ranked
	for i, p := range plans {
		r.Suggestions = append(r.Suggestions, Suggestion{Rank: i + 1, Action: p.Runbook, Title: p.Title, Score: 0.5, Plan: p})
	}
	return r
}

func passed(steps ...string) []StepResult {
	var rs []StepResult
	for _, s := range steps {
		rs = append(rs, StepResult{Step: s, OK: true, Value: "HTTP 200"})
	}
	return rs
}

func failed(step string) []StepResult {
	return []StepResult{{Step: step, Value: "HTTP 503"}}
}
