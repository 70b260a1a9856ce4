package commands

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

var (
	bea = incidents.Actor{ID: "console:bea", Name: "bea"}
	cho = incidents.Actor{ID: "console:cho", Name: "Cho"}
)

var someDay = time.Date(2026, 2, 3, 14, 3, 0, 0, time.UTC)

// memory is the engine without a store: the same decisions, in memory.
type memory struct {
	all  map[incidents.ID]*incidents.Incident
	log  map[incidents.ID][]incidents.Event
	once map[string]bool
	now  time.Time
	asks []incidents.EffectKind

	freeze incidents.Freeze
}

func (m *memory) Do(_ context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error) {
	s := m.all[id]
	if s == nil {
		s = &incidents.Incident{}
	}
	if once != "" && m.once[once] {
		return s, nil
	}
	events, _, err := incidents.Advance(s, cmd, m.now, incidents.Policy{})
	if err != nil {
		return nil, err
	}
	m.once[once] = true
	m.all[s.ID], m.log[s.ID] = s, append(m.log[s.ID], events...)
	return s, nil
}

func (m *memory) Declare(ctx context.Context, once string, d incidents.Declare) (*incidents.Incident, error) {
	id := incidents.ID(41 + len(m.all))
	d.ID = id
	return m.Do(ctx, id, once, d)
}

func (m *memory) Load(_ context.Context, id incidents.ID) (*incidents.Incident, error) {
	if s := m.all[id]; s != nil {
		return s, nil
	}
	return nil, incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
}

func (m *memory) List(_ context.Context, q incidents.Query) (incidents.Page, error) {
	var p incidents.Page
	for _, s := range m.all {
		if open := s.Status().Open(); open || !q.Open {
			if q.Service == "" || q.Service == s.Service {
				p.Incidents = append(p.Incidents, s.Summary())
			}
		}
		if s.Status().Open() {
			p.Open++
		}
	}
	slices.SortFunc(p.Incidents, func(a, b incidents.Summary) int { return int(b.ID - a.ID) })
	if q.Before > 0 {
		p.Incidents = slices.DeleteFunc(p.Incidents, func(sum incidents.Summary) bool { return sum.ID >= q.Before })
	}
	if limit := min(cmp.Or(q.Limit, 50), 200); len(p.Incidents) > limit {
		p.Incidents, p.Next = p.Incidents[:limit], p.Incidents[limit-1].ID
	}
	return p, nil
}

func (m *memory) Events(_ context.Context, id incidents.ID, after int64, limit int) ([]incidents.Event, error) {
	rest := m.log[id][min(int(after), len(m.log[id])):]
	return rest[:min(limit, len(rest))], nil
}

func (m *memory) Happened(_ context.Context, _ incidents.ID, once string) (bool, error) {
	return once != "" && m.once[once], nil
}

func (m *memory) Again(_ context.Context, _ incidents.ID, kind incidents.EffectKind) error {
	m.asks = append(m.asks, kind)
	return nil
}

// house is a router over all commands.
type house struct {
	*memory
	t      *testing.T
	deps   Deps
	router *bot.Router
}

const runbook = `
id: restart-web
title: {en: Restart the web server, ja: ウェブサーバーを再起動する}
risk: low
fits: ['alertname="HighErrorRate"']
params:
  instance: {type: string, match: '[a-z0-9][a-z0-9-]{0,60}', from: label.instance}
check:
  - {id: up, title: {en: It answers, ja: 応答する}, http: {method: GET, url: "http://127.0.0.1:1/healthz", expect: {status: 200}}}
recover:
  - {id: restart, title: {en: Restart, ja: 再起動}, command: {argv: [systemctl, restart, "web@{instance}"]}}
verify:
  stable: 5s
  within: 5m
  steps:
    - {id: health, title: {en: It answers, ja: 応答する}, http: {method: GET, url: "http://127.0.0.1:1/healthz", expect: {status: 200}}}
escalate: {en: Call the web team, ja: 担当に連絡}
`

// library has one runbook under one id.
type library struct{ rb *runbooks.Runbook }

func (l library) Get(id string) *runbooks.Runbook {
	if l.rb != nil && l.rb.ID == id {
		return l.rb
	}
	return nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	m := &memory{all: map[incidents.ID]*incidents.Incident{}, log: map[incidents.ID][]incidents.Event{}, once: map[string]bool{}, now: someDay}
	h := &house{memory: m, t: t}
	h.deps = Deps{Incidents: m, Again: m, Wishes: m, Library: library{}, Freezer: m, Links: bot.Links{Base: "https://h.example.com"}, Now: func() time.Time { return m.now }}
	h.route(t)
	return h
}

// route makes the router anew, after h.deps was changed.
func (h *house) route(t *testing.T) {
	t.Helper()
	var err error
	h.router, err = bot.NewRouter(bot.RouterOptions{Commands: All(h.deps), Rights: bot.Open{}, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
}

func plan(id string, argv ...string) incidents.Plan {
	return incidents.Plan{
		Runbook: id, RunbookDigest: "d", Title: incidents.Text{EN: "Do " + id, JA: id + " を行う"}, Risk: incidents.RiskLow, Incident: 42,
		Recover: []incidents.Step{{ID: "go", Kind: "command", Argv: argv}},
		Verify:  incidents.Verify{Stable: time.Second, Within: time.Minute},
	}.Seal()
}

func suggested(rank int, p incidents.Plan) incidents.Suggestion {
	return incidents.Suggestion{Rank: rank, Action: p.Runbook, Title: p.Title, Plan: p, Evidence: incidents.Evidence{
		Terms: []incidents.Term{{Because: incidents.Because("because.not_repeated"), Weight: 0.42}},
	}}
}

// withIncident has INC-42 with two suggestions.
func withIncident(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "HighErrorRate", "service": "web"}), StartsAt: someDay}
	h.move(incidents.Open{ID: 42, Source: "am", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()},
		Grouping: incidents.Grouping{Because: incidents.Because("because.service_and_name", "service", "web", "name", "HighErrorRate")}})
	h.move(incidents.Ranked{Suggestions: []incidents.Suggestion{suggested(1, plan("restart-web", "restart")), suggested(2, plan("flush-cache", "flush"))}})
	return h
}

func (h *house) move(cmd incidents.Command) {
	h.t.Helper()
	if _, err := h.Do(h.t.Context(), 42, "", cmd); err != nil {
		h.t.Fatal(err)
	}
}

// say types a line in INC-42's room.
func (h *house) say(who incidents.Actor, line string) (bot.Reply, error) {
	return h.router.Handle(h.t.Context(), bot.Request{Person: who, Chat: "console", Incident: 42, Line: line, Lang: "en"})
}

// must is say, for what must not be refused; it returns the answer's text.
func (h *house) must(who incidents.Actor, line string) *bot.Message {
	h.t.Helper()
	reply, err := h.say(who, line)
	if err != nil {
		h.t.Fatalf("%q: %v", line, err)
	}
	if reply.Message == nil || !reply.Private {
		h.t.Fatalf("%q: the answer is %+v", line, reply)
	}
	return reply.Message
}

func (h *house) refused(who incidents.Actor, line string, code incidents.Code) {
	h.t.Helper()
	if _, err := h.say(who, line); err == nil || incidents.CodeOf(err) != code {
		h.t.Errorf("%q: %v, want %s", line, err, code)
	}
}
