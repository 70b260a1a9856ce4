package factored

import "math"

// view is all that the model has to say of one situation. Each column speaks of
// every action, and has one shared weight.
type view struct {
	similar []neighbour
	linear  []float64
	columns []column
	score   []float64
}

type column struct {
	weight *entry
	of     []float64 // by action
}

// look scores all actions.
func (m *Model) look(x *Situation) *view {
	v := &view{similar: m.memory.similar(x), linear: m.linear(x)}
	right, wrong := m.memory.near(v.similar, len(m.actions))
	common := make([]float64, len(m.actions))
	for i, n := range m.common {
		common[i] = rarity(n.right / (m.total + n.judged + 5))
	}
	s := &m.shared
	v.columns = append(v.columns, column{&s.Linear, v.linear}, column{&s.Near, right}, column{&s.NearWrong, wrong}, column{&s.Common, common})
	for i, f := range x.Features {
		if r := m.rows[x.hashes[i]]; r != nil && len(r.Outputs) > 0 {
			v.columns = append(v.columns, column{&s.field(f.Field).Share, m.share(r)})
		}
		if k, ok := m.kin[f.Value]; ok {
			v.columns = append(v.columns, column{&s.field(f.Field).Same, m.sameKin(k)})
		}
	}
	v.score = make([]float64, len(m.actions))
	for _, c := range v.columns {
		w := float64(c.weight.W)
		for i, x := range c.of {
			v.score[i] += w * x
		}
	}
	return v
}

// linear is the sum of the features' weights.
func (m *Model) linear(x *Situation) []float64 {
	sums := make([]float64, len(m.outputs))
	for i := range sums {
		sums[i] = float64(m.outputs[i].Bias.W)
	}
	for _, h := range x.hashes {
		if r := m.rows[h]; r != nil {
			for i, o := range r.Outputs {
				sums[o] += float64(r.Cells[i].W)
			}
		}
	}
	scores := make([]float64, len(m.actions))
	for i := range m.actions {
		a := &m.actions[i]
		scores[i] = m.c.Bias + sums[a.Self]
		for _, k := range a.Kin {
			scores[i] += sums[k]
		}
	}
	return scores
}

// share says how much more often than elsewhere each action was right where the
// row's feature was there, as a logarithm.
func (m *Model) share(r *row) []float64 {
	of := make([]float64, len(m.actions))
	none := m.none(r)
	for i := range of {
		of[i] = none
	}
	for n, o := range r.Outputs {
		i := m.outputs[o].Action
		if i < 0 {
			continue
		}
		c, k := &r.Cells[n], m.common[i]
		usual := (k.right + .5) / (m.total + k.judged + .5*float64(len(m.actions)))
		of[i] = math.Log((float64(c.N)/usual + m.c.Smooth) / (float64(r.Total) + float64(c.T) + m.c.Smooth))
	}
	return of
}

// none is the share of an action that was never right there.
func (m *Model) none(r *row) float64 {
	return math.Log(m.c.Smooth / (float64(r.Total) + m.c.Smooth))
}

// sameKin marks the actions that have the kin.
func (m *Model) sameKin(kin uint16) []float64 {
	of := make([]float64, len(m.actions))
	for i := range m.actions {
		for _, k := range m.actions[i].Kin {
			if k == kin {
				of[i] = 1
			}
		}
	}
	return of
}

// rarity makes shares comparable: from 0 for none to 5.3 for all.
func rarity(share float64) float64 {
	if share <= 0 {
		return 0
	}
	return math.Log1p(share / .005)
}
