package learning

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/factored"
)

// general is the model that carries over from one situation to others that only
// resemble it (package factored). It depends on the order of its lessons, and
// replicas read the shards' logs in different ones. So facts wait until a mark
// that only the clock moves, and are then learned in the order of their times:
// the same everywhere, whatever came when. What has just been said is in the
// tallies at once.
type general struct {
	model   *factored.Model
	pending []incidents.Fact
	sorted  bool
	until   time.Time // all up to here is learned
	learned time.Time // the latest of them, or of those so far
	late    int
	folded  map[ballot]int    // each person's vote as it was learned
	people  map[[2]string]int // by incident and action: how many were heard
}

const (
	settleAfter  = 10 * time.Minute // more than a commit takes, and than clocks differ
	settleAtOnce = 200              // facts learned before a ranking: half a second with 1,500 actions
	maxHeard     = 3                // people whose thumbs on one action of one incident are learned
	explained    = 3                // features that are named as the reason
)

func newGeneral() general {
	return general{model: factored.New(factored.DefaultConfig()), folded: map[ballot]int{}, people: map[[2]string]int{}}
}

func (g *general) add(facts []incidents.Fact) {
	for i := range facts {
		f := &facts[i]
		if f.Action == "" || f.At.IsZero() || f.Kind != incidents.FactVote && f.Kind != incidents.FactOutcome {
			continue // counted by the tallies, or no lesson
		}
		if !f.At.After(g.until) || f.At.Before(g.learned) {
			g.late++
		}
		g.pending, g.sorted = append(g.pending, *f), false
	}
}

// settle learns what is old enough, the oldest first and at most limit facts,
// and says whether some of it is left.
func (g *general) settle(now time.Time, limit int) (more bool) {
	mark := now.Add(-settleAfter).Truncate(settleAfter)
	if !mark.After(g.until) {
		return false
	}
	if !g.sorted {
		slices.SortStableFunc(g.pending, func(a, b incidents.Fact) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Incident, b.Incident), cmp.Compare(a.Seq, b.Seq))
		})
		g.sorted = true
	}
	n := 0
	for n < len(g.pending) && !g.pending[n].At.After(mark) {
		if n == limit {
			g.pending = g.pending[n:]
			return true
		}
		g.learn(&g.pending[n])
		g.learned = g.pending[n].At
		n++
	}
	g.until, g.pending = mark, slices.Clone(g.pending[n:])
	return false
}

func (g *general) learn(f *incidents.Fact) {
	x, at := situation(f.Context, f.At), f.At.Unix()
	id, i := f.Incident.String(), g.model.Join(f.Action, kin(f.Action)...)
	if f.Ref != "" {
		id = f.Source + ":" + f.Ref // another system's incident has no number here
	}
	switch {
	case f.Kind == incidents.FactOutcome && f.Value > 0:
		g.model.Outcome(id, x, i, at)
	case f.Kind == incidents.FactOutcome:
		g.model.Failed(id, x, i, at)
	case f.Kind == incidents.FactVote && f.Value >= -1 && f.Value <= 1:
		g.thumb(f, id, x, i, at)
	}
}

// thumb learns a vote of one of the first few people. One that was changed or
// taken back is learned as its opposite: a lesson cannot be unlearned, only
// outweighed.
func (g *general) thumb(f *incidents.Fact, id string, x *factored.Situation, i int, at int64) {
	if len(g.folded) > MaxVotes {
		clear(g.folded)
		clear(g.people)
	}
	b := ballot{f.Incident, f.Action, f.Person}
	value := f.Value
	if f.Objection == incidents.UnsafeNow {
		value = 0 // of this moment, not of the action
	}
	old, had := g.folded[b]
	if old == value {
		return
	}
	where := [2]string{id, f.Action}
	if !had {
		if g.people[where] == maxHeard {
			return
		}
		g.people[where]++
	}
	g.folded[b] = value
	g.model.Thumb(id, x, i, value > old, at)
}

// judge adds to each candidate what the model makes of it.
func (g *general) judge(c incidents.Context, candidates []Candidate, now time.Time) []Candidate {
	g.settle(now, settleAtOnce)
	opinion := g.model.Consider(situation(c, now))
	ids := make([]string, len(candidates))
	for i := range candidates {
		ids[i] = candidates[i].Action
	}
	judged := slices.Clone(candidates)
	for i, p := range opinion.Chances(ids) {
		odds := p * float64(len(ids)) // 1: as likely as the others
		judged[i].Learned = (odds - 1) / (odds + 1)
		judged[i].opinion = opinion
	}
	return judged
}

// phraseLike names an incident in which the same helped; see Unnamed.
const phraseLike = "why.learned.like"

// because says what the general model goes by: it is asked only of those whose
// score is explained.
func (cand *Candidate) because() incidents.Reason {
	if cand.opinion == nil || cand.Learned <= 0 {
		return incidents.Because("why.learned")
	}
	var features []string
	for _, part := range cand.opinion.Explain(cand.Action, explained) {
		if part.Weight > 0 {
			features = append(features, part.Feature.Field+" "+part.Feature.Value)
		}
	}
	like, known := incidents.ParseID(cand.opinion.Like(cand.Action))
	switch words := strings.Join(features, ", "); {
	case words == "":
		return incidents.Because("why.learned")
	case !known:
		return incidents.Because("why.learned.by", "features", words)
	default:
		return incidents.Because(phraseLike, "features", words, "incident", like.String())
	}
}

func situation(c incidents.Context, at time.Time) *factored.Situation {
	return factored.NewSituation(Features(c, at))
}

// Features are an incident as the general model sees it. What tells most comes
// first: labels are the first to be left out.
func Features(c incidents.Context, at time.Time) []factored.Feature {
	at = at.UTC()
	list := []factored.Feature{
		{Field: "alert", Value: c.Name}, {Field: "service", Value: c.Service}, {Field: "source", Value: c.Source},
		{Field: "severity", Value: c.Severity.String()},
		{Field: "hour", Value: strconv.Itoa(at.Hour())}, {Field: "day", Value: at.Weekday().String()},
	}
	for _, check := range c.Failing {
		list = append(list, factored.Feature{Field: "failing", Value: check})
	}
	for _, l := range c.Labels {
		list = append(list, factored.Feature{Field: l.Name, Value: l.Value})
	}
	return list
}

// kin are the words of an action's id: "restart-web" is kin to "restart-db", and
// to whatever has "web" for a service.
func kin(action string) []string {
	return strings.FieldsFunc(action, func(r rune) bool { return strings.ContainsRune("-_/.: ", r) })
}
