package worker_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// oneWins is a request that one must approve: the first does, and whoever comes after
// hears who it was.
var oneWins = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		if state == "" {
			return output == "", input
		}
		return output == state, state
	},
}

// TestOneRunEach: four people approve each of many runs at once, two on each of two
// replicas over one Redis. One of them wins, the others hear who, and each plan runs
// exactly once. HIKESHI_RUNS says how many; docs/reliability.md has the figure for 200.
func TestOneRunEach(t *testing.T) {
	runs := 20
	if n, err := strconv.Atoi(os.Getenv("HIKESHI_RUNS")); err == nil {
		runs = n
	}
	server := testenv.Redis(t)
	world := &ports{}
	two := []replica{startReplica(t, server.URL, "one", world), startReplica(t, server.URL, "two", world)}
	for i := range runs {
		two[i%2].send(t, alertAt(fmt.Sprintf("shop%d", i), time.Now().UTC().Add(-time.Second)))
	}
	for i := range runs {
		id := incidents.ID(i + 1)
		plan := two[0].until(t, id, "suggestions", suggested).Suggestions[0].Plan
		if _, err := two[0].engine.Do(t.Context(), id, "", incidents.Request{By: ada, Plan: plan}); err != nil {
			t.Fatal(err)
		}
		history, began, start := make([]porcupine.Operation, 4), time.Now(), make(chan struct{})
		var all sync.WaitGroup
		for n := range history {
			all.Go(func() {
				who := incidents.Actor{ID: fmt.Sprintf("person:p%d", n), Name: fmt.Sprintf("p%d", n)}
				<-start
				called, answer := time.Since(began), ""
				_, err := two[n%2].engine.Do(t.Context(), id, "", incidents.Approve{By: who, ID: "1", Digest: plan.Digest})
				if e, ok := errors.AsType[*incidents.Error](err); ok && e.Phrase == "error.decided.approved" {
					answer = e.Args["by"]
				} else if err != nil {
					t.Errorf("%s: %v", who.Name, err)
				}
				history[n] = porcupine.Operation{ClientId: n, Input: who.Name, Call: int64(called), Output: answer, Return: int64(time.Since(began))}
			})
		}
		close(start)
		all.Wait()
		if !porcupine.CheckOperations(oneWins, history) {
			t.Fatalf("%s fits no order: %+v", id, history)
		}
		history[0].Output = "nobody"
		if porcupine.CheckOperations(oneWins, history) {
			t.Fatal("the check lets anything pass")
		}
	}
	for i := range runs {
		two[1].until(t, incidents.ID(i+1), "its run", func(s *incidents.Incident) bool { return len(s.Runs) == 1 && !s.Runs[0].EndedAt.IsZero() })
	}
	world.mu.Lock()
	defer world.mu.Unlock()
	count := map[string]int{}
	for _, run := range world.runs {
		count[run]++
	}
	for i := range runs {
		if run := incidents.ID(i+1).String() + "/1"; count[run] != 1 {
			t.Errorf("%s ran %d times", run, count[run])
		}
	}
	if len(count) != runs {
		t.Errorf("%d plans ran, of %d", len(count), runs)
	}
}
