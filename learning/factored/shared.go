package factored

import (
	"math"
	"slices"
)

// maxFields bounds the fields with a weight of their own; others share one.
const maxFields = 256

// shared are the weights that all actions have in common: how far each source of
// knowledge is to be believed.
type shared struct {
	Linear, Near, NearWrong, Common entry
	Fields                          map[string]*fieldWeights
	start                           Start
}

// fieldWeights are those of a field of the situation: of the share of an action
// among situations with the same value, and of an action that has the value
// among its kin.
type fieldWeights struct{ Share, Same entry }

func newShared(s Start) shared {
	at := func(w float64) entry { return entry{W: float32(w)} }
	return shared{Linear: at(s.Linear), Near: at(s.Near), NearWrong: at(s.NearWrong), Common: at(s.Common),
		Fields: map[string]*fieldWeights{}, start: s}
}

func (s *shared) field(name string) *fieldWeights {
	if len(s.Fields) >= maxFields && s.Fields[name] == nil {
		name = ""
	}
	f := s.Fields[name]
	if f == nil {
		f = &fieldWeights{Share: entry{W: float32(s.start.Field)}, Same: entry{W: float32(s.start.Same)}}
		s.Fields[name] = f
	}
	return f
}

// towards moves the shared weights so that action i stands higher among all: the
// gradient of the softmax's likelihood.
func (s *shared) towards(v *view, i int, rate float64) {
	p := softmax(v.score)
	p[i]--
	gradients := make([]float64, len(v.columns))
	for n, c := range v.columns {
		for a, x := range c.of {
			gradients[n] += p[a] * x
		}
	}
	for n, g := range gradients {
		v.columns[n].weight.step(g, rate)
	}
}

func softmax(scores []float64) []float64 {
	p := make([]float64, len(scores))
	most, sum := slices.Max(scores), 0.
	for i, s := range scores {
		p[i] = math.Exp(s - most)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
