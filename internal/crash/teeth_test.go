package crash

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// teethPatience is how long a run with a planted bug may take to be well: a
// bug that loses something makes it wait in vain.
const teethPatience = 10 * time.Second

// TestSweepHasTeeth plants the four classic bugs, one at a time. Without a
// crash none of them shows; killed at the point named, each must break a law,
// or the sweep could not find it either.
func TestSweepHasTeeth(t *testing.T) {
	bugs := []struct{ plant, point, breaks string }{
		{"early-2xx", "sqlite.append.before_write:2", "was acknowledged and is in 0 incidents"},
		{"ack-first", "worker.diagnose.before_finish:1", "deadline exceeded"}, // a room would be healed by the next event,
		{"no-claim", "worker.run.done:1", "ended as failed"},
		{"random-room", "worker.room.synced:1", "rooms for"},
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, bug := range bugs {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			plant := []string{"HIKESHI_PLANT=" + bug.plant, "HIKESHI_CHAOS_STUMBLE="}
			// Nobody dies, so nobody need take over soon: a busy machine would be taken for dead.
			o, err := tell(t, backend{}.place(t), nil, append([]string{"HIKESHI_CHAOS_LEASE=1m"}, plant...))
			if err != nil || len(o.violations) > 0 {
				t.Errorf("%s shows without a crash, so it proves nothing: %v, %v", bug.plant, err, o.violations)
			}
			o, err = tellFor(t, teethPatience, backend{}.place(t), dieAt(bug.point), plant)
			found := strings.Join(o.violations, "\n  ")
			switch {
			case err != nil:
				t.Errorf("%s: %v", bug.plant, err)
			case o.deaths == 0:
				t.Errorf("%s: %s was not reached", bug.plant, bug.point)
			case len(o.violations) == 0 || !strings.Contains(found, bug.breaks):
				t.Errorf("%s, killed at %s, was not found; violations:\n  %s", bug.plant, bug.point, found)
			default:
				t.Logf("%s, killed at %s: %d violations\n  %s", bug.plant, bug.point, len(o.violations), found)
			}
		})
	}
	all.Wait()
}
