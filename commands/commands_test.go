package commands

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
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

func (m *memory) Declare(ctx context.Context, once, title string, sev incidents.Severity, by incidents.Actor) (*incidents.Incident, error) {
	id := incidents.ID(41 + len(m.all))
	return m.Do(ctx, id, once, incidents.Declare{ID: id, Title: title, Severity: sev, By: by})
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
	return p, nil
}

func (m *memory) Events(_ context.Context, id incidents.ID, after int64, limit int) ([]incidents.Event, error) {
	rest := m.log[id][min(int(after), len(m.log[id])):]
	return rest[:min(limit, len(rest))], nil
}

func (m *memory) Again(_ context.Context, _ incidents.ID, kind incidents.EffectKind) error {
	m.asks = append(m.asks, kind)
	return nil
}

// house is a router over all commands.
type house struct {
	*memory
	t      *testing.T
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
	all := All(Deps{Incidents: m, Again: m, Library: library{}, Links: bot.Links{Base: "https://h.example.com"}, Now: func() time.Time { return m.now }})
	var err error
	h.router, err = bot.NewRouter(bot.RouterOptions{Commands: all, Rights: bot.Open{}, Incidents: m, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
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

func TestDeclare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, title string
		sev         incidents.Severity
	}{
		{"declare checkout is slow", "checkout is slow", incidents.Sev3},
		{"new SEV1 checkout is down", "checkout is down", incidents.Sev1},
		{"declare p2 \"checkout  is slow\"", "checkout is slow", incidents.Sev2},
		{"create critical path is slow", "critical path is slow", incidents.Sev3},
		{"declare 5 shops are down", "5 shops are down", incidents.Sev3},
		{"宣言 決済が遅い", "決済が遅い", incidents.Sev3},
	} {
		h := newHouse(t)
		reply, err := h.say(bea, c.line)
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		if s := reply.State; s.Title != c.title || s.Severity() != c.sev || len(reply.Message.Links) != 1 {
			t.Errorf("%q: %q, %s, links %v", c.line, s.Title, s.Severity(), reply.Message.Links)
		}
	}
	newHouse(t).refused(bea, "declare", incidents.Invalid)
	newHouse(t).refused(bea, "declare SEV1", incidents.Invalid)
}

func TestPeople(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(cho, "ack")
	for _, c := range []struct {
		line string
		want incidents.Actor
	}{
		{"lead", bea}, {"lead me", bea}, {"lead @cho", cho}, {"lead bea", bea}, {"lead @dan", incidents.Actor{ID: "console:dan", Name: "dan"}},
	} {
		h.must(bea, c.line)
		if got := h.all[42].Commander.By; got != c.want {
			t.Errorf("%q makes %v the commander, want %v", c.line, got, c.want)
		}
	}
	h.must(bea, "assign @cho")
	h.must(bea, "assign me")
	if got := h.all[42].Responders; len(got) != 2 || got[0].By != bea || got[1].By != cho {
		t.Errorf("responders %v", got)
	}
	h.refused(bea, "assign", incidents.Invalid)
}

func TestSimpleWords(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for _, c := range []struct {
		line string
		kind incidents.EventKind
		says string
	}{
		{"ack", incidents.EventAcked, "You have acknowledged INC-42."},
		{"sev 2", incidents.EventSeverity, "INC-42 is SEV2 now."},
		{`note it's  "odd"`, incidents.EventNoted, "Noted in INC-42."},
		{"close rolled back", incidents.EventResolved, "INC-42 is resolved."},
		{"reopen slow again", incidents.EventReopened, "INC-42 is open again."},
	} {
		h.now = h.now.Add(time.Second)
		if got := h.must(bea, c.line); got.Text != c.says {
			t.Errorf("%q says %q, want %q", c.line, got.Text, c.says)
		}
		log := h.log[42]
		if last := log[len(log)-1]; last.Kind != c.kind || last.By != bea {
			t.Errorf("%q made %s by %v, want %s", c.line, last.Kind, last.By, c.kind)
		}
	}
	var texts []string
	for _, e := range h.log[42] {
		if e.Text != "" {
			texts = append(texts, e.Text)
		}
	}
	if want := []string{`it's  "odd"`, "rolled back", "slow again"}; !slices.Equal(texts, want) {
		t.Errorf("texts %q, want %q", texts, want)
	}
	h.refused(bea, "severity", incidents.Invalid)
	h.refused(bea, "severity terrible", incidents.Invalid)
	h.refused(bea, "note", incidents.Invalid)
}

func TestRunAndApprove(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.refused(cho, "approve", incidents.NotFound) // nothing waits
	h.must(bea, "run flush-cache")
	h.must(bea, "run 2") // the same plan: one request
	if n := len(h.all[42].Approvals); n != 1 {
		t.Fatalf("%d requests, want 1", n)
	}
	h.must(cho, "approve")
	s := h.all[42]
	if len(s.Runs) != 1 || s.Runs[0].Plan.Digest != plan("flush-cache", "flush").Digest || s.Approvals[0].Decided.By != cho {
		t.Fatalf("runs %+v", s.Runs)
	}
	h.refused(cho, "approve 1", incidents.Conflict) // one at a time
}

func TestApproveNamesOnePlan(t *testing.T) {
	t.Parallel()
	restart := plan("restart-web", "restart").Digest
	for _, c := range []struct {
		line string
		code incidents.Code // "": a run of restart-web
	}{
		{"approve 1", ""},
		{"承認 1", ""},
		{"approve restart-web", ""},
		{"approve restart-web plan:" + restart[:16], ""},
		{"approve restart-web plan:" + restart, ""},
		{"approve restart-web plan:0123456789abcdef", incidents.Conflict},
		{"approve restart-web plan:" + restart[:4], incidents.Conflict}, // too short to say anything
		{"approve 3", incidents.NotFound},
		{"approve reboot-everything", incidents.NotFound},
		{"approve request:1", incidents.NotFound},
	} {
		h := withIncident(t)
		_, err := h.say(cho, c.line)
		runs := h.all[42].Runs
		switch {
		case c.code != "":
			if incidents.CodeOf(err) != c.code || len(runs) > 0 {
				t.Errorf("%q: %v and %d runs, want %s and none", c.line, err, len(runs), c.code)
			}
		case err != nil || len(runs) != 1 || runs[0].Plan.Digest != restart:
			t.Errorf("%q: %v, runs %v", c.line, err, runs)
		}
	}
}

// TestApproveAfterTheOrderChanged: who types a rank has read a list; while it
// has just changed, a bare rank is not taken.
func TestApproveAfterTheOrderChanged(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.now = h.now.Add(time.Minute)
	h.move(incidents.Ranked{Suggestions: []incidents.Suggestion{suggested(1, plan("flush-cache", "flush")), suggested(2, plan("restart-web", "restart"))}})
	h.now = h.now.Add(settle - time.Second)
	h.refused(cho, "approve 1", incidents.Conflict)
	h.refused(cho, "run 1", incidents.Conflict)
	if len(h.all[42].Approvals) > 0 {
		t.Fatal("something was asked for")
	}
	h.now = h.now.Add(time.Second)
	h.must(cho, "approve 1")
	if got := h.all[42].Runs[0].Plan.Runbook; got != "flush-cache" {
		t.Errorf("%s runs", got)
	}
}

// TestApproveOfWhatWaits: approving a suggestion that somebody asked for
// already decides that request, so that it cannot be approved once more.
func TestApproveOfWhatWaits(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(bea, "run 1")
	h.must(cho, "approve restart-web")
	if s := h.all[42]; len(s.Approvals) != 1 || s.Approvals[0].State != incidents.ApprovalGiven {
		t.Errorf("approvals %+v", s.Approvals)
	}
}

func TestDeny(t *testing.T) {
	t.Parallel()
	for line, reason := range map[string]string{"deny": "", "deny 1": "", "deny 1 not now": "not now", "reject not now": "not now", "deny request:1 no": "no"} {
		h := withIncident(t)
		h.must(bea, "run 1")
		h.must(cho, line)
		log := h.log[42]
		if e := log[len(log)-1]; e.Kind != incidents.EventDenied || e.Text != reason || len(h.all[42].Runs) > 0 {
			t.Errorf("%q: %s with %q", line, e.Kind, e.Text)
		}
	}
	h := withIncident(t)
	h.must(bea, "run 1")
	h.must(bea, "run 2")
	h.refused(cho, "deny", incidents.Invalid) // two wait
	h.refused(cho, "approve", incidents.Invalid)
	h.refused(cho, "deny 7", incidents.NotFound)
}

// TestRunOfARunbook: any runbook can be asked for by name, with its values
// validated; it needs an approval like any other.
func TestRunOfARunbook(t *testing.T) {
	t.Parallel()
	rb, problems := runbooks.Parse("restart-web.yaml", []byte(runbook), nil)
	if rb == nil {
		t.Fatal(problems)
	}
	h := withIncident(t)
	d := Deps{Incidents: h.memory, Again: h.memory, Library: library{rb}, Now: func() time.Time { return h.now }}
	s := h.all[42]
	p, err := d.plan(s, []string{"restart-web", "instance=web-2"})
	if err != nil || !slices.Equal(p.Recover[0].Argv, []string{"systemctl", "restart", "web@web-2"}) {
		t.Errorf("%v: %v", p.Recover, err)
	}
	for _, args := range [][]string{
		{"restart-web", "instance=-oProxyCommand=x"}, {"restart-web", "instance=a;b"}, {"restart-web", "other=1"}, {"restart-web", "instance"}, {"nothing"}, nil,
	} {
		if _, err := d.plan(s, args); err == nil || incidents.CodeOf(err) == incidents.Internal {
			t.Errorf("%q: %v, want a refusal", args, err)
		}
	}
}

func TestVote(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for _, c := range []struct {
		line  string
		value int
	}{{"vote 1 up", 1}, {"vote restart-web 👎 wrong cause", -1}, {"vote 1 +1", 1}, {"vote 1 none", 0}} {
		h.must(bea, c.line)
		if got := h.all[42].Votes["restart-web"][bea.ID]; got != c.value {
			t.Errorf("%q: %d, want %d", c.line, got, c.value)
		}
	}
	h.refused(bea, "vote", incidents.NotFound)
	h.refused(bea, "vote 1", incidents.Invalid)
	h.refused(bea, "vote 1 sideways", incidents.Invalid)
	h.refused(bea, "vote 9 up", incidents.NotFound)
}

func TestLooking(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(bea, "ack")
	for line, want := range map[string]string{
		"status": "HighErrorRate", "alerts": "{alertname=\"HighErrorRate\", service=\"web\"}", "timeline": "bea acknowledged",
		"timeline 1": "earlier lines are not shown", "suggest": "Do restart-web", "why": "same service (web)", "why 1": "+0.42",
		"postmortem": "# Postmortem of INC-42", "help": "approve [rank|action|request:N]", "help sev": "/inc sev 1", "list": "INC-42",
		"list all nothing": "None.", "diagnose": "run once more",
	} {
		if got := flat(h.must(bea, line)); !strings.Contains(got, want) {
			t.Errorf("%q does not show %q:\n%s", line, want, got)
		}
	}
	if want := []incidents.EffectKind{incidents.DoDiagnose, incidents.DoRank}; !sameSet(h.asks, want) {
		t.Errorf("asked for %v, want %v", h.asks, want)
	}
	h.refused(bea, "why 9", incidents.NotFound)
	h.refused(bea, "help dance", incidents.NotFound)
}

func sameSet(a, b []incidents.EffectKind) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// flat is everything that a message says.
func flat(m *bot.Message) string {
	parts := []string{m.Title, m.Text}
	for _, f := range m.Fields {
		parts = append(parts, f.Name, f.Value)
	}
	for _, c := range m.Checks {
		parts = append(parts, c.Name, c.Value)
	}
	for _, it := range m.Items {
		parts = append(parts, it.Title, it.Evidence)
	}
	for _, c := range m.Code {
		parts = append(parts, c.Text)
	}
	return strings.Join(parts, "\n")
}

// TestOnce: a chat that repeats an event does not do it twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for range 3 {
		_, err := h.router.Handle(t.Context(), bot.Request{Person: bea, Incident: 42, Line: "note again", Lang: "en", Once: "slack:Ev1"})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := h.all[42].Notes; n != 1 {
		t.Errorf("%d notes, want 1", n)
	}
}

// TestButtonsOfARoom presses every button that a room shows, as a chat would.
func TestButtonsOfARoom(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(bea, "run 2")
	h.must(bea, "deny") // so that pressing Approve finds a request of its own
	h.must(bea, "run 2")
	pressed := map[string]bool{}
	for _, m := range bot.Room(h.all[42], h.log[42], "en", h.now, bot.Links{}) {
		buttons := m.Buttons
		for _, it := range m.Items {
			buttons = append(buttons, it.Buttons...)
		}
		for _, b := range buttons {
			h := withIncident(t)
			h.must(bea, "run 2")
			h.must(bea, "deny")
			h.must(bea, "run 2")
			reply, err := h.router.Press(t.Context(), bot.Request{Person: cho, Chat: "console", Incident: 42, Lang: "en"}, b.ID)
			if err != nil {
				t.Errorf("%s (%s): %v", b.Label, b.ID, err)
			}
			if reply.Message != nil && b.Label != "Why?" {
				t.Errorf("%s answers %q, though the room shows it", b.Label, reply.Message.Text)
			}
			pressed[b.Label] = true
		}
	}
	for _, want := range []string{"Acknowledge", "Take command", "Resolve", "Approve & run", "Approve", "Deny", "👍", "👎", "Why?"} {
		if !pressed[want] {
			t.Errorf("no button %s was seen", want)
		}
	}
}

// TestInventory: every verb has a right, is explained in both languages, has an
// example that works the way it is written, and is refused to nobody, to the
// bot and to whoever has no right (S15).
func TestInventory(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	closed, err := bot.NewRouter(bot.RouterOptions{Commands: h.router.Commands(), Rights: refuseAll{}, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"declare", "list", "status", "ack", "severity", "assign", "lead", "note", "timeline", "alerts", "diagnose", "suggest", "why", "vote",
		"run", "approve", "deny", "resolve", "reopen", "postmortem", "help",
	}
	var got []string
	for _, c := range h.router.Commands() {
		got = append(got, c.Name)
		for _, lang := range phrases.Languages {
			if !phrases.Has(c.Help) || phrases.T(lang, c.Help) == c.Help {
				t.Errorf("%s is not explained in %s", c.Name, lang)
			}
		}
		if !strings.HasPrefix(c.Usage, c.Name) || len(c.Example) == 0 {
			t.Errorf("%s: usage %q, examples %q", c.Name, c.Usage, c.Example)
		}
		for _, line := range append(c.Example, c.Aliases...) {
			for who, r := range map[string]*bot.Router{"nobody": h.router, "somebody without a right": closed} {
				q := bot.Request{Incident: 42, Line: line, Lang: "en"}
				if who != "nobody" {
					q.Person = bea
				}
				_, err := r.Handle(t.Context(), q)
				if code := incidents.CodeOf(err); code != incidents.Unauthenticated && code != incidents.Forbidden {
					t.Errorf("%q by %s: %v, want a refusal of the person", line, who, err)
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the verbs are %v, want %v", got, want)
	}
	if n := len(h.log[42]); n != 2 {
		t.Errorf("refused commands wrote %d events", n-2)
	}
}

type refuseAll struct{}

func (refuseAll) May(incidents.Actor, bot.Right, string) error {
	return incidents.Fail(incidents.Forbidden, "error.right", "no", "right", "any")
}
