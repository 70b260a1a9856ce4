package replay

import (
	"math/rand/v2"
	"slices"
)

// Regime is what a learner is told after its ranking was scored.
type Regime string

// The regimes.
const (
	F0     Regime = "F0"     // the right action, at once
	FD     Regime = "FD"     // the right action, once it was resolved
	S0     Regime = "S0"     // a true thumb for each of the three shown
	SN     Regime = "SN"     // as S0 for 30 % of the incidents, a twentieth of the thumbs wrong
	Warm   Regime = "WARM"   // the first tenth as F0, then as S0
	WarmN  Regime = "WARMN"  // the first tenth as F0, then as SN
	CombN  Regime = "COMBN"  // as SN, and the right action once it was resolved
	B1     Regime = "B1"     // a true thumb for the first shown, nothing else
	Frozen Regime = "FROZEN" // the first tenth as F0, then nothing
)

// Regimes are all of them.
var Regimes = []Regime{F0, FD, S0, SN, Warm, WarmN, CombN, B1, Frozen}

// shownActions is how many actions a room looks at.
const shownActions = 3

// Noise is how people vote in the regimes SN, WARMN and COMBN.
type Noise struct {
	Votes float64 // share of incidents that get thumbs
	Flips float64 // share of thumbs that say the opposite
}

// DefaultNoise is that of the protocol.
var DefaultNoise = Noise{Votes: .30, Flips: .05}

// opinion is what people say of the shown actions, drawn before it is known
// what is shown, so that every learner meets the same people.
type opinion struct {
	votes bool
	wrong [shownActions]bool
}

func draw(rng *rand.Rand, n Noise) opinion {
	o := opinion{votes: rng.Float64() < n.Votes}
	for i := range o.wrong {
		o.wrong[i] = rng.Float64() < n.Flips
	}
	return o
}

// told is what a regime tells of one incident, early says that it is of the
// first tenth.
type told struct {
	now, later bool // the right action
	thumbs     int  // of so many
	noisy      bool
}

func (r Regime) tells(early bool) told {
	switch r {
	case F0:
		return told{now: true}
	case FD:
		return told{later: true}
	case S0:
		return told{thumbs: shownActions}
	case SN:
		return told{thumbs: shownActions, noisy: true}
	case CombN:
		return told{thumbs: shownActions, noisy: true, later: true}
	case B1:
		return told{thumbs: 1}
	}
	switch {
	case early:
		return told{now: true}
	case r == Warm:
		return told{thumbs: shownActions}
	case r == WarmN:
		return told{thumbs: shownActions, noisy: true}
	}
	return told{}
}

// Known says whether there is such a regime.
func (r Regime) Known() bool { return slices.Contains(Regimes, r) }

// Chance says whether the regime depends on the seed.
func (r Regime) Chance() bool { return r.tells(false).noisy }
