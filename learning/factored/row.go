package factored

import (
	"math"
	"slices"
)

// row is what is known of one feature: of each output that it was ever learned
// with, a weight and how often the two were right together. An output is an
// action or one of its kin. Rows are sparse: most features meet few actions.
type row struct {
	Outputs []uint16 // ascending
	Cells   []entry
	Total   float32 // of all counts of actions
	At      int64   // seconds: what it is decayed to
	Used    int64   // by the model's count of lessons
}

// entry is a weight with AdaGrad's sum of squared gradients
// (https://jmlr.org/papers/v12/duchi11a.html), and a count.
type entry struct {
	W, G float32
	N    float32 // how often the action was right
	T    float32 // how often nothing but the action was judged
}

// at is the entry of an output, made where there was none.
func (r *row) at(output uint16) *entry {
	i, found := slices.BinarySearch(r.Outputs, output)
	if !found {
		r.Outputs = slices.Insert(r.Outputs, i, output)
		r.Cells = slices.Insert(r.Cells, i, entry{})
	}
	return &r.Cells[i]
}

// weight is that of an output, 0 where the two never met.
func (r *row) weight(output uint16) float32 {
	if i, found := slices.BinarySearch(r.Outputs, output); found {
		return r.Cells[i].W
	}
	return 0
}

// fade brings the row to the present: what was learned long ago counts less.
func (r *row) fade(now int64, halfLife float64) {
	if now <= r.At {
		return
	}
	if r.At > 0 {
		left := float32(math.Exp2(-float64(now-r.At) / halfLife))
		r.Total *= left
		for i := range r.Cells {
			c := &r.Cells[i]
			c.W, c.G, c.N, c.T = c.W*left, c.G*left, c.N*left, c.T*left
		}
	}
	r.At = now
}

// step goes down the gradient.
func (e *entry) step(gradient, rate float64) {
	e.G += float32(gradient * gradient)
	e.W -= float32(rate * gradient / (math.Sqrt(float64(e.G)) + 0.1))
}
