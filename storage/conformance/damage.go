package conformance

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// DamagedFact holds a store to what must come of a fact that can no longer be read:
// the others are told, it is told as unreadable, and it stays where it is. damage
// changes a fact's bytes.
func DamagedFact(t *testing.T, s storage.Store, damage func(shard int, seq int64)) {
	t.Helper()
	shard := s.Shards() - 1
	var facts []incidents.Fact
	for i := range 3 {
		facts = append(facts, incidents.Fact{Kind: incidents.FactOutcome, Incident: incidents.ID(i + 1), Action: "restart", Value: 1, At: epoch})
	}
	check(t, s.Commit(t.Context(), &incidents.Commit{Shard: shard, Facts: facts}))
	damage(shard, 2)
	for range 2 {
		got, err := s.Facts(t.Context(), shard, 0, 10)
		check(t, err)
		equal(t, "facts", len(got), 3)
		equal(t, "the damaged one", got[1].Kind, incidents.FactUnreadable)
		for i, f := range got {
			equal(t, "seq", f.Seq, int64(i+1))
			equal(t, "whole", i == 1 || f.Incident == incidents.ID(i+1) && f.Action == "restart" && f.At.Equal(epoch), true)
		}
		check(t, s.Commit(t.Context(), &incidents.Commit{Shard: shard})) // it is in nobody's way
	}
}
