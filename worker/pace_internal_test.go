package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestFoldsKeepTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ took, rested time.Duration }{
			{0, foldPace},
			{foldPace / 4, foldPace - foldPace/4},
			{foldPace, 0},
			{time.Minute, 0}, // a backlog: no time to lose
		} {
			began := time.Now()
			time.Sleep(c.took)
			from := time.Now()
			rest(t.Context(), began, from)
			if got := time.Since(from); got != c.rested {
				t.Errorf("after a fold of %s it rested %s, want %s", c.took, got, c.rested)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		from := time.Now()
		if rest(ctx, from, from); time.Since(from) != 0 {
			t.Error("it rests on after the end")
		}
	})
}
