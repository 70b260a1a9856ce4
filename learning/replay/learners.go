package replay

import (
	"math/rand/v2"

	"github.com/hikeshi-ops/hikeshi/learning/factored"
)

// Names of the learners of Table, in its order.
var Names = []string{"popularity", "category", "knn", "beta", "ours"}

// Table are the ways of ranking that are shown side by side, ours the last.
func Table(seed uint64) []Learner {
	return []Learner{
		&Popular{}, &BackOff{}, Nearest{factored.NewNearest(factored.DefaultConfig())},
		&Buckets{Chance: rand.New(rand.NewPCG(seed, 11))}, Ours{factored.New(factored.DefaultConfig())},
	}
}
