// Package trail writes the audit: it numbers records into the one chain of a
// store, whoever else appends to it, and keeps signed checkpoints elsewhere.
//
//	trail.go    what callers see: Begin and End, Note, Problems, Run
//	append.go   one batch at a time onto the head, by compare-and-swap
//	judge.go    is this the chain that we know? Before the first record, and again
//	            whenever somebody else has appended
//	owed.go     outcomes that are owed: ours again and again, a dead process's as unknown
//	sink.go     checkpoints: a line, fsynced, at most two seconds
//	keyfile.go  the keys
//
// It promises: nothing is in the chain twice, and no number is left out; when
// Begin returns nil the intent is durable, and until then nothing may be done;
// each intent gets exactly one outcome, by whoever began it or, once that
// process is known to be gone, as unknown by somebody else; a chain that is not
// the one that was left is never appended to; and what could not be written down
// is counted and said.
//
// Start with trail.go.
package trail
