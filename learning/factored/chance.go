package factored

import (
	"cmp"
	"slices"
)

// Opinion is all that the model has to say of one situation, until it learns again.
type Opinion struct {
	m *Model
	x *Situation
	v *view
}

// Consider looks at a situation once, for all that is asked of it.
func (m *Model) Consider(x *Situation) *Opinion { return &Opinion{m, x, m.look(x)} }

// Chances says of each of some actions how likely it is that it is the right one,
// if one of them is. Actions that the model does not know are as likely as one
// that it knows nothing of.
func (o *Opinion) Chances(ids []string) []float64 {
	if len(ids) == 0 {
		return nil
	}
	m, all := o.m, o.v.score
	of := make([]float64, len(ids))
	unknown := m.blank(o.x)
	for n, id := range ids {
		of[n] = unknown
		if i, ok := m.index[id]; ok {
			of[n] = all[i]
		}
	}
	return softmax(of)
}

// blank is the score of an action of which nothing was ever said.
func (m *Model) blank(x *Situation) float64 {
	s := float64(m.shared.Linear.W) * m.c.Bias
	for i, f := range x.Features {
		if r := m.rows[x.hashes[i]]; r != nil && len(r.Outputs) > 0 {
			s += float64(m.shared.field(f.Field).Share.W) * m.none(r)
		}
	}
	return s
}

// Part is what one feature adds to an action's score.
type Part struct {
	Feature Feature
	Weight  float64
}

// Explain takes the features' part of an action's score apart, the largest
// first.
func (o *Opinion) Explain(id string, limit int) []Part {
	m, x := o.m, o.x
	i, ok := m.index[id]
	if !ok {
		return nil
	}
	a := &m.actions[i]
	var parts []Part
	for n, f := range x.Features {
		r := m.rows[x.hashes[n]]
		if r == nil {
			continue
		}
		w := float64(r.weight(a.Self))
		for _, k := range a.Kin {
			w += float64(r.weight(k))
		}
		if w != 0 {
			parts = append(parts, Part{f, w * float64(m.shared.Linear.W)})
		}
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(b.Weight, a.Weight) })
	return parts[:min(len(parts), limit)]
}

// Like is the most similar situation in which the action was right, "" for none.
func (o *Opinion) Like(id string) string {
	i, ok := o.m.index[id]
	if !ok {
		return ""
	}
	for _, n := range o.v.similar {
		r := o.m.memory.cases[n.at]
		if slices.ContainsFunc(r.Said, func(s said) bool { return s.action == i && s.right }) {
			return r.ID
		}
	}
	return ""
}
