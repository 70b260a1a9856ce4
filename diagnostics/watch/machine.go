package watch

import (
	"math"
	"slices"
	"time"
)

const (
	away   = 4.0 // deviations from its usual: a series is strange from here on
	back   = 2.0 // … and is so, once it fired, until it is nearer than this
	learnt = 24 * time.Hour
	gone   = time.Hour // a series without a value for so long is no more
)

// State is what a rule remembers: nothing but the subjects that are strange.
type State struct {
	Spec     string    `json:"spec"`
	Looked   int64     `json:"looked"`  // the latest look, Unix seconds
	Through  int64     `json:"through"` // values up to here have been judged
	Subjects []Subject `json:"subjects,omitempty"`
	Down     int64     `json:"down,omitempty"` // since when the source does not answer
	DownTold bool      `json:"down_told,omitempty"`
	Pending  []Told    `json:"pending,omitempty"` // not known to be in the intake log
	Claimed  int64     `json:"claimed,omitempty"` // when somebody began to put them there

	Labels map[string]string `json:"labels,omitempty"` // of its alerts, for when the rule is gone
}

// Subject is a series, or a log, that is not as usual.
type Subject struct {
	Of      string  `json:"of,omitempty"`
	Onset   int64   `json:"onset"`
	Strange []int64 `json:"strange,omitempty"` // of the latest looks; while it holds
	Last    int64   `json:"last"`              // when it was strange last
	Seen    int64   `json:"seen"`              // when it had a value last
	Firing  bool    `json:"firing,omitempty"`
	Usual   float64 `json:"usual,omitempty"` // as it was before; 0 deviation: there is none
	Dev     float64 `json:"dev,omitempty"`
	Value   float64 `json:"value,omitempty"`
}

// Sight is one value of one subject.
type Sight struct {
	Of         string
	At         int64
	Value      float64
	Odd        bool    // a detector, or a log, says so
	Usual, Dev float64 // before it, where it is odd
	Detail     string  // an example
	URL        string
}

// Ending is why an alert is over.
type Ending string

// The endings.
const (
	Back    Ending = "back"    // as usual again
	Learnt  Ending = "learnt"  // it is its usual now
	Gone    Ending = "gone"    // it has no values any more
	Changed Ending = "changed" // the rule is another one
)

// Told is an alert, or its end.
type Told struct {
	Of     string  `json:"of,omitempty"`
	Down   bool    `json:"down,omitempty"` // about the source, not a subject
	Over   Ending  `json:"over,omitempty"` // "": it fires
	Since  int64   `json:"since"`
	At     int64   `json:"at"`
	Value  float64 `json:"value,omitempty"`
	Usual  float64 `json:"usual,omitempty"`
	Detail string  `json:"detail,omitempty"`
	URL    string  `json:"url,omitempty"`
}

// Advance takes what was seen up to a time, in the order of time, and says what
// became of it. Sights of series that were judged before are left out; a look
// without any moves nothing but the clocks.
func (r *Rule) Advance(s State, sights []Sight, to int64) (State, []Told) {
	s.Subjects = slices.Clone(s.Subjects)
	var told []Told
	for i := range sights {
		x := &sights[i]
		if r.Kind == Series && x.At <= s.Through || x.At > to || math.IsNaN(x.Value) || math.IsInf(x.Value, 0) {
			continue
		}
		told = append(told, r.see(&s, x)...)
	}
	for i := range s.Subjects {
		told = append(told, r.wait(&s.Subjects[i], to)...)
	}
	s.Subjects = slices.DeleteFunc(s.Subjects, func(u Subject) bool { return u.Onset == 0 })
	s.Through = max(s.Through, to)
	return s, told
}

// see judges one value.
func (r *Rule) see(s *State, x *Sight) []Told {
	at := slices.IndexFunc(s.Subjects, func(u Subject) bool { return u.Of == x.Of })
	if at < 0 {
		if !x.Odd || !r.wants(x.Value, x.Usual, x.Dev) || len(s.Subjects) >= mostSeries {
			return nil
		}
		at = len(s.Subjects)
		s.Subjects = append(s.Subjects, Subject{Of: x.Of})
	}
	u := &s.Subjects[at]
	if u.Onset == 0 {
		if !x.Odd || !r.wants(x.Value, x.Usual, x.Dev) {
			return nil
		}
		*u = Subject{Of: x.Of, Onset: x.At, Usual: x.Usual, Dev: x.Dev}
	}
	u.Seen = max(u.Seen, x.At)
	if !r.strange(u, x) {
		return r.wait(u, x.At)
	}
	u.Last, u.Value = max(u.Last, x.At), x.Value
	if u.Firing {
		return r.wait(u, x.At)
	}
	if !slices.Contains(u.Strange, x.At) {
		u.Strange = append(slices.Clone(u.Strange), x.At)
	}
	r.trim(u, x.At)
	if len(u.Strange) < r.Looks {
		return nil
	}
	u.Firing, u.Strange = true, nil
	return []Told{{Of: u.Of, Since: u.Onset, At: x.At, Value: u.Value, Usual: u.Usual, Detail: x.Detail, URL: x.URL}}
}

// strange says whether a value counts: it is where it began, or as far from what
// was usual before. What fires must come nearer than what does not. That a value
// is odd says nothing later on: the way back is odd too.
func (r *Rule) strange(u *Subject, x *Sight) bool {
	if u.Dev == 0 {
		return x.Odd
	}
	limit := away
	if u.Firing {
		limit = back
	}
	far := r.wants(x.Value, u.Usual, u.Dev) && math.Abs(x.Value-u.Usual) > limit*u.Dev
	return far || x.At == u.Onset
}

// wants says whether the direction is one that is asked for.
func (r *Rule) wants(value, usual, dev float64) bool {
	switch {
	case dev == 0:
		return true
	case r.Direction == Above:
		return value > usual
	case r.Direction == Below:
		return value < usual
	}
	return true
}

// wait ends what has been quiet, or the same, for long enough by at.
func (r *Rule) wait(u *Subject, at int64) []Told {
	if u.Onset == 0 {
		return nil
	}
	if !u.Firing {
		if r.trim(u, at); len(u.Strange) == 0 {
			*u = Subject{Of: u.Of}
		}
		return nil
	}
	quiet := at // a log that says nothing is quiet, a series without values is not
	if r.Kind == Series {
		quiet = u.Seen
	}
	var why Ending
	switch {
	case quiet-u.Last >= seconds(r.Clear):
		why = Back
	case r.Kind == Series && at-u.Onset >= seconds(learnt):
		why = Learnt
	case r.Kind == Series && at-u.Seen >= seconds(max(r.Clear, gone)):
		why = Gone
	default:
		return nil
	}
	over := Told{Of: u.Of, Over: why, Since: u.Onset, At: at, Value: u.Value, Usual: u.Usual}
	*u = Subject{Of: u.Of}
	return []Told{over}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// trim forgets looks that are too long ago.
func (r *Rule) trim(u *Subject, at int64) {
	oldest := at - int64(r.Of)*seconds(r.Every)
	u.Strange = slices.DeleteFunc(slices.Clone(u.Strange), func(t int64) bool { return t <= oldest })
}

// rewound is the state where the clock was ahead and went back to at: what was to
// come has been, and is now.
func (s State) rewound(at int64) State {
	s.Looked, s.Through, s.Claimed = min(s.Looked, at), min(s.Through, at), min(s.Claimed, at)
	s.Subjects = slices.Clone(s.Subjects)
	for i := range s.Subjects {
		u := &s.Subjects[i]
		u.Onset, u.Last, u.Seen = min(u.Onset, at), min(u.Last, at), min(u.Seen, at)
		strange := make([]int64, len(u.Strange))
		for j, t := range u.Strange {
			strange[j] = min(t, at)
		}
		u.Strange = slices.Compact(strange)
	}
	return s
}
