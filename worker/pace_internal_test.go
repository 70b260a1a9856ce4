package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPace(t *testing.T) {
	for _, c := range []struct {
		took time.Duration
		did  folded
		want time.Duration
	}{
		{0, folded{alerts: 1}, leastPace},
		{leastPace / 100, folded{alerts: 1}, leastPace},
		{leastPace / 2, folded{alerts: manyAlerts - 1}, leastPace / 2 * (1 + idleShare)},
		{mostPace, folded{alerts: 1}, mostPace},
		{mostPace, folded{alerts: 1, opened: 1}, leastPace},
		{mostPace, folded{alerts: manyAlerts}, leastPace},
	} {
		if got := pace(c.took, c.did); got != c.want {
			t.Errorf("after %s for %+v: %s, want %s", c.took, c.did, got, c.want)
		}
	}
}

func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, wait := range []time.Duration{-time.Second, 0, leastPace} {
			from := time.Now()
			if rest(t.Context(), wait); time.Since(from) != max(wait, 0) {
				t.Errorf("rested %s, want %s", time.Since(from), max(wait, 0))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		from := time.Now()
		if rest(ctx, time.Hour); time.Since(from) != 0 {
			t.Error("rested although the process ends")
		}
	})
}
