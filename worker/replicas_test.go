package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// replica is one process of several over one Redis; they share the outside world.
type replica struct {
	store  *redis.Store
	engine *worker.Engine
}

func startReplica(t *testing.T, url, owner string, world *ports) replica {
	t.Helper()
	store, err := redis.Open(t.Context(), redis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	policy := incidents.Policy{Chats: []string{"console"}}
	engine := worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: policy, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}})
	w := worker.New(worker.Options{
		Engine: engine, Store: store, Queue: store, Shards: store.Shards(), Policy: policy, Owner: owner, Gate: gateOf(store),
		Folder: worker.NewFolder(worker.FolderOptions{
			Log: store, Store: store, Shards: store.Shards(), Policy: policy, Now: time.Now, Logger: log,
			Rules: func() incidents.Rules { return nil },
		}),
		Now: time.Now, Logger: log, Drain: time.Second,
		Ports: worker.Ports{Rooms: map[string]worker.Rooms{"console": world}, Diagnose: world, Rank: world, Run: world, Trust: ladderOf(store, nil)},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return replica{store, engine}
}

func (r replica) send(t *testing.T, a incidents.Alert) {
	t.Helper()
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{a}}
	b.Normalise()
	if err := r.store.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// until looks at an incident until good says so.
func (r replica) until(t *testing.T, id incidents.ID, what string, good func(*incidents.Incident) bool) *incidents.Incident {
	t.Helper()
	deadline := time.Now().Add(45 * time.Second)
	for {
		s, err := r.store.Load(t.Context(), id)
		if err == nil && good(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s of %s: %v, %+v", what, id, err, s)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestTwoReplicas lets two processes fold, carry out and hear people at the same
// time. Each keeps incidents in memory that the other changes; all the same every
// wish happens once, of two who approve one wins, a plan runs once, the log alone
// leads to the state, and the room is told of the last thing that happened.
func TestTwoReplicas(t *testing.T) {
	server := testenv.Redis(t)
	world := &ports{}
	two := []replica{startReplica(t, server.URL, "one", world), startReplica(t, server.URL, "two", world)}
	const services, notes = 6, 5
	start := time.Now().UTC().Add(-time.Second)
	for i := range services {
		two[i%2].send(t, alertAt(fmt.Sprintf("shop%d", i), start))
	}
	var all sync.WaitGroup
	for i := range services {
		id := incidents.ID(i + 1)
		s := two[0].until(t, id, "suggestions", suggested)
		won := make(chan string, 2)
		for n, r := range two {
			who := incidents.Actor{ID: fmt.Sprintf("console:p%d", n), Name: "p"}
			all.Go(func() {
				for k := range notes {
					text := fmt.Sprintf("%d.%d.%d", id, n, k)
					for range 2 { // the chat repeats it
						if _, err := r.engine.Do(t.Context(), id, text, incidents.Note{By: who, Text: text}); err != nil {
							t.Errorf("note %s: %v", text, err)
						}
					}
				}
			})
			all.Go(func() {
				_, err := r.engine.Do(t.Context(), id, "", incidents.Approve{By: who, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest})
				if err == nil {
					won <- who.ID
				} else if incidents.CodeOf(err) != incidents.Conflict {
					t.Errorf("the loser got %v", err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Errorf("%s: %d approvals won", id, len(won))
		}
	}
	for i := range services {
		over := alertAt(fmt.Sprintf("shop%d", i), start)
		over.Resolved, over.EndsAt = true, time.Now().UTC()
		two[(i+1)%2].send(t, over)
	}
	for i := range services {
		id := incidents.ID(i + 1)
		two[1].until(t, id, "the end", func(s *incidents.Incident) bool {
			return s.Status() == incidents.Resolved && len(s.Runs) == 1 && s.Runs[0].State == incidents.RunVerified
		})
		two[1].until(t, id, "the room to be up to date", func(s *incidents.Incident) bool {
			return s.Rooms["console"].LastSeq >= lastTold(t, two[1], id)
		})
		checkLog(t, two[0], id, notes*len(two))
	}
	world.mu.Lock()
	defer world.mu.Unlock()
	ran := map[string]int{}
	for _, execution := range world.runs {
		if ran[execution]++; ran[execution] > 1 {
			t.Errorf("%s ran %d times", execution, ran[execution])
		}
	}
	if len(ran) != services {
		t.Errorf("%d plans ran, want %d", len(ran), services)
	}
}

// lastTold is the number of the last event that a room has to be told of.
func lastTold(t *testing.T, r replica, id incidents.ID) int64 {
	t.Helper()
	events, err := r.store.Events(t.Context(), id, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(events) - 1; i >= 0; i-- {
		switch events[i].Kind {
		case incidents.EventRoomOpened, incidents.EventRoomSynced, incidents.EventSeen, incidents.EventLooked:
		default:
			return events[i].Seq
		}
	}
	return 0
}

func checkLog(t *testing.T, r replica, id incidents.ID, notes int) {
	t.Helper()
	events, err := r.store.Events(t.Context(), id, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	seen, again := map[string]int{}, &incidents.Incident{}
	for i := range events {
		if events[i].Seq != int64(i)+1 {
			t.Fatalf("%s: event %d at %d", id, events[i].Seq, i)
		}
		if events[i].Kind == incidents.EventNoted {
			seen[events[i].Text]++
		}
		incidents.Apply(again, &events[i])
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%s: note %s is there %d times", id, text, n)
		}
	}
	if len(seen) != notes {
		t.Errorf("%s: %d notes, want %d", id, len(seen), notes)
	}
	s, err := r.store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := jsonOf(t, s), jsonOf(t, again); s.Version == again.Version && got != want {
		t.Errorf("%s is\n%s\nbut its log leads to\n%s", id, got, want)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
