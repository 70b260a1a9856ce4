package factored

import (
	"math"
	"slices"
)

// Config are the model's constants: one set for every use. How they were chosen
// stands in docs/quality.md.
type Config struct {
	Rate       float64 // of the weights of features
	KinRate    float64 // the same of an action's kin
	MixRate    float64 // of the shared weights
	Rivals     int     // the best-scored wrong actions that an outcome pushes down
	Thumb      float64 // what a thumb weighs against an outcome
	Bias       float64 // an action's score before anything is known
	HalfLife   float64 // seconds after which a lesson counts half
	Smooth     float64 // imagined situations behind a share of a feature
	Neighbours int     // similar situations that are asked
	Memory     int     // situations that are kept
	Sharp      float64 // how much more the most similar ones count
	Recent     float64 // situations after which likeness counts half
	Rows       int     // features that are kept
	Cells      int     // pairs of a feature and an action or kin that are kept
	NearSmooth float64 // the least share of the neighbours by which an action is judged
	Start      Start   // shared weights before anything was learned
}

// Start are the shared weights that a model begins with.
type Start struct{ Linear, Near, NearWrong, Common, Field, Same float64 }

// DefaultConfig is what the product uses.
func DefaultConfig() Config {
	return Config{
		Rate: .12, KinRate: .1, MixRate: .05, Rivals: 8, Thumb: .5, Bias: -4,
		HalfLife: 180 * 24 * 3600, Smooth: 2,
		Neighbours: 60, Memory: 20_000, Sharp: 5, Recent: 8000, NearSmooth: .3,
		Rows: 100_000, Cells: 1_000_000,
		Start: Start{Linear: .6, Near: .6, NearWrong: -.5, Common: .1, Field: .03, Same: 2.5},
	}
}

// Model ranks actions. It is not safe for concurrent use.
type Model struct {
	c       Config
	rows    map[uint64]*row
	actions []action
	index   map[string]int
	outputs []output
	kin     map[string]uint16
	shared  shared
	memory  memory
	common  []known // by action
	total   float64
	lessons int64
	cells   int
	dropped Dropped
}

type action struct {
	ID   string
	Self uint16
	Kin  []uint16
}

// output is an action or a kin, with its weight whatever the features.
type output struct {
	Bias   entry
	Action int32 // −1: a kin
}

// New makes a model that has learned nothing.
func New(c Config) *Model {
	return &Model{c: c, rows: map[uint64]*row{}, index: map[string]int{}, kin: map[string]uint16{},
		shared: newShared(c.Start), memory: newMemory(c)}
}

// Bounds of the catalogue.
const (
	MaxActions = 20_000
	maxKin     = 8      // of one action
	maxOutputs = 60_000 // actions and kin together: their numbers are 16 bits
)

// Join puts an action into the catalogue, and says its number; −1 where the
// catalogue is full. Kin are what it has in common with other actions: its
// group, its tags. Feedback for no action teaches nothing.
func (m *Model) Join(id string, kin ...string) int {
	if i, ok := m.index[id]; ok {
		return i
	}
	if len(m.actions) == MaxActions {
		m.dropped.Actions++
		return -1
	}
	kin = kin[:min(len(kin), maxKin)]
	i := len(m.actions)
	a := action{ID: id, Self: m.output(int32(i))}
	for _, k := range kin {
		o, ok := m.kin[k]
		if !ok && len(m.outputs) >= maxOutputs-MaxActions {
			continue
		}
		if !ok {
			o = m.output(-1)
			m.kin[k] = o
		}
		a.Kin = append(a.Kin, o)
	}
	m.index[id] = i
	m.actions = append(m.actions, a)
	m.common = append(m.common, known{})
	return i
}

func (m *Model) output(action int32) uint16 {
	m.outputs = append(m.outputs, output{Action: action})
	return uint16(len(m.outputs) - 1)
}

// Rank gives the best k actions, the best first.
func (m *Model) Rank(x *Situation, k int) []int {
	return top(m.look(x).score, k)
}

func top(s []float64, k int) []int {
	best := make([]int, 0, k+1)
	for i := range s {
		if len(best) == k && s[i] <= s[best[k-1]] {
			continue
		}
		at := len(best)
		for at > 0 && s[best[at-1]] < s[i] {
			at--
		}
		best = slices.Insert(best, at, i)
		best = best[:min(len(best), k)]
	}
	return best
}

// Outcome teaches that an action was right.
func (m *Model) Outcome(id string, x *Situation, i int, at int64) {
	if i < 0 || i >= len(m.actions) {
		return
	}
	v := m.look(x)
	m.shared.towards(v, i, m.c.MixRate)
	rivals := top(v.linear, m.c.Rivals+1)
	m.learn(x, v.linear[i], i, 1, 1, at)
	for n, r := range rivals {
		if r != i && n <= m.c.Rivals {
			m.learn(x, v.linear[r], r, 0, 1, at)
		}
	}
	m.memory.say(id, x, said{i, true, 1}, true)
	m.count(x, i, 1, 0)
	m.total++
	for _, h := range x.hashes {
		m.row(h).Total++
	}
}

// Thumb teaches what a person thinks of an action. It leaves the shared weights
// alone: whoever only hears of what was shown would come to trust whatever
// chose it.
func (m *Model) Thumb(id string, x *Situation, i int, up bool, at int64) {
	if i < 0 || i >= len(m.actions) {
		return
	}
	y := 0.
	if up {
		y = 1
	}
	m.learn(x, m.linear(x)[i], i, y, m.c.Thumb, at)
	m.count(x, i, y*m.c.Thumb, m.c.Thumb)
	m.memory.say(id, x, said{i, up, 1}, false)
}

// Failed teaches that an action was carried out and did not help. What would
// have helped stays unknown.
func (m *Model) Failed(id string, x *Situation, i int, at int64) {
	if i < 0 || i >= len(m.actions) {
		return
	}
	m.learn(x, m.linear(x)[i], i, 0, 1, at)
	m.count(x, i, 0, 1)
	m.memory.say(id, x, said{i, false, 1}, false)
}

// learn moves the weights of one action, and of its kin, towards y.
func (m *Model) learn(x *Situation, score float64, i int, y, mass float64, at int64) {
	g := (sigmoid(score) - y) * mass
	a := &m.actions[i]
	m.lessons++
	m.outputs[a.Self].Bias.step(g, m.c.Rate)
	for _, k := range a.Kin {
		m.outputs[k].Bias.step(g, m.c.KinRate)
	}
	for _, h := range x.hashes {
		r := m.row(h)
		r.Used = m.lessons
		r.fade(at, m.c.HalfLife)
		before := len(r.Cells)
		r.at(a.Self).step(g, m.c.Rate)
		for _, k := range a.Kin {
			r.at(k).step(g, m.c.KinRate)
		}
		m.cells += len(r.Cells) - before
	}
	m.forget()
}

func (m *Model) row(h uint64) *row {
	r := m.rows[h]
	if r == nil {
		r = &row{}
		m.rows[h] = r
	}
	return r
}

// count keeps how often an action was right where each feature was there, and
// in how many situations nothing but that action was judged. What was not
// judged is not wrong: a model that takes silence for a no never finds out.
func (m *Model) count(x *Situation, i int, right, judged float64) {
	for _, h := range x.hashes {
		e := m.row(h).at(m.actions[i].Self)
		e.N += float32(right)
		e.T += float32(judged)
	}
	m.common[i].right += right
	m.common[i].judged += judged
}

// known is what is known of an action whatever the situation.
type known struct{ right, judged float64 }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
