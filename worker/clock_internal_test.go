package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// unfrozen is where no freeze was ever kept.
type unfrozen struct{ Settings }

func (unfrozen) Setting(context.Context, string) (incidents.Document, error) {
	return incidents.Document{}, nil
}

// An engine that cannot ask whether remediation is frozen approves nothing.
func TestWithoutAFreezerNothingIsApproved(t *testing.T) {
	t.Parallel()
	e := NewEngine(EngineOptions{})
	if err := e.mayApprove(t.Context(), 1, incidents.Approve{}); err == nil {
		t.Error("it may be approved")
	}
	if err := e.mayApprove(t.Context(), 1, incidents.Deny{}); err != nil {
		t.Errorf("a denial: %v", err)
	}
}

// Where the clock cannot be relied on nothing is approved, by people or by itself, and
// nothing starts; what makes things safer goes on.
func TestAWrongClockApprovesNothing(t *testing.T) {
	t.Parallel()
	wrong := Clock(func() incidents.Reason { return incidents.Because("because.clock_off_behind", "by", "2m0s") })
	for _, c := range []struct {
		clock Clock
		cmd   incidents.Command
		holds bool
	}{
		{wrong, incidents.Approve{}, true}, {wrong, incidents.Deny{}, false}, {nil, incidents.Approve{}, false},
		{func() incidents.Reason { return incidents.Reason{} }, incidents.Approve{}, false},
	} {
		w := &Worker{engine: NewEngine(EngineOptions{Before: Before{Clock: c.clock, Freeze: NewFreezer(unfrozen{}, time.Now)}})}
		err := w.engine.mayApprove(t.Context(), 1, c.cmd)
		if (incidents.CodeOf(err) == incidents.Conflict) != c.holds || (err != nil) != c.holds {
			t.Errorf("%T: %v", c.cmd, err)
		}
		if _, approves := c.cmd.(incidents.Approve); !approves {
			continue
		}
		if no := (Gate{c.clock.Brake()}).Refuses(t.Context(), nil, nil); (no != nil) != c.holds || no != nil && (no.Brake != "clock" || no.Because.Phrase != "because.clock_off_behind" || no.Unsure == nil) {
			t.Errorf("the gate: %+v", no)
		}
		if because := w.closedTo(nil); (because.Phrase != "") != c.holds {
			t.Errorf("by itself: %+v", because)
		}
	}
}

// What this machine may not begin because of its clock uses up nobody's approval and
// withholds nothing: it waits for a machine whose clock is right. Where none seems to
// be, what would have begun by itself is told to people.
func TestAWrongClockLeavesItToOthers(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &incidents.Incident{}
	alert := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"service": "shop"}), StartsAt: at}
	if _, _, err := incidents.Advance(s, incidents.Open{ID: 1, Alerts: []incidents.Alert{alert}, Keys: []incidents.Key{alert.Fingerprint()}}, at, incidents.Policy{}); err != nil {
		t.Fatal(err)
	}
	s.Suggestions = []incidents.Suggestion{{Action: "restart", Plan: incidents.Plan{Risk: incidents.RiskLow}}}
	if s.Automatable() == nil {
		t.Fatal("nothing would begin by itself")
	}
	wrong := Clock(func() incidents.Reason { return incidents.Because("because.clock_off_ahead", "by", "2m0s") })
	w := &Worker{engine: NewEngine(EngineOptions{Before: Before{Clock: wrong}}), gate: Gate{wrong.Brake()}, ports: Ports{Trust: &Ladder{}}, now: func() time.Time { return at }}
	stopped, stop := context.WithCancel(t.Context())
	stop() // so that nothing is committed
	for attempt, waits := range map[int]bool{1: true, clockTries - 1: true, clockTries: false} {
		err := w.automate(stopped, &incidents.Claim{Attempt: attempt}, s)
		if _, later := errors.AsType[*incidents.Later](err); later != waits || !waits && !errors.Is(err, context.Canceled) {
			t.Errorf("by itself, try %d: %v", attempt, err)
		}
	}
	s.Runs = []incidents.Run{{ID: "INC-1/1", State: incidents.RunApproved}}
	claim := &incidents.Claim{Effect: incidents.Effect{Kind: incidents.DoRun, Arg: "INC-1/1"}, Attempt: 1}
	err := w.run(stopped, claim, s)
	later, ok := errors.AsType[*incidents.Later](err)
	if !ok || !later.Alone {
		t.Fatalf("the run: %v", err)
	}
	if due, hopeless := verdict(claim, err, at); hopeless || due.Sub(at) > time.Minute {
		t.Errorf("it is offered again at %s", due)
	}
}
