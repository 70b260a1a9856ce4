package config

import (
	"strconv"

	"github.com/hikeshi-ops/hikeshi/learning"
)

// Learning is how far the ranking may try what it knows little of.
type Learning struct {
	Explore float64 `yaml:"explore"`
}

// learning refuses a share that would be a gamble.
func (s *settler) learning() {
	if e := s.Learning.Explore; !(e >= 0 && e <= learning.MaxExplore) {
		s.note(wrong("learning.explore", "config.explore", "value", strconv.FormatFloat(e, 'g', -1, 64),
			"most", strconv.FormatFloat(learning.MaxExplore, 'g', -1, 64)))
	}
}
