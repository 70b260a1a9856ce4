package learning

import (
	"encoding/binary"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// MaxExplore is the largest share of incidents in which a place may be given to an
// action of which little is known.
const MaxExplore = 0.1

// exploredPlace is the place that is given: the third. What is believed to be best
// stays where people look first.
const exploredPlace = 2

// Explore gives, in that share of the incidents, the third place to an action from
// further down, so that it gets its chance to be judged. Only those that safe says
// may move: read-only ones and those of low risk. It draws by the incident's number,
// so that its list does not jump and is the same on every replica, and writes down
// how probable each place was. A share of 0 changes nothing.
func Explore(ranked []Ranked, safe func(action string) bool, share float64, id incidents.ID) []Ranked {
	share = min(max(share, 0), MaxExplore)
	var pool []int
	for i := exploredPlace + 1; i < len(ranked); i++ {
		if safe(ranked[i].Action) {
			pool = append(pool, i)
		}
	}
	if share == 0 || len(pool) == 0 {
		return ranked
	}
	out := slices.Clone(ranked)
	propensity := 1 - share
	if draw("share", id) < share {
		from := slices.MinFunc(pool, func(a, b int) int { // stays while it is in the pool
			return compareDraws(draw(ranked[a].Action, id), draw(ranked[b].Action, id))
		})
		moved := out[from]
		out = slices.Insert(slices.Delete(out, from, from+1), exploredPlace, moved)
		propensity = share / float64(len(pool))
	}
	for i := exploredPlace; i < len(out); i++ {
		out[i].Propensity = propensity
	}
	return out
}

// draw is a number from 0 up to 1 that depends on nothing but its arguments.
func draw(of string, id incidents.ID) float64 {
	key := incidents.KeyOf("explore", of, id.String())
	return float64(binary.BigEndian.Uint64(key[:8])>>11) / (1 << 53)
}

func compareDraws(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
