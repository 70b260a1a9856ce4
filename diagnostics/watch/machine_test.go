package watch

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// noon is on the grid.
const noon = int64(1_772_625_600)

// minute is a time so many minutes after noon.
func minute(n int) int64 { return noon + int64(n)*60 }

func series() *Rule {
	return &Rule{Name: "errors", Kind: Series, Source: "prometheus", Query: "up", Every: time.Minute, Looks: 3, Of: 5, Clear: 3 * time.Minute}
}

// script is a value each minute: "." as usual, "!" odd and far, "x" far, "~" between
// back and away, "o" odd but as usual, "N" no number, " " no value.
func (r *Rule) play(t *testing.T, script string) (State, string) {
	t.Helper()
	s := State{Through: minute(-1)}
	var said []string
	for i, c := range script {
		x := Sight{Of: "a", At: minute(i), Value: 10, Odd: c == '!' || c == 'o', Usual: 10, Dev: 1}
		switch c {
		case '!', 'x':
			x.Value = 34
		case 'v':
			x.Value, x.Odd = 2, true
		case '~':
			x.Value = 13
		case 'N':
			x.Value = math.NaN()
		}
		sights := []Sight{x}
		if c == ' ' {
			sights = nil
		}
		var told []Told
		s, told = r.Advance(s, sights, minute(i))
		for _, one := range told {
			said = append(said, fmt.Sprintf("%d:%s since %d", i, one.Over, (one.Since-noon)/60))
		}
		body, err := json.Marshal(s) // what is kept is all there is: a restart each minute
		if err != nil {
			t.Fatal(err)
		}
		s = State{}
		if err := json.Unmarshal(body, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s, strings.Join(said, ", ")
}

func TestHoldAndHysteresis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, script, want string }{
		{"nothing is odd", "......", ""},
		{"far without being odd: it crept there, and the detector knows", "xxxxxx", ""},
		{"three of five", ".!xx", "3: since 1"},
		{"three of five with a pause", ".!.x.x", "5: since 1"},
		{"three of seven is too seldom", ".!..x...x...", ""},
		{"a spike, and the odd way back", "..!xo....", ""},
		{"odd alone is no level", "..o......o..", ""},
		{"back for three minutes", ".!xx...", "3: since 1, 6:back since 1"},
		{"not back yet: nearer, and still not usual", ".!xx~~~~~", "3: since 1"},
		{"quiet is counted from the latest strange one", ".!xx..x...", "3: since 1, 9:back since 1"},
		{"it fires once, and again when it comes again", ".!xx....!xx", "3: since 1, 6:back since 1, 10: since 8"},
		{"gaps while it holds say nothing", ".! x x", "5: since 1"},
		{"no numbers are gaps", ".!NxNx", "5: since 1"},
		{"gaps are not quiet", ".!xx         ", "3: since 1"},
		{"a value after a gap is not quiet for long yet", ".!xx  .", "3: since 1, 6:back since 1"},
		{"silent for an hour: it is gone", ".!xx" + strings.Repeat(" ", 61), "3: since 1, 63:gone since 1"},
		{"a day: it is usual", ".!" + strings.Repeat("x", 24*60), "3: since 1, 1441:learnt since 1"},
	} {
		if _, got := series().play(t, c.script); got != c.want {
			t.Errorf("%s (%s): %q, want %q", c.what, c.script[:min(len(c.script), 20)], got, c.want)
		}
	}
}

func TestDirection(t *testing.T) {
	t.Parallel()
	for direction, want := range map[Direction]string{"": "3: since 1", Below: "3: since 1", Above: ""} {
		r := series()
		r.Direction = direction
		if _, got := r.play(t, ".vvvv"); got != want {
			t.Errorf("%q: %q, want %q", direction, got, want)
		}
	}
}

// TestLogsHaveNoUsual: what is found counts, and what is not is quiet.
func TestLogsHaveNoUsual(t *testing.T) {
	t.Parallel()
	r := &Rule{Name: "oom", Kind: Logs, Every: time.Minute, Looks: 2, Of: 3, Clear: 2 * time.Minute}
	s, said := State{}, []string{}
	for i, n := range []int{0, 3, 0, 5, 0, 0, 0, 0} {
		var sights []Sight
		if n > 0 {
			sights = []Sight{{At: minute(i), Value: float64(n), Odd: true}}
		}
		var told []Told
		s, told = r.Advance(s, sights, minute(i))
		s, _ = r.Advance(s, sights, minute(i)) // another replica saw the same
		for _, one := range told {
			said = append(said, fmt.Sprintf("%d:%s", i, one.Over))
		}
	}
	if got := strings.Join(said, ", "); got != "3:, 5:back" || len(s.Subjects) > 0 {
		t.Errorf("%q, %+v", got, s)
	}
}

// TestNothingIsJudgedTwice: a look that comes again, and one of the past.
func TestNothingIsJudgedTwice(t *testing.T) {
	t.Parallel()
	r := series()
	s, _ := r.play(t, ".!x")
	for range 3 {
		again, told := r.Advance(s, []Sight{{Of: "a", At: minute(2), Value: 34}, {Of: "a", At: minute(9), Value: 34}}, minute(2))
		if len(told) > 0 || len(again.Subjects[0].Strange) != 2 {
			t.Fatalf("%+v %+v", again, told)
		}
		s = again
	}
	s = s.rewound(minute(0)) // the clock had been ahead
	if s.Through != minute(0) || s.Subjects[0].Onset != minute(0) || s.Subjects[0].Strange[0] > minute(0) {
		t.Errorf("still ahead: %+v", s)
	}
	if _, told := r.Advance(s, []Sight{{Of: "a", At: minute(1), Value: 34}, {Of: "a", At: minute(2), Value: 34}}, minute(2)); len(told) != 1 {
		t.Errorf("it does not go on: %+v", told)
	}
}

func TestStateIsBounded(t *testing.T) {
	t.Parallel()
	r := series()
	r.Looks, r.Of = MostOf, MostOf
	s := State{}
	for i := range 100 {
		var sights []Sight
		for j := range 100 {
			sights = append(sights, Sight{Of: fmt.Sprint(strings.Repeat("s", nameBytes), j), At: minute(i), Value: 34, Odd: true, Usual: 10, Dev: 1, URL: strings.Repeat("u", linkMost)})
		}
		var told []Told
		s, told = r.Advance(s, sights, minute(i))
		if s.Pending = append(s.Pending, told...); i == MostOf-1 && len(told) != mostSeries {
			t.Errorf("%d fire, want %d", len(told), mostSeries)
		}
	}
	if b, err := json.Marshal(s); err != nil || len(b) > 60_000 || len(s.Subjects) != mostSeries {
		t.Errorf("%d subjects in %d bytes: %v", len(s.Subjects), len(b), err)
	}
}
