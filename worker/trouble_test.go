package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// flaky is a real store that fails when a test says so.
type flaky struct {
	*sqlite.Store
	mu     sync.Mutex
	newIDs error                         // given once
	commit func(*incidents.Commit) error // asked before each commit
	deaf   bool                          // no signal is ever heard
}

func openFlaky(t *testing.T, shards int) *flaky {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir(), Shards: shards})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &flaky{Store: s}
}

func (f *flaky) NewIDs(ctx context.Context, shard, n int) (incidents.ID, error) {
	f.mu.Lock()
	err := f.newIDs
	f.newIDs = nil
	f.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return f.Store.NewIDs(ctx, shard, n)
}

func (f *flaky) Commit(ctx context.Context, c *incidents.Commit) error {
	if f.commit != nil {
		if err := f.commit(c); err != nil {
			return err
		}
	}
	return f.Store.Commit(ctx, c)
}

func (f *flaky) Watch() (<-chan incidents.Signal, func()) {
	if f.deaf {
		return make(chan incidents.Signal), func() {}
	}
	return f.Store.Watch()
}

var (
	silent  = slog.New(slog.DiscardHandler)
	console = incidents.Policy{Chats: []string{"console"}}
	bea     = incidents.Actor{ID: "console:bea", Name: "bea"}
)

func newFolder(f *flaky) *worker.Folder {
	return worker.NewFolder(worker.FolderOptions{
		Log: f, Store: f, Shards: f.Shards(), Policy: console, Now: time.Now, Logger: silent,
		Rules: func() incidents.Rules { return nil },
	})
}

func (f *flaky) push(t *testing.T, key string, truncated int, alerts ...incidents.Alert) {
	t.Helper()
	b := &incidents.Batch{Source: "test", GroupKey: key, Truncated: truncated, ReceivedAt: time.Now().UTC(), Alerts: alerts}
	b.Normalise()
	if err := f.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func step(t *testing.T, folder *worker.Folder) error {
	t.Helper()
	_, err := folder.Step(t.Context(), 0)
	return err
}

// An alert that fires and ends before it is folded at all is over.
func TestFiredAndEndedBeforeItIsFolded(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	start := time.Now().UTC().Add(-time.Minute)
	over := alertAt("shop", start)
	over.Resolved, over.EndsAt = true, start.Add(30*time.Second)
	f.push(t, "", 7, alertAt("shop", start))
	f.push(t, "", 0, over)
	if err := step(t, newFolder(f)); err != nil {
		t.Fatal(err)
	}
	s, err := f.Load(t.Context(), 1)
	if err != nil || s.Alerts.Firing() != 0 || s.Status() != incidents.Monitoring {
		t.Errorf("%v, %d alerts fire, the status is %s", err, s.Alerts.Firing(), s.Status())
	}
	if s.Truncated != 7 {
		t.Errorf("%d alerts were left out by the sender, want 7", s.Truncated)
	}
}

// A step that failed half-way leaves nothing behind in memory: what it decided
// about an incident did not happen.
func TestNothingUncommittedIsBelieved(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	folder := newFolder(f)
	start := time.Now().UTC().Add(-time.Minute)
	f.push(t, "g", 0, alertAt("shop", start))
	if err := step(t, folder); err != nil {
		t.Fatal(err)
	}
	second := alertAt("second", start)
	f.push(t, "g", 0, second)
	f.push(t, "other", 0, alertAt("other", start))
	f.newIDs = errors.New("i/o timeout")
	if err := step(t, folder); err == nil {
		t.Fatal("the step did not fail")
	}
	// Meanwhile somebody else moves incident 1 to the version that the step had
	// decided, so that versions alone do not tell.
	engine := worker.NewEngine(worker.EngineOptions{Store: f.Store, Shards: 1, Policy: console, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(f.Store, time.Now)}})
	if _, err := engine.Do(t.Context(), 1, "", incidents.Note{By: bea, Text: "looking"}); err != nil {
		t.Fatal(err)
	}
	if err := step(t, folder); err != nil {
		t.Fatal(err)
	}
	s, err := f.Load(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, has := s.Alerts.Get(second.Fingerprint()); !has {
		t.Error("an acknowledged alert is in no incident")
	}
}

// A store that manages one shard's part before it is too slow again must not have
// the folder begin anew each time: it would never come to the end.
func TestAStepThatFailsGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	const shards, alerts = 16, 200
	f := openFlaky(t, shards)
	start := time.Now().UTC().Add(-time.Minute)
	for i := range alerts {
		f.push(t, strconv.Itoa(i), 0, alertAt("shop-"+strconv.Itoa(i), start))
	}
	left := 0
	f.commit = func(*incidents.Commit) error {
		if left--; left < 0 {
			return context.DeadlineExceeded
		}
		return nil
	}
	folder := newFolder(f)
	for try := 0; ; try++ {
		left = 1
		if err := step(t, folder); err == nil {
			break
		}
		if try > shards {
			t.Fatalf("no end after %d tries", try)
		}
	}
	if n := folder.Alerts.Load(); n != alerts {
		t.Errorf("%d alerts were folded, want %d", n, alerts)
	}
}

// One wish, repeated by its chat, declares one incident on however many shards.
func TestDeclaredOnce(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 16)
	engine := worker.NewEngine(worker.EngineOptions{Store: f, Shards: 16, Policy: console, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(f, time.Now)}})
	declared := 0
	for range 8 {
		if _, err := engine.Declare(t.Context(), "wish", incidents.Declare{Title: "checkout is slow", Severity: incidents.Sev2, By: bea}); err == nil {
			declared++
		}
	}
	if declared != 1 {
		t.Errorf("declared %d times", declared)
	}
}

// run starts a worker over f; change may alter its options.
func (f *flaky) run(t *testing.T, p *ports, change func(*worker.Options)) *worker.Engine {
	t.Helper()
	return f.runBefore(t, p, worker.Before{Freeze: worker.NewFreezer(f, time.Now)}, change)
}

// runBefore is run with what is asked before an approval.
func (f *flaky) runBefore(t *testing.T, p *ports, before worker.Before, change func(*worker.Options)) *worker.Engine {
	t.Helper()
	engine := worker.NewEngine(worker.EngineOptions{Store: f, Shards: f.Shards(), Policy: console, Now: time.Now, Before: before})
	o := worker.Options{
		Engine: engine, Folder: newFolder(f), Store: f, Queue: f, Shards: f.Shards(), Policy: console, Owner: "one", Gate: gateOf(f),
		Now: time.Now, Logger: silent, Drain: 50 * time.Millisecond, Poll: 50 * time.Millisecond,
		Ports: worker.Ports{Rooms: map[string]worker.Rooms{"console": p}, Diagnose: p, Rank: p, Run: p},
	}
	change(&o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	w := worker.New(o)
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return engine
}

// await watches incident 1 until good says so.
func (f *flaky) await(t *testing.T, what string, good func(*incidents.Incident) bool) *incidents.Incident {
	t.Helper()
	deadline := time.After(time.Minute)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		if s, err := f.Load(t.Context(), 1); err == nil && good(s) {
			return s
		}
		select {
		case <-look.C:
		case <-deadline:
			s, err := f.Load(t.Context(), 1)
			t.Fatalf("waited in vain for %s: %v, %+v", what, err, s)
		}
	}
}

// A signal only saves waiting: without any, whatever else is due later, all is
// carried out.
func TestDeafToSignals(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	f.deaf = true
	later := incidents.Effect{Key: "1/timer/close", Kind: incidents.DoTimer, Incident: 1, Lane: incidents.LaneTimer, Arg: "close", Due: time.Now().Add(time.Hour), Urgency: 3}
	if err := f.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{later}}); err != nil {
		t.Fatal(err)
	}
	engine := f.run(t, &ports{}, func(*worker.Options) {})
	if _, err := engine.Declare(t.Context(), "", incidents.Declare{Title: "checkout is slow", Severity: incidents.Sev2, By: bea}); err != nil {
		t.Fatal(err)
	}
	f.await(t, "the room", suggested)
	soon := later
	soon.Key, soon.Arg, soon.Due = "1/timer/quiet", "quiet", time.Now()
	if err := f.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{soon}}); err != nil {
		t.Fatal(err)
	}
	f.await(t, "the due timer to be carried out", func(*incidents.Incident) bool {
		b, err := f.Backlog(t.Context())
		return err == nil && b.Lanes[incidents.LaneTimer].Waiting == 1
	})
}

// stuck is a world whose verification never answers by itself.
type stuck struct {
	*ports
	looks atomic.Int32
}

func (p *stuck) Look(ctx context.Context, _ incidents.Plan, _ string) []incidents.StepResult {
	p.looks.Add(1)
	select {
	case <-ctx.Done():
	case <-time.After(300 * time.Millisecond): // its own limit, longer than the worker's for other effects
	}
	return []incidents.StepResult{{Step: "health", Error: "timeout"}}
}

func (p *stuck) Rank(ctx context.Context, s *incidents.Incident) ([]incidents.Suggestion, incidents.Reason, error) {
	list, none, err := p.ports.Rank(ctx, s)
	list[0].Plan.Verify.Within = 3 * time.Second
	list[0].Plan = list[0].Plan.Seal()
	return list, none, err
}

// A verification that is slower than other effects may be is told all the same.
func TestSlowVerificationIsTold(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	p := &stuck{ports: &ports{}}
	engine := f.run(t, p.ports, func(o *worker.Options) {
		o.Timeout, o.Ports.Run, o.Ports.Rank = 100*time.Millisecond, p, p
	})
	f.push(t, "", 0, alertAt("shop", time.Now().UTC()))
	s := f.await(t, "suggestions", suggested)
	if _, err := engine.Do(t.Context(), 1, "", incidents.Approve{By: bea, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest}); err != nil {
		t.Fatal(err)
	}
	f.await(t, "the verdict", func(s *incidents.Incident) bool {
		return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunNotVerified && s.Runs[0].Looks > 0
	})
}

// A store that is away just when a run ends does not make its outcome unknown.
func TestOutcomeOutlivesAnAbsentStore(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	var refused atomic.Int32
	f.commit = func(c *incidents.Commit) error {
		if c.Done != nil && c.Done.Effect.Kind == incidents.DoRun && refused.Add(1) <= 2 {
			return incidents.Fail(incidents.Unavailable, "error.store_away", "the store is not available")
		}
		return nil
	}
	p := &ports{}
	engine := f.run(t, p, func(*worker.Options) {})
	f.push(t, "", 0, alertAt("shop", time.Now().UTC()))
	s := f.await(t, "suggestions", suggested)
	if _, err := engine.Do(t.Context(), 1, "", incidents.Approve{By: bea, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest}); err != nil {
		t.Fatal(err)
	}
	s = f.await(t, "the outcome", func(s *incidents.Incident) bool {
		return len(s.Runs) == 1 && s.Runs[0].State != incidents.RunApproved && s.Runs[0].State != incidents.RunRunning
	})
	if s.Runs[0].State != incidents.RunVerifying || len(p.runs) != 1 {
		t.Errorf("the run is %s after %d executions", s.Runs[0].State, len(p.runs))
	}
}

// TestARepeatedWishIsAnsweredAlike: what a wish led to is no reason to refuse it
// when it is repeated; another wish is refused as ever.
func TestARepeatedWishIsAnsweredAlike(t *testing.T) {
	b := newBench(t, &ports{onRun: func(ctx context.Context) { <-ctx.Done() }})
	b.send(alertAt("shop", time.Now().UTC().Add(-time.Minute)))
	s := b.await(1, "suggestions and a room", suggested)
	approve := incidents.Approve{By: incidents.Actor{ID: "console:bea"}, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest}
	if happened, err := b.engine.Happened(t.Context(), 1, "k1"); happened || err != nil {
		t.Fatalf("before: %v, %v", happened, err)
	}
	for try := range 3 {
		s, err := b.engine.Do(t.Context(), 1, "k1", approve)
		if err != nil || len(s.Runs) != 1 {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	if happened, err := b.engine.Happened(t.Context(), 1, "k1"); !happened || err != nil {
		t.Errorf("after: %v, %v", happened, err)
	}
	if _, err := b.engine.Do(t.Context(), 1, "k2", approve); incidents.CodeOf(err) != incidents.Conflict {
		t.Errorf("another wish: %v, want a conflict", err)
	}
	if happened, err := b.engine.Happened(t.Context(), 1, "k2"); happened || err != nil {
		t.Errorf("a refused wish happened: %v, %v", happened, err)
	}
}

// The log's mark may be moved after what was decided is being carried out: until
// then a step is not at its end, and a process that dies first folds it again.
func TestTheMarkComesAfterThePart(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 2)
	folder := newFolder(f)
	mark := func() int64 {
		at, err := f.Mark(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	elsewhere := ""
	for i := 0; elsewhere == ""; i++ {
		key := fmt.Sprint("group", i)
		f.push(t, key, 1, alertAt(key, time.Now().Add(-time.Minute)))
		before := mark()
		if err := step(t, folder); err != nil {
			t.Fatal(err)
		}
		s, err := f.Load(t.Context(), incidents.ID(i+1))
		if err != nil {
			t.Fatal(err)
		}
		if s.Shard == 1 {
			elsewhere = key
			if mark() != before {
				t.Error("the mark has moved before anybody could claim what follows")
			}
		} else if mark() == before {
			t.Error("the mark did not move with the part of its own shard")
		}
	}
	before := mark()
	again := newFolder(f) // as after kill -9
	if err := step(t, again); err != nil || again.Opened.Load() != 0 {
		t.Errorf("folded again: %v, %d incidents opened, want 0", err, again.Opened.Load())
	}
	if err := again.Finish(t.Context(), 0); err != nil || mark() != before+1 {
		t.Errorf("finished: %v, the mark is %d, want %d", err, mark(), before+1)
	}
	f.push(t, elsewhere, 0, alertAt("second", time.Now().Add(-time.Minute)))
	for range 2 { // the second one finishes the first
		if err := step(t, again); err != nil {
			t.Fatal(err)
		}
	}
	if mark() != before+2 {
		t.Errorf("the mark is %d, want %d", mark(), before+2)
	}
}
