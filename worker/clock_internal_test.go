package worker

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

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
		w := &Worker{engine: &Engine{clock: c.clock}}
		err := w.engine.mayApprove(t.Context(), 1, c.cmd)
		if (incidents.CodeOf(err) == incidents.Conflict) != c.holds || (err != nil) != c.holds {
			t.Errorf("%T: %v", c.cmd, err)
		}
		if _, approves := c.cmd.(incidents.Approve); !approves {
			continue
		}
		if no := (Gate{c.clock.Brake()}).Refuses(t.Context(), nil, nil); (no != nil) != c.holds || no != nil && (no.Brake != "clock" || no.Because.Phrase != "because.clock_off_behind") {
			t.Errorf("the gate: %+v", no)
		}
		if because := w.closedTo(nil); (because.Phrase != "") != c.holds {
			t.Errorf("by itself: %+v", because)
		}
	}
}
