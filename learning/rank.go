package learning

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/factored"
)

// Candidate is an action that could be taken. Whether it applies at all was
// decided before: the model ranks what it is given.
type Candidate struct {
	Action string // the runbook's id
	// Learned says how likely the action is by what was learned of situations
	// like this (see general): −1 far less than the other candidates, 0 as they, 1
	// far more.
	Learned float64
	Fit     float64 // 0…1: how closely the action itself says that it is meant for such an incident; 0 where it says nothing

	opinion *factored.Opinion // says why it is Learned
}

// Ranked is an action with its place's reasons. Scores compare within one
// ranking only.
type Ranked struct {
	Action   string
	Score    float64 // 0…1: the expected share of such incidents on which it helps
	Evidence incidents.Evidence

	Propensity float64 // how probable this place was; 0: certain (see Explore)
}

// How facts become a score. The score is the mean of a Beta distribution
// (https://en.wikipedia.org/wiki/Beta_distribution#Bayesian_inference) that
// begins with priorStrength imagined outcomes, of which priorMean helped, and
// to which every fact adds according to how close it is.
const (
	priorStrength = 2.0
	priorMean     = 0.5
	ownCheckBonus = 0.10 // on the prior mean: a check of the action's own does not pass
	fitBonus      = 0.05 // on the prior mean, at a Fit of 1
	learnedReach  = 0.30 // on the prior mean, at a Learned of 1 or −1

	thumbWeight = 0.3 // of one thumb, in verified outcomes …
	thumbLimit  = 3.0 // … and of any number of them
	ownThumb    = 2.0 // thumbs that the thumb of somebody whose service it is counts for, on its alerts

	maxExplained = 50 // actions whose score is taken apart into terms
)

// closeness is how much one outcome of a class of incidents counts here, and
// how much all of that class count at most. Kin lend strength; they never
// outvote what was proved on the very same alert and service.
type closeness struct {
	each, limit float64
	ours        bool // of this very service: its own people's thumbs count for more
}

var (
	here       = closeness{1, math.Inf(1), true} // this alert name, this service
	sameName   = closeness{0.4, 4, false}        // this alert name, other services
	sameSvc    = closeness{0.15, 2, true}        // this service, other alerts
	everywhere = closeness{0.05, 1, false}       // the rest
)

// classes are an action's facts, told apart by how close they are: each fact
// is in exactly one.
type classes struct{ here, sameName, sameSvc, everywhere counts }

// Rank orders candidates, the best first, for an incident of context c at time
// now. Equal scores are ordered by the action's id, so that every replica
// shows the same list. An empty answer means that there was no candidate (see
// NoKnownAction).
func (m *Model) Rank(c incidents.Context, candidates []Candidate, now time.Time) []Ranked {
	where := place{incidents.KeyOf(c.Name), incidents.KeyOf(c.Service)}
	at := now.UnixNano()
	type scored struct {
		of    *Candidate
		score float64
	}
	list := make([]scored, 0, len(candidates)) // small, to be sorted
	given := make(map[string]bool, len(candidates))
	for i := range candidates {
		cand := &candidates[i]
		if given[cand.Action] {
			continue
		}
		given[cand.Action] = true
		decayed, _ := m.classes(where, cand.Action, c, at)
		list = append(list, scored{cand, math.Round(posterior(prior(cand, c), decayed)*1e9) / 1e9})
	}
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.of.Action, b.of.Action))
	})
	ranked := make([]Ranked, len(list))
	for i, s := range list {
		r := &ranked[i]
		r.Action, r.Score, r.Evidence = s.of.Action, s.score, m.evidence(where, s.of.Action)
		if i < maxExplained {
			r.Evidence.Terms = m.explain(where, *s.of, c, at)
		}
	}
	return ranked
}

// classes looks up what is known of an action: decayed to now, and as it happened.
func (m *Model) classes(where place, action string, c incidents.Context, now int64) (decayed, raw classes) {
	places := m.cells[action]
	read := func(name, service incidents.Key) (d, r counts) {
		t := places[place{name, service}]
		if t == nil {
			return counts{}, counts{}
		}
		return counts{}.plus(t.decayed, decay(t.at, now)), t.raw
	}
	var any incidents.Key
	allD, allR := read(any, any)
	if allR.none() {
		return decayed, raw
	}
	exactD, exactR := read(where.name, where.service)
	nameD, nameR := exactD, exactR
	if c.Name != "" { // an incident without an alert has no namesakes
		nameD, nameR = read(where.name, any)
	}
	svcD, svcR := exactD, exactR
	if c.Service != "" {
		svcD, svcR = read(any, where.service)
	}
	split := func(exact, name, svc, all counts) classes {
		k := classes{here: exact, sameName: name.minus(exact), sameSvc: svc.minus(exact)}
		k.everywhere = all.minus(exact).minus(k.sameName).minus(k.sameSvc)
		return k
	}
	return split(exactD, nameD, svcD, allD), split(exactR, nameR, svcR, allR)
}

// prior is the mean before any fact.
func prior(cand *Candidate, c incidents.Context) float64 {
	mean := priorMean + fitBonus*min(max(cand.Fit, 0), 1) + learnedReach*min(max(cand.Learned, -1), 1)
	if ownCheck(cand.Action, c) != "" {
		mean += ownCheckBonus
	}
	return mean
}

// ownCheck is the action's own check that does not pass, "" for none. Checks
// are named "<runbook>/<step>".
func ownCheck(action string, c incidents.Context) string {
	for _, check := range c.Failing {
		if strings.HasPrefix(check, action+"/") {
			return check
		}
	}
	return ""
}

func posterior(mean float64, k classes) float64 {
	good, bad := priorStrength*mean, priorStrength*(1-mean)
	for _, part := range [...]struct {
		counts
		closeness
	}{{k.here, here}, {k.sameName, sameName}, {k.sameSvc, sameSvc}, {k.everywhere, everywhere}} {
		g, b := part.counts.mass(part.ours)
		lend := part.each / (1 + part.each*(g+b)/part.limit)
		good, bad = good+lend*g, bad+lend*b
	}
	return good / (good + bad)
}

// mass is what counts speak for and against, in verified outcomes. Thumbs
// saturate: n of them weigh 0.3 n ÷ (1 + n/10). Those of a service's own people are
// ownThumb each, on its alerts only: what other services make of them stays as it is.
func (c counts) mass(ours bool) (good, bad float64) {
	up, against := c.up, c.against
	if ours {
		up, against = up+(ownThumb-1)*c.ownUp, against+(ownThumb-1)*c.ownAgainst
	}
	each := thumbWeight / (1 + (up+against)*thumbWeight/thumbLimit)
	return c.worked + each*up, c.failed + each*against
}

// unlikely is the reason not to suggest any of them, empty where one may help.
func (m *Model) unlikely(ranked []Ranked) incidents.Reason {
	best, most, seen := 0, 0., 0
	for i := range ranked {
		if chance, n := m.chances.of(ranked[i].Score); i == 0 || chance > most {
			best, most, seen = i, chance, n
		}
	}
	if most >= LeastChance || len(ranked) == 0 {
		return incidents.Reason{}
	}
	args := []string{"n", strconv.Itoa(len(ranked)), "action", ranked[best].Action,
		"chance", percent(most), "least", percent(LeastChance), "seen", strconv.Itoa(seen)}
	if seen == 0 {
		return incidents.Because("why.none.unlikely.unseen", args...)
	}
	return incidents.Because("why.none.unlikely", args...)
}

func percent(share float64) string { return strconv.Itoa(int(math.Round(share * 100))) }

// NoKnownAction is the reason to show when a ranking is empty.
func NoKnownAction(c incidents.Context) incidents.Reason {
	switch {
	case c.Name == "":
		return incidents.Because("why.none.declared")
	case c.Service == "":
		return incidents.Because("why.none.name", "name", c.Name)
	}
	return incidents.Because("why.none", "name", c.Name, "service", c.Service)
}
