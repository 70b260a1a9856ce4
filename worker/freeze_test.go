package worker_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/worker"
)

var ada = incidents.Actor{ID: "console:ada", Name: "ada"}

// TestAFreezeHoldsEverywhere: what one replica freezes another refuses at once,
// whether it is to be approved or was already; a restart changes nothing, and
// lifting it lets people approve again.
func TestAFreezeHoldsEverywhere(t *testing.T) {
	server := testenv.Redis(t)
	world := &ports{}
	one, two := startReplica(t, server.URL, "one", world), startReplica(t, server.URL, "two", world)
	one.send(t, alertAt("shop", time.Now().UTC().Add(-time.Second)))
	s := one.until(t, 1, "suggestions", suggested)
	approve := incidents.Approve{By: ada, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest}

	freezer := worker.NewFreezer(one.store, time.Now)
	_, err := freezer.Freeze(t.Context(), "wish", incidents.Freeze{By: ada, Until: time.Now().Add(time.Hour), Text: "moving the racks"})
	ok(t, err)
	_, err = two.engine.Do(t.Context(), 1, "", approve)
	refused, is := errors.AsType[*incidents.Error](err)
	if !is || refused.Code != incidents.Conflict || refused.Phrase != "error.frozen_until_why" || refused.Args["by"] != "ada" || refused.Args["why"] != "moving the racks" {
		t.Fatalf("frozen, and yet: %v", err)
	}

	// An approval that slipped through (an engine that asks elsewhere) starts nothing.
	careless := worker.NewEngine(worker.EngineOptions{Store: two.store, Shards: two.store.Shards(), Policy: incidents.Policy{}, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(openFlaky(t, 1), time.Now)}})
	_, err = careless.Do(t.Context(), 1, "", approve)
	ok(t, err)
	s = two.until(t, 1, "the run to be refused", func(s *incidents.Incident) bool {
		return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunFailed
	})
	if got := s.Runs[0].Because.Phrase; got != "because.frozen_until_why" || !s.Runs[0].StartedAt.IsZero() {
		t.Errorf("refused because of %q, started at %v", got, s.Runs[0].StartedAt)
	}

	restarted, err := redis.Open(t.Context(), redis.Config{URL: server.URL})
	ok(t, err)
	defer restarted.Close()
	holding, err := worker.NewFreezer(restarted, time.Now).Holding(t.Context())
	ok(t, err)
	if holding == nil || holding.By != ada {
		t.Fatalf("after a restart: %+v", holding)
	}
	_, err = worker.NewFreezer(restarted, time.Now).Thaw(t.Context(), "thaw", ada)
	ok(t, err)
	_, err = one.engine.Do(t.Context(), 1, "", approve)
	ok(t, err)
	one.until(t, 1, "the second run", func(s *incidents.Incident) bool { return len(s.Runs) == 2 && !s.Runs[1].EndedAt.IsZero() })
	world.mu.Lock()
	defer world.mu.Unlock()
	if len(world.runs) != 1 || world.runs[0] != "INC-1/2" {
		t.Errorf("ran %v", world.runs)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAFreezeEndsByItself, and two people who freeze do not shorten each other's.
func TestAFreezeEndsByItself(t *testing.T) {
	f := openFlaky(t, 1)
	now := time.Date(2026, 2, 3, 14, 0, 0, 0, time.UTC)
	freezer := worker.NewFreezer(f, func() time.Time { return now })
	freeze := func(once string, lasting time.Duration, who string) incidents.Freeze {
		t.Helper()
		fr := incidents.Freeze{By: incidents.Actor{ID: who, Name: who}}
		if lasting > 0 {
			fr.Until = now.Add(lasting)
		}
		got, err := freezer.Freeze(t.Context(), once, fr)
		ok(t, err)
		return got
	}
	holds := func(want string) {
		t.Helper()
		h, err := freezer.Holding(t.Context())
		ok(t, err)
		if got := by(h); got != want {
			t.Fatalf("at %v it is frozen by %q, want %q", now, got, want)
		}
	}
	holds("")
	freeze("1", time.Hour, "ada")
	if got := freeze("2", time.Minute, "bea"); got.By.Name != "ada" {
		t.Errorf("a shorter freeze took the place of a longer one: %+v", got)
	}
	now = now.Add(time.Hour - time.Nanosecond)
	holds("ada")
	freeze("3", time.Hour, "bea")
	holds("bea")
	now = now.Add(time.Hour)
	holds("")
	freeze("4", 0, "cho")
	now = now.Add(1000 * time.Hour)
	holds("cho")
	_, err := freezer.Thaw(t.Context(), "5", ada)
	ok(t, err)
	holds("")
	freeze("6", 0, "ada")
	if _, err = freezer.Thaw(t.Context(), "5", ada); err != nil { // the chat repeats it
		t.Fatal(err)
	}
	holds("ada")
}

func by(f *incidents.Freeze) string {
	if f == nil {
		return ""
	}
	return f.By.Name
}

// unsure cannot say whether it is frozen: never, or from the given question on.
type unsure struct {
	worker.Settings
	from, asked atomic.Int64
}

func (u *unsure) Setting(ctx context.Context, name string) (incidents.Document, error) {
	if n := u.asked.Add(1); n >= u.from.Load() {
		return incidents.Document{}, incidents.Fail(incidents.Unavailable, "error.store_away", "the store is away")
	}
	return u.Settings.Setting(ctx, name)
}

// TestNothingStartsUnsure: while nobody can say whether remediation is frozen,
// nothing is approved, and a run that was claimed meanwhile ends before its first step.
func TestNothingStartsUnsure(t *testing.T) {
	f, p := openFlaky(t, 1), &ports{}
	u := &unsure{Settings: f}
	u.from.Store(1)
	engine := f.runBefore(t, p, worker.Before{Freeze: worker.NewFreezer(u, time.Now)}, func(o *worker.Options) { o.Gate = gateOf(u) })
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{alertAt("shop", time.Now().UTC())}}
	ok(t, f.Append(t.Context(), b))
	r := replicaOf(f, engine)
	s := r.until(t, "suggestions", suggested)
	approve := incidents.Approve{By: ada, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest}
	if _, err := engine.Do(t.Context(), 1, "", approve); incidents.CodeOf(err) != incidents.Unavailable {
		t.Fatalf("approved although nobody knew: %v", err)
	}
	u.asked.Store(0)
	u.from.Store(3) // the approval and the look before the claim are answered
	_, err := engine.Do(t.Context(), 1, "", approve)
	ok(t, err)
	s = r.until(t, "the run to end", func(s *incidents.Incident) bool { return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunFailed })
	if s.Runs[0].Because.Phrase != "because.freeze_unknown" {
		t.Errorf("it ended because of %+v", s.Runs[0].Because)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.runs) > 0 {
		t.Errorf("ran %s", strings.Join(p.runs, ", "))
	}
}

// lone is one replica over a flaky store.
type lone struct {
	f      *flaky
	engine *worker.Engine
}

func replicaOf(f *flaky, e *worker.Engine) lone { return lone{f, e} }

func (l lone) until(t *testing.T, what string, good func(*incidents.Incident) bool) *incidents.Incident {
	t.Helper()
	return l.f.await(t, what, good)
}
