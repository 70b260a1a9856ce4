package anomaly

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// patterns knows what follows what, after the contextual anomaly detector of
// M. Smirnov (CAD OSE, 2016, which the Numenta Anomaly Benchmark describes). A
// value is a few facts, the bits of its place in a grid. A context is a set of
// facts, and the facts that came next; the facts before a value are the bits of
// the one before it and which contexts were at work then. A value is strange
// when contexts that fit did not foretell it, and when it is the start of new ones.
type patterns struct {
	low, step float64
	known     [2]sides // what comes before, and after
	contexts  []context
	before    []int32
	newest    int32
}

const (
	bits        = 3  // of the grid: eight steps
	longest     = 7  // facts before a value, in contexts made of parts of others
	active      = 15 // contexts that become facts themselves
	maxContexts = 3000
	contextFact = 1 << 20 // facts from here on are contexts
)

// context is one "after these facts came those".
type context struct {
	hits int32
	seen bool // as a whole, not only as what two others share
}

// side has the sets of facts before, or after.
type sides struct {
	byFact  map[int32][]int32
	byKey   map[string]int32
	sets    []set
	crossed []int32 // sets that share a fact with the value
}

// set is some facts, and which of them the value has.
type set struct {
	size    int
	found   []int32
	follows []follow // of sets before: what came after
}

type follow struct{ after, context int32 }

func newPatterns(low, high float64) *patterns {
	p := &patterns{low: low, step: (high - low) / (1<<bits - 1), newest: -1}
	if p.step == 0 {
		p.step = 1
	}
	for i := range p.known {
		p.known[i] = sides{byFact: map[int32][]int32{}, byKey: map[string]int32{}}
	}
	return p
}

// add takes the next value and says from 0 to 1 how strange it is here.
func (p *patterns) add(x float64) float64 {
	place := max(0, min(int((x-p.low)/p.step), 1<<bits-1))
	facts := make([]int32, bits)
	for b := range facts {
		facts[b] = int32(2*b + place>>b&1)
	}
	foretold, fresh := p.advance(facts)
	return (1 - foretold + fresh) / 2
}

// advance says which share of the contexts that fit came true, and which share
// of the contexts that could be new are.
func (p *patterns) advance(facts []int32) (foretold, fresh float64) {
	possible := map[string]bool{}
	isNew := false
	if len(p.before) > 0 {
		possible[key(p.before)+"|"+key(facts)] = true
		isNew = p.learn(p.before, facts, true)
	}
	p.known[1].cross(facts)
	cameTrue, fitting, parts := p.judge(isNew)
	if fitting > 0 {
		foretold = float64(len(cameTrue)) / float64(fitting)
	}
	p.newest = -1
	slices.SortFunc(cameTrue, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.contexts[a].hits, p.contexts[b].hits), cmp.Compare(a, b))
	})
	if len(cameTrue) > active {
		cameTrue = cameTrue[len(cameTrue)-active:]
	}
	p.before = append(p.before[:0], facts...)
	for _, c := range cameTrue {
		p.before = append(p.before, contextFact+c)
	}
	slices.Sort(p.before)
	learnt := 0
	for _, part := range parts {
		possible[key(part[0])+"|"+key(part[1])] = true
		if p.learn(part[0], part[1], false) {
			learnt++
		}
	}
	p.known[0].cross(p.before)
	if isNew {
		fresh = float64(learnt+1) / float64(len(possible))
	}
	return foretold, fresh
}

// judge goes through the contexts that share a fact with what was before: how
// many fit, which of them came true, and what others share with the new one.
func (p *patterns) judge(isNew bool) (cameTrue []int32, fitting int, parts [][2][]int32) {
	for _, at := range p.known[0].crossed {
		before := &p.known[0].sets[at]
		fits := len(before.found) == before.size
		for _, f := range before.follows {
			if f.context == p.newest {
				continue
			}
			after, c := &p.known[1].sets[f.after], &p.contexts[f.context]
			if fits {
				fitting++
			}
			if fits && len(after.found) == after.size {
				c.hits++
				cameTrue = append(cameTrue, f.context)
				continue
			}
			if c.seen && isNew && len(after.found) > 0 && len(before.found) <= longest {
				parts = append(parts, [2][]int32{slices.Clone(before.found), slices.Clone(after.found)})
			}
		}
	}
	return cameTrue, fitting, parts
}

// learn keeps a context and says whether it is new. When there is no more room
// nothing is: the series has then more patterns than are of use.
func (p *patterns) learn(before, after []int32, whole bool) bool {
	if len(p.contexts) >= maxContexts {
		return false
	}
	b, a := p.known[0].set(before), p.known[1].set(after)
	for _, f := range p.known[0].sets[b].follows {
		if f.after == a {
			p.contexts[f.context].seen = p.contexts[f.context].seen || whole
			return false
		}
	}
	id := int32(len(p.contexts))
	p.known[0].sets[b].follows = append(p.known[0].sets[b].follows, follow{a, id})
	p.contexts = append(p.contexts, context{seen: whole})
	if whole {
		p.newest = id
	}
	return true
}

// set is the number of a set of facts.
func (s *sides) set(facts []int32) int32 {
	k := key(facts)
	if id, ok := s.byKey[k]; ok {
		return id
	}
	id := int32(len(s.sets))
	s.byKey[k] = id
	s.sets = append(s.sets, set{size: len(facts)})
	for _, f := range facts {
		s.byFact[f] = append(s.byFact[f], id)
	}
	return id
}

// cross finds the sets that have one of the facts.
func (s *sides) cross(facts []int32) {
	for _, id := range s.crossed {
		s.sets[id].found = s.sets[id].found[:0]
	}
	s.crossed = s.crossed[:0]
	for _, f := range facts {
		for _, id := range s.byFact[f] {
			if len(s.sets[id].found) == 0 {
				s.crossed = append(s.crossed, id)
			}
			s.sets[id].found = append(s.sets[id].found, f)
		}
	}
}

func key(facts []int32) string {
	b := make([]byte, 0, 4*len(facts))
	for _, f := range facts {
		b = binary.LittleEndian.AppendUint32(b, uint32(f))
	}
	return string(b)
}
