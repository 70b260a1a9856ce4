package factored

import (
	"math"
	"slices"
)

// memory keeps the latest situations, and what was said of actions in them. It
// finds similar ones through the list of those that have a feature.
type memory struct {
	limit, neighbours     int
	sharp, recent, smooth float64
	cases                 []*remembered // a ring
	count                 int           // situations ever
	byID                  map[string]*remembered
	having                map[uint64][]int32 // places in the ring, the oldest first
}

type remembered struct {
	ID      string
	hashes  []uint64
	Said    []said
	Outcome bool
	number  int
}

// said is what is known of an action in a remembered situation.
type said struct {
	action int
	right  bool
	mass   float64
}

func newMemory(c Config) memory {
	return memory{limit: c.Memory, neighbours: c.Neighbours, sharp: c.Sharp, recent: c.Recent, smooth: c.NearSmooth,
		byID: map[string]*remembered{}, having: map[uint64][]int32{}}
}

// say remembers. An outcome replaces what people thought, and stays.
func (k *memory) say(id string, x *Situation, s said, outcome bool) {
	r := k.byID[id]
	if r == nil {
		r = k.remember(id, x)
	}
	switch {
	case outcome && !r.Outcome:
		r.Said, r.Outcome = []said{s}, true
	case outcome || !r.Outcome:
		r.Said = append(r.Said, s)
	}
}

func (k *memory) remember(id string, x *Situation) *remembered {
	r := &remembered{ID: id, hashes: x.hashes, number: k.count}
	at := k.count % k.limit
	if at == len(k.cases) {
		k.cases = append(k.cases, r)
	} else {
		k.forget(k.cases[at])
		k.cases[at] = r
	}
	for _, h := range r.hashes {
		k.having[h] = append(k.having[h], int32(at))
	}
	k.byID[id] = r
	k.count++
	return r
}

func (k *memory) forget(r *remembered) {
	delete(k.byID, r.ID)
	for _, h := range r.hashes {
		if list := k.having[h][1:]; len(list) > 0 {
			k.having[h] = list
		} else {
			delete(k.having, h)
		}
	}
}

// neighbour is a similar situation, by its place in the ring.
type neighbour struct {
	at       int
	likeness float64
}

// near says of each action how often it was right, and how often wrong, in the
// most similar situations, the most similar one first.
func (k *memory) near(best []neighbour, actions int) (right, wrong []float64) {
	right, wrong = make([]float64, actions), make([]float64, actions)
	if len(best) == 0 {
		return right, wrong
	}
	sum, outcomes := 0., 0.
	judged := make([]float64, actions)
	for _, n := range best {
		w := math.Pow(n.likeness/best[0].likeness, k.sharp)
		sum += w
		r := k.cases[n.at]
		if r.Outcome {
			outcomes += w
		}
		for _, s := range r.Said {
			if s.right {
				right[s.action] += w * s.mass
			} else {
				wrong[s.action] += w * s.mass
			}
			if !r.Outcome {
				judged[s.action] += w * s.mass
			}
		}
	}
	for i := range right {
		of := max(outcomes+judged[i], k.smooth*sum)
		right[i], wrong[i] = rarity(right[i]/of), rarity(wrong[i]/of)
	}
	return right, wrong
}

// similar are the most similar situations. A feature that few have counts more
// (its inverse frequency, https://doi.org/10.1108/eb026526), and so does a
// situation of late.
func (k *memory) similar(x *Situation) []neighbour {
	likeness := make([]float32, len(k.cases))
	for _, h := range x.hashes {
		list := k.having[h]
		w := float32(math.Log(float64(len(k.cases)+1)/float64(len(list)+1)) + .1)
		for _, at := range list {
			likeness[at] += w
		}
	}
	best := make([]neighbour, 0, k.neighbours+1)
	least := 0.
	for at, r := range k.cases {
		like := float64(likeness[at])
		if like <= least || len(r.Said) == 0 {
			continue
		}
		like /= 1 + float64(k.count-r.number)/k.recent
		if like <= least {
			continue
		}
		i, _ := slices.BinarySearchFunc(best, like, func(n neighbour, like float64) int {
			if n.likeness >= like {
				return -1
			}
			return 1
		})
		best = slices.Insert(best, i, neighbour{at, like})
		if len(best) > k.neighbours {
			best = best[:k.neighbours]
			least = best[len(best)-1].likeness
		}
	}
	return best
}
