package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// gateOf is the least that a run passes.
func gateOf(store worker.Settings) worker.Gate {
	return worker.Gate{worker.Approved(time.Now), worker.NewFreezer(store, time.Now).Brake()}
}

// TestTheGateAsksInOrder: the first brake that holds is the reason, those behind
// it are not asked, and who does not know stops it too. No gate lets nothing through.
func TestTheGateAsksInOrder(t *testing.T) {
	t.Parallel()
	var asked []string
	brake := func(name, phrase string, err error) worker.Brake {
		return worker.Brake{Name: name, Ask: func(context.Context, *incidents.Incident, *incidents.Run) (incidents.Reason, error) {
			asked = append(asked, name)
			return incidents.Reason{Phrase: phrase}, err
		}}
	}
	away := errors.New("away")
	for name, c := range map[string]struct {
		gate  worker.Gate
		asked []string
		no    *worker.Refusal
	}{
		"all let it":  {worker.Gate{brake("a", "", nil), brake("b", "", nil)}, []string{"a", "b"}, nil},
		"one holds":   {worker.Gate{brake("a", "", nil), brake("b", "because.x", nil), brake("c", "", nil)}, []string{"a", "b"}, &worker.Refusal{Brake: "b", Because: incidents.Because("because.x")}},
		"not known":   {worker.Gate{brake("a", "", away), brake("b", "", nil)}, []string{"a"}, &worker.Refusal{Brake: "a", Because: incidents.Because("because.gate_unknown"), Unsure: away}},
		"no gate yet": {nil, nil, &worker.Refusal{}},
	} {
		asked = nil
		no := c.gate.Refuses(t.Context(), nil, nil)
		if (no == nil) != (c.no == nil) || !slices.Equal(asked, c.asked) {
			t.Errorf("%s: %+v, asked %v", name, no, asked)
			continue
		}
		if no != nil && c.no.Brake != "" && (no.Brake != c.no.Brake || no.Because.Phrase != c.no.Because.Phrase || no.Unsure != c.no.Unsure) {
			t.Errorf("%s: %+v", name, no)
		}
		if no != nil && len(c.gate) == 0 && no.Unsure == nil {
			t.Errorf("%s: %+v", name, no)
		}
	}
}

// robbed is a queue in which somebody else has every claim by the time it is extended.
type robbed struct{ worker.Queue }

func (robbed) Extend(context.Context, *incidents.Claim, time.Duration) error {
	return incidents.ErrClaimLost
}

// TestARunWhoseClaimIsLostStops: others have told people that nobody knows how far
// it got, so nothing more of it may begin.
func TestARunWhoseClaimIsLostStops(t *testing.T) {
	f, stopped := openFlaky(t, 1), make(chan struct{})
	p := &ports{onRun: func(ctx context.Context) { <-ctx.Done(); close(stopped) }}
	engine := f.run(t, p, func(o *worker.Options) { o.Queue, o.Lease = robbed{o.Queue}, time.Second })
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{alertAt("shop", time.Now().UTC())}}
	ok(t, f.Append(t.Context(), b))
	r := replicaOf(f, engine)
	s := r.until(t, "suggestions", suggested)
	_, err := engine.Do(t.Context(), 1, "", incidents.Approve{By: ada, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest})
	ok(t, err)
	select {
	case <-stopped:
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	r.until(t, "the run to be unknown", func(s *incidents.Incident) bool { return s.Runs[0].State == incidents.RunUnknown })
}

// TestABrakeStopsARunOnceItIsClaimed: what comes between the claim and the first
// step still holds, the room is told why, and so is whoever listens.
func TestABrakeStopsARunOnceItIsClaimed(t *testing.T) {
	f, p := openFlaky(t, 1), &ports{}
	looks, told := 0, make(chan string, 2)
	pulled := worker.Brake{Name: "pulled", Ask: func(_ context.Context, _ *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
		if looks++; r.State == incidents.RunRunning {
			return incidents.Because("because.right_lost", "by", "ada"), nil
		}
		return incidents.Reason{}, nil
	}}
	engine := f.run(t, p, func(o *worker.Options) {
		o.Gate = append(o.Gate, pulled)
		o.Refused = func(_ context.Context, s *incidents.Incident, r *incidents.Run, no *worker.Refusal) {
			told <- s.ID.String() + " " + r.ID + " " + no.Brake
		}
	})
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{alertAt("shop", time.Now().UTC())}}
	ok(t, f.Append(t.Context(), b))
	r := replicaOf(f, engine)
	s := r.until(t, "suggestions", suggested)
	_, err := engine.Do(t.Context(), 1, "", incidents.Approve{By: ada, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest})
	ok(t, err)
	s = r.until(t, "the run to end", func(s *incidents.Incident) bool { return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunFailed })
	if s.Runs[0].Because.Phrase != "because.right_lost" || s.Runs[0].StartedAt.IsZero() {
		t.Errorf("it ended as %+v", s.Runs[0])
	}
	if got := <-told; got != "INC-1 INC-1/1 pulled" || looks != 2 {
		t.Errorf("told %q after %d looks", got, looks)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.runs) > 0 {
		t.Errorf("ran %v", p.runs)
	}
}
