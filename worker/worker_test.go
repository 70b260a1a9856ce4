package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
	"github.com/hikeshi-ops/hikeshi/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ports is the outside world of these tests: it does what a test tells it to,
// and remembers what was asked of it.
type ports struct {
	mu       sync.Mutex
	syncs    int
	runs     []string
	failSync func(try int) error
	onRun    func(ctx context.Context)
	well     bool
	fail     bool // the next runs
	through  bool // a run that is told to stop is through already
}

func (p *ports) Sync(_ context.Context, s *incidents.Incident, _ []incidents.Event) (incidents.Room, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.syncs++
	if p.failSync != nil {
		if err := p.failSync(p.syncs); err != nil {
			return incidents.Room{}, err
		}
	}
	return incidents.Room{ID: s.Slug(), Name: s.Slug(), LastSeq: s.Version}, nil
}

func (p *ports) Diagnose(_ context.Context, _ *incidents.Incident, sofar func(incidents.Diagnosed)) incidents.Diagnosed {
	sofar(incidents.Diagnosed{})
	return incidents.Diagnosed{Findings: []incidents.Finding{{Check: "shop/health", Value: "HTTP 503"}}}
}

func (p *ports) Rank(_ context.Context, s *incidents.Incident) ([]incidents.Suggestion, incidents.Reason, error) {
	plan := incidents.Plan{
		Runbook: "shop-restart", RunbookDigest: "d", Incident: s.ID, Risk: incidents.RiskLow,
		Recover: []incidents.Step{{ID: "restart", Kind: "command", Argv: []string{"true"}}},
		Verify:  incidents.Verify{Steps: []incidents.Step{{ID: "health"}}, Every: 10 * time.Millisecond, Stable: 20 * time.Millisecond, Within: time.Minute},
	}.Seal()
	return []incidents.Suggestion{{Rank: 1, Action: "shop-restart", Plan: plan}}, incidents.Reason{}, nil
}

func (p *ports) Run(ctx context.Context, plan incidents.Plan, execution string) (before, steps []incidents.StepResult) {
	p.mu.Lock()
	p.runs = append(p.runs, execution)
	hook := p.onRun
	p.mu.Unlock()
	if hook != nil {
		hook(ctx)
	}
	p.mu.Lock()
	p.well = true
	fail, cut := p.fail, ctx.Err() != nil && !p.through
	p.mu.Unlock()
	if cut {
		return nil, []incidents.StepResult{{Step: "restart", Error: "interrupted"}}
	}
	return []incidents.StepResult{{Step: "health", Value: "HTTP 503"}}, []incidents.StepResult{{Step: "restart", OK: !fail}}
}

func (p *ports) Look(context.Context, incidents.Plan, string) []incidents.StepResult {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []incidents.StepResult{{Step: "health", OK: p.well}}
}

// bench is a whole worker over a real store.
type bench struct {
	t      *testing.T
	store  *sqlite.Store
	engine *worker.Engine
	ports  *ports
	dir    string
	worker *worker.Worker
	stop   func()
}

func newBench(t *testing.T, p *ports) *bench {
	t.Helper()
	b := &bench{t: t, ports: p, dir: t.TempDir()}
	b.start("one")
	return b
}

// start opens the store and runs a worker named owner until stop.
func (b *bench) start(owner string) {
	b.t.Helper()
	store, err := sqlite.Open(b.t.Context(), sqlite.Config{Dir: b.dir})
	if err != nil {
		b.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	policy := incidents.Policy{Chats: []string{"console"}}
	b.store = store
	b.engine = worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: policy, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}})
	w := worker.New(worker.Options{
		Engine: b.engine, Store: store, Queue: store, Shards: store.Shards(), Policy: policy, Owner: owner, Gate: gateOf(store),
		Folder: worker.NewFolder(worker.FolderOptions{
			Log: store, Store: store, Shards: store.Shards(), Policy: policy, Now: time.Now, Logger: log,
			Rules: func() incidents.Rules { return nil },
		}),
		Now: time.Now, Logger: log, Drain: 50 * time.Millisecond,
		Ports: worker.Ports{Rooms: map[string]worker.Rooms{"console": b.ports}, Diagnose: b.ports, Rank: b.ports, Run: b.ports},
	})
	b.worker = w
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		if err := store.Close(); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(b.stop)
}

func alertAt(service string, start time.Time) incidents.Alert {
	return incidents.Alert{
		Labels:   incidents.LabelsFromMap(map[string]string{"alertname": "Down", "service": service, "severity": "critical"}),
		StartsAt: start,
	}
}

func (b *bench) send(alerts ...incidents.Alert) {
	b.t.Helper()
	batch := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: alerts}
	batch.Normalise()
	if err := b.store.Append(b.t.Context(), batch); err != nil {
		b.t.Fatal(err)
	}
}

// await watches an incident until good says so.
func (b *bench) await(id incidents.ID, what string, good func(*incidents.Incident) bool) *incidents.Incident {
	b.t.Helper()
	signals, cancel := b.store.Watch()
	defer cancel()
	deadline := time.After(time.Minute)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		s, err := b.store.Load(b.t.Context(), id)
		if err == nil && good(s) {
			return s
		}
		select {
		case <-signals:
		case <-look.C:
		case <-deadline:
			b.t.Fatalf("waited in vain for %s: %v, %+v", what, err, s)
		}
	}
}

func (b *bench) approve(s *incidents.Incident) {
	b.t.Helper()
	bea := incidents.Actor{ID: "console:bea", Name: "bea"}
	_, err := b.engine.Do(b.t.Context(), s.ID, "", incidents.Approve{By: bea, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest})
	if err != nil {
		b.t.Fatal(err)
	}
}

func suggested(s *incidents.Incident) bool { return len(s.Suggestions) > 0 && len(s.Rooms) > 0 }

// The whole way: an alert, a room, a diagnosis, a suggestion, an approval, a
// run, the end of the alert, the proof, the resolution.
func TestAlertToResolution(t *testing.T) {
	b := newBench(t, &ports{})
	start := time.Now().UTC().Add(-time.Minute)
	b.send(alertAt("shop", start))
	s := b.await(1, "suggestions and a room", suggested)
	if got := s.Rooms["console"].ID; got != "inc-0001-down-shop" {
		t.Errorf("room %q", got)
	}
	b.approve(s)
	b.await(1, "the verification", func(s *incidents.Incident) bool { return s.Status() == incidents.Verifying })
	over := alertAt("shop", start)
	over.Resolved, over.EndsAt = true, time.Now().UTC()
	b.send(over)
	s = b.await(1, "the resolution", func(s *incidents.Incident) bool { return s.Status() == incidents.Resolved })
	if r := s.Runs[0]; r.State != incidents.RunVerified || len(b.ports.runs) != 1 || b.ports.runs[0] != "INC-1/1" {
		t.Errorf("run %+v, executions %v", r, b.ports.runs)
	}
	facts, err := b.store.Facts(t.Context(), 0, 0, 10)
	facts = slices.DeleteFunc(facts, func(f incidents.Fact) bool { return f.Kind != incidents.FactOutcome })
	if err != nil || len(facts) != 1 || facts[0].Value != 1 || facts[0].Action != "shop-restart" {
		t.Errorf("facts %+v, %v", facts, err)
	}
}

// News that overtook each other: the end came first.
func TestEndBeforeBeginningOpensNothing(t *testing.T) {
	b := newBench(t, &ports{})
	start := time.Now().UTC().Add(-time.Minute)
	over := alertAt("shop", start)
	over.Resolved, over.EndsAt = true, start.Add(30*time.Second)
	b.send(over)
	for b.worker.Stats().Late == 0 { // folded in one step they are an incident that is over
		time.Sleep(time.Millisecond)
	}
	b.send(alertAt("shop", start))
	b.send(alertAt("other", start))
	s := b.await(1, "the other incident", suggested)
	if s.Service != "other" {
		t.Errorf("incident 1 is about %q", s.Service)
	}
	page, err := b.store.List(t.Context(), incidents.Query{})
	if err != nil || len(page.Incidents) != 1 {
		t.Errorf("incidents %+v, %v", page, err)
	}
}

// The beginning and the end of an alert may be folded in one step, as after an
// outage: the incident is opened, and knows that it is over.
func TestBeginningAndEndInOneStep(t *testing.T) {
	b := newBench(t, &ports{})
	start := time.Now().UTC().Add(-time.Minute)
	over := alertAt("shop", start)
	over.Resolved, over.EndsAt = true, start.Add(30*time.Second)
	b.send(alertAt("shop", start), over)
	back := alertAt("other", start)
	back.Resolved, back.EndsAt = true, start.Add(30*time.Second)
	b.send(back, alertAt("other", start))
	for id := range 2 {
		b.await(incidents.ID(id+1), "an incident that is over", func(s *incidents.Incident) bool {
			return s.Alerts.Len() == 1 && s.Alerts.Firing() == 0 && s.Status() == incidents.Monitoring
		})
	}
}

// A provider that fails, and once even panics, is tried again; one that says
// it is hopeless ends among the dead letters, and the card says so.
func TestRetriesAndDeadLetters(t *testing.T) {
	p := &ports{failSync: func(try int) error {
		switch try {
		case 1:
			return errors.New("connection reset")
		case 2:
			panic("nil map")
		}
		return nil
	}}
	b := newBench(t, p)
	b.send(alertAt("shop", time.Now().UTC()))
	b.await(1, "a room after two failures", suggested)

	p.mu.Lock()
	p.failSync = func(int) error {
		return incidents.Fail(incidents.Forbidden, "error.no_chat", "the bot was thrown out")
	}
	p.mu.Unlock()
	b.send(alertAt("other", time.Now().UTC()))
	s := b.await(2, "the failure on the card", func(s *incidents.Incident) bool { return s.Failed["2/room/console"] != "" })
	dead, err := b.store.DeadLetters(t.Context(), 10)
	dead = slices.DeleteFunc(dead, func(l incidents.DeadLetter) bool { return l.Effect.Incident != 2 }) // the first one's room may have been due once more
	if err != nil || len(dead) != 1 || dead[0].Effect.Key != "2/room/console" {
		t.Errorf("dead letters %+v, %v; %v", dead, err, s.Failed)
	}
	p.mu.Lock()
	p.failSync = nil
	p.mu.Unlock()
	if err := b.store.Redrive(t.Context(), dead[0].Effect.Key); err != nil {
		t.Fatal(err)
	}
	b.await(2, "the room after a redrive", func(s *incidents.Incident) bool { return len(s.Rooms) == 1 })
}

// A run whose process is stopped in its middle is never run again: it becomes
// unknown, and a person is asked.
func TestInterruptedRunBecomesUnknown(t *testing.T) {
	started := make(chan struct{})
	p := &ports{onRun: func(ctx context.Context) { close(started); <-ctx.Done() }}
	b := newBench(t, p)
	b.send(alertAt("shop", time.Now().UTC()))
	b.approve(b.await(1, "suggestions", suggested))
	<-started
	b.stop()
	p.onRun = nil
	b.start("two")
	s := b.await(1, "an unknown run", func(s *incidents.Incident) bool { return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunUnknown })
	if len(p.runs) != 1 || len(s.Escalated) != 1 {
		t.Errorf("executions %v, escalated %v", p.runs, s.Escalated)
	}
}

// What a run did is not forgotten because its process was told to stop once all its
// steps were through.
func TestARunThatWasThroughIsNotUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		fails bool
		want  incidents.RunState
	}{"passed": {false, incidents.RunVerifying}, "failed": {true, incidents.RunFailed}} {
		t.Run(name, func(t *testing.T) {
			started := make(chan struct{})
			p := &ports{through: true, fail: c.fails, onRun: func(ctx context.Context) { close(started); <-ctx.Done() }}
			b := newBench(t, p)
			b.send(alertAt("shop", time.Now().UTC()))
			b.approve(b.await(1, "suggestions", suggested))
			<-started
			b.stop()
			b.start("two")
			if s, err := b.store.Load(t.Context(), 1); err != nil || s.Runs[0].State != c.want || len(s.Runs[0].Steps) != 1 {
				t.Errorf("%v, the run is %s with %v", err, s.Runs[0].State, s.Runs[0].Steps)
			}
		})
	}
}

// Many people approve at once: one run.
func TestApproveRace(t *testing.T) {
	b := newBench(t, &ports{})
	b.send(alertAt("shop", time.Now().UTC()))
	s := b.await(1, "suggestions", suggested)
	var wg sync.WaitGroup
	won := make(chan string, 8)
	for i := range 8 {
		wg.Go(func() {
			who := incidents.Actor{ID: fmt.Sprintf("console:p%d", i), Name: "p"}
			if _, err := b.engine.Do(t.Context(), 1, "", incidents.Approve{By: who, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest}); err == nil {
				won <- who.ID
			} else if incidents.CodeOf(err) != incidents.Conflict {
				t.Errorf("loser got %v", err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d approvals won", len(won))
	}
	b.await(1, "the run", func(s *incidents.Incident) bool { return s.Runs[0].State == incidents.RunVerifying })
	if len(b.ports.runs) != 1 {
		t.Errorf("executions %v", b.ports.runs)
	}
}

var _ storage.Store = (*sqlite.Store)(nil)

// An alert with an expiry does not lapse right after a start: while the process
// was down nobody could repeat it.
func TestNoAlertLapsesRightAfterAStart(t *testing.T) {
	b := newBench(t, &ports{})
	a := alertAt("shop", time.Now().UTC().Add(-time.Minute))
	a.EndsAt = time.Now().UTC().Add(50 * time.Millisecond)
	b.send(a)
	b.await(1, "an incident", suggested)
	b.await(1, "the alert's timer to be put off", func(*incidents.Incident) bool {
		l, err := b.store.Backlog(t.Context())
		return err == nil && l.Lanes[incidents.LaneTimer].Oldest.After(time.Now().Add(time.Minute))
	})
	if s, err := b.store.Load(t.Context(), 1); err != nil || s.Alerts.Firing() != 1 {
		t.Errorf("%d alerts fire, %v", s.Alerts.Firing(), err)
	}
}
