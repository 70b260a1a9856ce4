// Package conformance is what every store must do, as one suite of tests. It
// knows a store only by storage.Store.
//
// Start with [Run].
package conformance

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/storage"
)

// Opener opens a new, empty store, and closes it with the test.
type Opener func(t *testing.T) storage.Store

// Run runs the whole suite, each part against a store of its own.
func Run(t *testing.T, open Opener) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s storage.Store)
	}{
		{"append and read", testAppendRead},
		{"append in parallel", testAppendParallel},
		{"read in portions", testReadPortions},
		{"marks", testMarks},
		{"numbers", testNewIDs},
		{"an incident's life", testIncident},
		{"snapshots", testSnapshots},
		{"load many", testLoadMany},
		{"commit refuses nonsense", testNonsense},
		{"conflict on version", testVersionConflict},
		{"conflict on group", testGroupConflict},
		{"a refused commit leaves nothing", testRefusedLeavesNothing},
		{"racing commits", testRacingCommits},
		{"racing openings", testRacingOpenings},
		{"once", testOnce},
		{"list", testList},
		{"claim in order", testClaimOrder},
		{"due later", testDueLater},
		{"an effect asked for while claimed is heard of", testAgainIsHeard},
		{"coalesce while waiting", testCoalesceWaiting},
		{"coalesce while claimed", testCoalesceClaimed},
		{"ask again while acknowledging", testAskAgain},
		{"expired lease", testExpiredLease},
		{"extend", testExtend},
		{"retry", testRetry},
		{"fencing outlives the effect", testFencing},
		{"dead letters", testDeadLetters},
		{"racing claims", testRacingClaims},
		{"racing acknowledgements", testRacingDone},
		{"any shard", testAnyShard},
		{"backlog", testBacklog},
		{"rooms", testRooms},
		{"racing posts", testRacingPosts},
		{"settings", testSettings},
		{"racing settings", testRacingSettings},
		{"rings", testRings},
		{"bounds of rings", testRingBounds},
		{"racing rings", testRacingRings},
		{"facts", testFacts},
		{"signals", testSignals},
		{"leases", testLeases},
		{"prune", testPrune},
		{"health", testHealth},
		{"nothing is there", testNotFound},
		{"hostile text", testHostileText},
		{"audit", testAudit},
		{"audit is compare and swap", testAuditSwap},
		{"racing appends to the audit", testAuditRace},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}
