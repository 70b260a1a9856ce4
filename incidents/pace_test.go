package incidents

import (
	"testing"
	"time"
)

// dueOf is when the events' consequences want the room to be synced.
func dueOf(t *testing.T, s *Incident, cmd Command, now time.Time) time.Time {
	t.Helper()
	_, effects, err := Advance(s, cmd, now, testPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range effects {
		if e.Kind == DoSyncRoom {
			return e.Due
		}
	}
	t.Fatalf("nobody brings the room up to date: %+v", effects)
	return time.Time{}
}

// More of the same is shown a little later, so that a storm becomes a few
// edits; what changes where the incident stands is shown at once.
func TestHowSoonNewsIsShown(t *testing.T) {
	t.Parallel()
	a, b := firing("A", "warning", noon), firing("B", "warning", minute(1))
	s := newStory(t).s
	for _, step := range []struct {
		what string
		cmd  Command
		at   time.Time
		wait time.Duration
	}{
		{"it opens", opening(Rule{}, a), noon, 0},
		{"another alert", receive(b), minute(1), mostNewsPace},
		{"one of two ends", receive(ended(a, minute(2))), minute(2), mostNewsPace},
		{"the last one ends", receive(ended(b, minute(3))), minute(3), 0},
		{"one fires again", receive(firing("A", "warning", minute(4))), minute(4), 0},
	} {
		if due := dueOf(t, s, step.cmd, step.at); due.Sub(step.at) != step.wait {
			t.Errorf("%s: shown after %s, want %s", step.what, due.Sub(step.at), step.wait)
		}
	}
}

func TestNewsPace(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]time.Duration{
		-time.Hour: leastNewsPace, 0: leastNewsPace, time.Second: time.Second, 3 * time.Second: 3 * time.Second, time.Hour: mostNewsPace,
	} {
		if got := newsPace(age); got != want {
			t.Errorf("an incident %s old: %s, want %s", age, got, want)
		}
	}
}
