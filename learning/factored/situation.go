package factored

import "strings"

// Feature is one thing that is known of a situation: a field and its value.
type Feature struct{ Field, Value string }

// Situation is what the model sees: at most MaxFeatures features.
type Situation struct {
	Features []Feature
	hashes   []uint64 // of each of them
	Dropped  int      // features beyond the bound
}

// MaxFeatures bounds a situation, and with it the work of a ranking. Those that
// come first are kept.
const MaxFeatures = 48

// NewSituation hashes features. Those that say nothing are left out: that
// something is unknown is no likeness.
func NewSituation(features []Feature) *Situation {
	s := &Situation{Features: make([]Feature, 0, min(len(features), MaxFeatures))}
	for _, f := range features {
		switch {
		case unknown(f.Value):
		case len(s.Features) == MaxFeatures:
			s.Dropped++
		default:
			s.Features = append(s.Features, f)
			s.hashes = append(s.hashes, hash(f.Field, f.Value))
		}
	}
	return s
}

func unknown(value string) bool {
	switch strings.ToLower(value) {
	case "", "?", "-", "unknown", "none", "null":
		return true
	}
	return false
}

// hash is FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), finished as in
// SplitMix64 (https://doi.org/10.1145/2660193.2660195).
func hash(field, value string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [...]string{field, "\x00", value} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
