package commands

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// What people do to one request, and what they are told.
type said struct{ verb, who string }

type told struct{ phrase, by string }

// request is where it stands: who approved, and how it ended.
type requestState struct{ given, over, by string }

// oneRequest is how a request that two must approve behaves if everything happens
// one after the other.
var oneRequest = porcupine.Model{
	Init: func() any { return requestState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(requestState), input.(said), output.(told)
		if s.over != "" {
			return out == told{"error.decided." + s.over, s.by}, s
		}
		next := s
		switch {
		case in.verb == "deny":
			next.over, next.by = "denied", in.who
		case in.verb == "withdraw":
			next.over, next.by = "withdrawn", in.who
		case strings.Contains(s.given, in.who):
		default:
			if next.given += in.who + " "; s.given != "" {
				next.over, next.by = "approved", in.who
			}
		}
		return out == told{}, next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v: %v", input, output) },
}

// TestDecisionsAreLinearizable: two replicas over one Redis, and people who click
// at once, twice, on both: what they are told fits one order of events, in which
// one decision wins and everybody after it hears whose it was.
func TestDecisionsAreLinearizable(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	var replicas []*worker.Engine
	for range 2 {
		store, err := storage.Open(t.Context(), storage.Config{URL: server.URL, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		replicas = append(replicas, worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: incidents.Policy{}, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}}))
	}
	for round := range 12 {
		s, err := replicas[0].Declare(t.Context(), "", incidents.Declare{Title: "checkout is slow", Severity: incidents.Sev2, By: bea})
		if err != nil {
			t.Fatal(err)
		}
		p := plan("drop-cache", "drop")
		p.Risk, p.Incident = incidents.RiskHigh, s.ID
		p = p.Seal()
		if _, err := replicas[0].Do(t.Context(), s.ID, "", incidents.Request{By: bea, Plan: p}); err != nil {
			t.Fatal(err)
		}
		clicks := []said{{"approve", "cho"}, {"approve", "cho"}, {"approve", "dan"}, {"approve", "eve"}}
		clicks = append(clicks, [][]said{nil, {{"deny", "fay"}}, {{"withdraw", "bea"}}}[round%3]...)
		history := clickAll(t, replicas, s.ID, p.Digest, append(clicks, clicks...))
		if result, _ := porcupine.CheckOperationsVerbose(oneRequest, history, 20*time.Second); result != porcupine.Ok {
			t.Fatalf("round %d fits no order (%s): %+v", round, result, history)
		}
		lie := slices.Clone(history) // somebody hears of another end than there was
		lie[0].Output = told{"error.decided.expired", "nobody"}
		if porcupine.CheckOperations(oneRequest, lie) {
			t.Fatal("the check lets anything pass")
		}
		after, err := replicas[1].Load(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if a := after.Approval("1"); a.State == incidents.ApprovalPending || (len(after.Runs) == 1) != (a.State == incidents.ApprovalGiven) {
			t.Fatalf("round %d: %s with %d runs", round, a.State, len(after.Runs))
		}
	}
}

// clickAll has everybody click at once, each on one of the replicas.
func clickAll(t *testing.T, replicas []*worker.Engine, id incidents.ID, digest string, clicks []said) []porcupine.Operation {
	t.Helper()
	history := make([]porcupine.Operation, len(clicks))
	began, start := time.Now(), make(chan struct{})
	var all sync.WaitGroup
	for i, c := range clicks {
		all.Go(func() {
			by := incidents.Actor{ID: "person:" + c.who, Name: c.who}
			if c.who == "bea" {
				by = bea
			}
			cmd := map[string]incidents.Command{
				"approve":  incidents.Approve{By: by, ID: "1", Digest: digest, SignedIn: time.Now().Add(-time.Minute)},
				"deny":     incidents.Deny{By: by, ID: "1"},
				"withdraw": incidents.Withdraw{By: by, ID: "1"},
			}[c.verb]
			<-start
			called := time.Since(began)
			_, err := replicas[i%2].Do(t.Context(), id, "", cmd)
			answer := told{}
			if e, ok := errors.AsType[*incidents.Error](err); ok {
				answer = told{e.Phrase, e.Args["by"]}
			} else if err != nil {
				t.Errorf("%v: %v", c, err)
			}
			history[i] = porcupine.Operation{ClientId: i, Input: c, Call: int64(called), Output: answer, Return: int64(time.Since(began))}
		})
	}
	close(start)
	all.Wait()
	return history
}
