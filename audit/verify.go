package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Breach says in one word what is wrong with a chain.
type Breach string

// What can be wrong. Each has a sentence, "audit.broken." and the word.
const (
	Changed       Breach = "changed"        // its MAC is not the one that its bytes and the record before ask for
	Missing       Breach = "missing"        // records Seq to To are not there
	Swapped       Breach = "swapped"        // in the place of record Seq stands record To
	OtherKey      Breach = "other_key"      // made with a key that we do not have
	OldKey        Breach = "old_key"        // made with a key that had been put away
	SecondOutcome Breach = "second_outcome" // its intent To has an outcome already
	NoIntent      Breach = "no_intent"      // the outcome of something that is no intent
	Restamped     Breach = "restamped"      // not what a checkpoint saw
	Truncated     Breach = "truncated"      // a checkpoint saw record To; the chain ends at Seq
	NoOutcome     Breach = "no_outcome"     // an intent without an outcome
)

// Problem is the first thing that is wrong.
type Problem struct {
	Seq  int64
	What Breach
	To   int64
	Key  string
	At   Time // of the checkpoint
}

func (p *Problem) Error() string {
	return fmt.Sprintf("the audit is broken at record %d: %s", p.Seq, p.What)
}

// Verifier reads a chain from its beginning.
type Verifier struct {
	keys        Keys
	checkpoints []Checkpoint // ascending, those that wait
	head        Head
	first       MAC
	newest      int
	ended       map[int64]bool // intents: has it an outcome?
	open        map[int64]*Record
	report      Report
	last        time.Time
}

// Report is what was found.
type Report struct {
	Records     int64
	Intents     int64
	Checkpoints int // that fit
	Unknown     int64
	Pending     []Record // intents without an outcome that are young enough to be under way
	Backwards   int64    // first record whose clock is behind the one before by more than ClockSlack; 0: none
	Head        Head
	From, Till  Time
	Keys        int // how many keys were used
}

// ClockSlack is how far the clocks of two replicas may be apart.
const ClockSlack = 10 * time.Minute

// NewVerifier verifies against checkpoints whose signatures have been verified.
func NewVerifier(keys Keys, checkpoints []Checkpoint) *Verifier {
	list := slices.Clone(checkpoints)
	slices.SortStableFunc(list, func(a, b Checkpoint) int { return cmp.Compare(a.Seq, b.Seq) })
	return &Verifier{keys: keys, checkpoints: list, newest: -1, ended: map[int64]bool{}, open: map[int64]*Record{}}
}

// Next takes the next entry. After a problem the rest says nothing.
func (v *Verifier) Next(e Entry) *Problem {
	r, at, p := v.keys.follows(v.head, e, v.newest)
	if p != nil {
		return p
	}
	if at != v.newest {
		v.report.Keys++
	}
	v.newest = at
	if p := v.pair(r); p != nil {
		return p
	}
	v.head = Head{e.Seq, e.MAC}
	if e.Seq == 1 {
		v.first, v.report.From = e.MAC, r.At
	}
	if r.At.Add(ClockSlack).Before(v.last) && v.report.Backwards == 0 {
		v.report.Backwards = e.Seq
	}
	v.last, v.report.Till = r.At.Time, r.At
	v.report.Records++
	return v.seen()
}

// pair holds each outcome to one intent, and each intent to one outcome.
func (v *Verifier) pair(r *Record) *Problem {
	switch r.Kind {
	case Intent:
		v.ended[r.Seq], v.open[r.Seq] = false, r
		v.report.Intents++
	case Outcome:
		ended, is := v.ended[r.Of]
		if !is {
			return &Problem{Seq: r.Seq, What: NoIntent, To: r.Of}
		}
		if ended {
			return &Problem{Seq: r.Seq, What: SecondOutcome, To: r.Of}
		}
		v.ended[r.Of] = true
		delete(v.open, r.Of)
		if r.Result == Unknown {
			v.report.Unknown++
		}
	}
	return nil
}

// seen compares with what the checkpoints saw of this record.
func (v *Verifier) seen() *Problem {
	for len(v.checkpoints) > 0 && v.checkpoints[0].Seq == v.head.Seq {
		c := v.checkpoints[0]
		if c.Head != v.head.MAC || c.First != v.first {
			return &Problem{Seq: v.head.Seq, What: Restamped, At: c.At}
		}
		v.checkpoints = v.checkpoints[1:]
		v.report.Checkpoints++
	}
	return nil
}

// End says what the whole is worth. An intent that is younger than pending may
// be under way; an older one without an outcome is a problem.
func (v *Verifier) End(now time.Time, pending time.Duration) (Report, *Problem) {
	v.report.Head = v.head
	for _, seq := range sorted(v.open) {
		v.report.Pending = append(v.report.Pending, *v.open[seq])
	}
	if n := len(v.checkpoints); n > 0 {
		last := v.checkpoints[n-1]
		return v.report, &Problem{Seq: v.head.Seq, What: Truncated, To: last.Seq, At: last.At}
	}
	for i := range v.report.Pending {
		if r := &v.report.Pending[i]; now.Sub(r.At.Time) > pending {
			return v.report, &Problem{Seq: r.Seq, What: NoOutcome, At: r.At}
		}
	}
	return v.report, nil
}

func sorted(open map[int64]*Record) []int64 {
	list := make([]int64, 0, len(open))
	for seq := range open {
		list = append(list, seq)
	}
	slices.Sort(list)
	return list
}
