package learning

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// evidence is what happened with an action on the same alert of the same
// service: honest counts, not decayed.
func (m *Model) evidence(where place, action string) incidents.Evidence {
	t := m.tally(cell{action, where})
	if t == nil {
		return incidents.Evidence{}
	}
	e := incidents.Evidence{
		Tried: int(t.raw.worked + t.raw.failed), Worked: int(t.raw.worked),
		Up: int(t.raw.up), Down: int(t.raw.down), Said: t.said.list(), Median: t.median(),
	}
	if t.lastOutcome != 0 {
		e.LastAt = time.Unix(0, t.lastOutcome).UTC()
	}
	return e
}

// explain takes a score apart: each term is what the score would lose without
// it, the largest first. Terms that change nothing are left out.
func (m *Model) explain(where place, cand Candidate, c incidents.Context, now int64) []incidents.Term {
	k, raw := m.classes(where, cand.Action, c, now)
	mean := prior(&cand, c)
	score := posterior(mean, k)
	var terms []incidents.Term
	add := func(without float64, because incidents.Reason) {
		if w := score - without; math.Abs(w) >= 1e-4 {
			terms = append(terms, incidents.Term{Because: because, Weight: w})
		}
	}
	for _, part := range [...]struct {
		phrase string
		seen   counts
		ours   bool
		of     func(*classes) *counts
	}{
		{"here", raw.here, here.ours, func(k *classes) *counts { return &k.here }},
		{"name", raw.sameName, sameName.ours, func(k *classes) *counts { return &k.sameName }},
		{"service", raw.sameSvc, sameSvc.ours, func(k *classes) *counts { return &k.sameSvc }},
		{"everywhere", raw.everywhere, everywhere.ours, func(k *classes) *counts { return &k.everywhere }},
	} {
		args := []string{"name", c.Name, "service", c.Service}
		if tried := part.seen.worked + part.seen.failed; tried > 0 {
			rest := k
			of := part.of(&rest)
			of.worked, of.failed = 0, 0
			add(posterior(mean, rest), incidents.Because("why."+part.phrase+".tried",
				append(args, "worked", whole(part.seen.worked), "tried", whole(tried))...))
		}
		if part.seen.up+part.seen.down > 0 {
			rest := k
			of := part.of(&rest)
			*of = counts{worked: of.worked, failed: of.failed}
			phrase, args := "why."+part.phrase+".thumbs", append(args, "up", whole(part.seen.up), "down", whole(part.seen.down))
			if part.ours && part.seen.own > 0 {
				phrase, args = phrase+".own", append(args, "own", whole(part.seen.own))
			}
			add(posterior(mean, rest), incidents.Because(phrase, args...))
		}
	}
	if check := ownCheck(cand.Action, c); check != "" {
		add(posterior(mean-ownCheckBonus, k), incidents.Because("why.check", "check", check))
	}
	if cand.Fit > 0 {
		rest := cand
		rest.Fit = 0
		add(posterior(prior(&rest, c), k), incidents.Because("why.fit"))
	}
	if cand.Learned != 0 {
		rest := cand
		rest.Learned = 0
		add(posterior(prior(&rest, c), k), cand.because())
	}
	slices.SortStableFunc(terms, func(a, b incidents.Term) int {
		return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight))
	})
	if raw == (classes{}) && cand.Learned == 0 {
		terms = append(terms, incidents.Term{Because: incidents.Because("why.untried")})
	}
	return terms
}

func whole(n float64) string { return strconv.Itoa(int(n)) }
