package learning

import (
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Unnamed are the terms without the incidents that may not be named where they are
// read: what was learned there still counts, as all that is learned does.
func Unnamed(terms []incidents.Term, may func(incidents.ID) bool) []incidents.Term {
	terms = slices.Clone(terms)
	for i := range terms {
		because := terms[i].Because
		if because.Phrase != phraseLike {
			continue
		}
		if id, ok := incidents.ParseID(because.Args["incident"]); !ok || !may(id) {
			terms[i].Because = incidents.Because("why.learned.by", "features", because.Args["features"])
		}
	}
	return terms
}
