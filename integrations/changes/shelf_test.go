package changes

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

// A pipeline that never rests pushes out its own changes, nobody else's, and what went
// for want of room is counted for whose it was.
func TestAPipelineThatNeverRests(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s := newShelf()
	clock := now
	add := func(customer, service string, at time.Time, n int) {
		for i := range n {
			s.add(change{Change: diagnostics.Change{Customer: customer, Service: service, Title: fmt.Sprint("build ", i), At: at.Add(time.Duration(i) * time.Second)}}, clock)
		}
	}
	told := func(customer string) (services map[string]int, gone int) {
		all, gone := s.told(customer, now.Add(-before), now)
		services = map[string]int{}
		for i, c := range all {
			if services[c.Service]++; i > 0 && c.At.Before(all[i-1].At) {
				t.Fatalf("%v after %v", c, all[i-1])
			}
		}
		return services, gone
	}
	add("globex", "shop", now.Add(-2*time.Hour), 1)
	add("acme", "shop", now.Add(-time.Hour), 500)
	add("acme", "mail", now.Add(-2*time.Hour), 1) // older than all of shop's, and came after them
	if got, gone := told("acme"); got["mail"] != 1 || got["shop"] != mostEach || gone != 300 {
		t.Errorf("acme is told %v, %d are gone", got, gone)
	}
	for i := range 2 * mostKept { // a service for each build
		add("acme", fmt.Sprint("build-", i), now.Add(time.Duration(i)*time.Millisecond-30*time.Minute), 1)
	}
	if got, gone := told("globex"); got["shop"] != 1 || gone != 0 {
		t.Errorf("globex is told %v, %d are gone", got, gone)
	}
	got, gone := told("acme")
	sum := 0
	for _, n := range got {
		sum += n
	}
	if sum > mostKept || sum < mostKept/2-1 || sum+gone != 500+1+2*mostKept || got[fmt.Sprint("build-", 2*mostKept-1)] != 1 || s.n != sum+1 {
		t.Errorf("acme is told of %d changes, %d are gone; %d are counted", sum, gone, s.n)
	}
	add("acme", "late", now.Add(-keeps-time.Hour), 1)
	if got, _ := told("acme"); got["late"] != 0 {
		t.Error("what is too old is told")
	}
	add("initech", "shop", now.Add(2*keeps), 1) // of a replica whose clock is ahead
	add("globex", "shop", now.Add(-time.Minute), 1)
	if got, _ := told("globex"); got["shop"] != 2 {
		t.Errorf("beside a change from the future globex is told %v", got)
	}
	clock = now.Add(2 * keeps)
	add("initech", "shop", clock, 1)
	if s.age(); s.n != 1 || len(s.of) != 1 {
		t.Errorf("a day later %d are kept, of %d customers", s.n, len(s.of))
	}
}

// A sender that gave no time and heard no answer tries again; later it is another.
func TestWhatIsSentAgainIsOne(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	flag := func(after time.Duration, undated bool, title string) change {
		return change{Undated: undated, Change: diagnostics.Change{Service: "shop", Title: title, At: now.Add(after)}}
	}
	s := newShelf()
	for _, c := range []change{
		flag(0, true, "flag on"), flag(time.Second, true, "flag on"), flag(4*time.Minute, true, "flag on"),
		flag(time.Minute, true, "flag off"), flag(6*time.Minute, true, "flag on"),
		flag(2*time.Minute, false, "flag on"), flag(2*time.Minute, false, "flag on"), flag(3*time.Minute, false, "flag on"),
	} {
		s.add(c, now)
	}
	all, _ := s.told("", now, now)
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprint(c.Title, " ", c.At.Sub(now)))
	}
	if want := "[flag on 0s flag off 1m0s flag on 2m0s flag on 3m0s flag on 6m0s]"; fmt.Sprint(got) != want {
		t.Errorf("%v, not %s", got, want)
	}
}
