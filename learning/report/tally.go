package report

import (
	"math"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// tally goes through the facts once, in the order of time.
type tally struct {
	now      time.Time
	all      Part
	services map[string]*Part
	weeks    map[string]*Part
	open     map[incidents.ID]*shown

	frequency map[string]int // verified remedies so far, of any incident
	decisions []decision
	bins      [10]struct {
		sum float64
		Share
	}

	imported, votes, outcomes int
	unread                    int
	struck                    []Struck
	seen                      map[string]time.Time // when an action was first heard of
	lists                     map[alert]*lists
}

// shown is an incident of which a list was shown.
type shown struct {
	list     []incidents.Shown
	service  string
	week     string
	accepted bool
	decided  bool
	chosen   map[string]decision
}

// decision is an approval, with what was known at that time.
type decision struct {
	at       time.Time
	action   string
	context  incidents.Context
	list     []string // as it was shown
	frequent []string // the same, the most frequent remedy first
	rank     int      // where the action stood; 0: elsewhere
	chance   float64
}

func newTally(now time.Time) *tally {
	return &tally{now: now, services: map[string]*Part{}, weeks: map[string]*Part{}, open: map[incidents.ID]*shown{},
		frequency: map[string]int{}, seen: map[string]time.Time{}, lists: map[alert]*lists{}}
}

func (t *tally) take(f *incidents.Fact) {
	if f.Kind == incidents.FactUnreadable {
		t.unread++
		return
	}
	lately := f.At.After(t.now.Add(-week))
	if f.Source != "" {
		t.imported++
		if f.Kind == incidents.FactOutcome && f.Value > 0 {
			t.frequency[f.Action]++
		}
		return
	}
	t.heardOf(f)
	switch f.Kind {
	case incidents.FactShown:
		t.shown(f)
	case incidents.FactChosen:
		t.chosen(f)
	case incidents.FactOutcome:
		if lately {
			t.outcomes++
		}
		t.outcome(f)
	case incidents.FactVote:
		if lately {
			t.votes++
		}
	case incidents.FactUndo, incidents.FactReset:
		if t.struck = append(t.struck, Struck{f.At, f.By, f.Person, f.Context.Service}); len(t.struck) > maxStruck {
			t.struck = t.struck[1:]
		}
	}
}

// of are the parts that something of an incident counts in.
func (t *tally) of(service, week string) []*Part {
	part := func(m map[string]*Part, name string) *Part {
		p := m[name]
		if p == nil {
			p = &Part{Name: name}
			m[name] = p
		}
		return p
	}
	return []*Part{&t.all, part(t.services, service), part(t.weeks, week)}
}

func (t *tally) shown(f *incidents.Fact) {
	s := t.open[f.Incident]
	if s == nil {
		s = &shown{service: f.Context.Service, week: monday(f.At), chosen: map[string]decision{}}
		t.open[f.Incident] = s
		for _, p := range t.of(s.service, s.week) {
			p.Accepted.count(false)
		}
	}
	s.list = f.Shown
	t.keep(f)
}

func (t *tally) chosen(f *incidents.Fact) {
	s := t.open[f.Incident]
	if s == nil {
		return // no list: nothing was to be chosen from
	}
	d := decision{at: f.At, action: f.Action, rank: f.Rank, chance: f.Chance}
	for _, g := range s.list {
		d.list = append(d.list, g.Action)
	}
	d.frequent = t.byFrequency(d.list)
	s.chosen[f.Action] = d
	if f.Rank > 0 && !s.accepted {
		s.accepted = true
		for _, p := range t.of(s.service, s.week) {
			p.Accepted.N++
		}
	}
}

func (t *tally) outcome(f *incidents.Fact) {
	worked := f.Value > 0
	service, wk := f.Context.Service, monday(f.At)
	s := t.open[f.Incident]
	if s != nil {
		service, wk = s.service, s.week
	}
	for _, p := range t.of(service, wk) {
		p.Verified.count(worked)
	}
	if s != nil {
		t.judge(s, f, worked, wk)
	}
	if worked {
		t.frequency[f.Action]++
	}
}

// judge holds the list against what came of the choice.
func (t *tally) judge(s *shown, f *incidents.Fact, worked bool, wk string) {
	d, ok := s.chosen[f.Action]
	if !ok {
		return
	}
	delete(s.chosen, f.Action)
	d.context = f.Context
	if d.rank > 0 {
		b := &t.bins[min(max(int(d.chance*10), 0), 9)]
		b.sum += d.chance
		b.count(worked)
	}
	if !worked || s.decided {
		return
	}
	s.decided = true
	t.decisions = append(t.decisions, d)
	for _, p := range t.of(s.service, wk) {
		p.Hit1.count(d.rank == 1)
		p.Hit3.count(d.rank >= 1 && d.rank <= 3)
	}
}

// byFrequency orders a list by how often each action helped until now.
func (t *tally) byFrequency(list []string) []string {
	out := slices.Sorted(slices.Values(list))
	slices.SortStableFunc(out, func(a, b string) int { return t.frequency[b] - t.frequency[a] })
	return out
}

// calibration is the table of what scores promised and what came of it.
func (t *tally) calibration() (bins []Bin, distance float64) {
	all := 0
	for i := range t.bins {
		b := &t.bins[i]
		if b.Of == 0 {
			continue
		}
		bin := Bin{From: float64(i) / 10, To: float64(i+1) / 10, Predicted: b.sum / float64(b.Of), Observed: b.Share}
		bins = append(bins, bin)
		distance += math.Abs(bin.Predicted-bin.Observed.Value()) * float64(b.Of)
		all += b.Of
	}
	return bins, distance / float64(max(all, 1))
}

// parts are the first of them by an order; weeks are told the oldest first.
func (t *tally) parts(all map[string]*Part, most int, order func(a, b Part) int) []Part {
	list := make([]Part, 0, len(all))
	for _, p := range all {
		list = append(list, *p)
	}
	slices.SortFunc(list, order)
	list = list[:min(len(list), most)]
	if most == MaxWeeks {
		slices.Reverse(list)
	}
	return list
}

// monday is the day on which a week began.
func monday(at time.Time) string {
	at = at.UTC()
	return at.AddDate(0, 0, -(int(at.Weekday())+6)%7).Format(time.DateOnly)
}
