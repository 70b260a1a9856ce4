// Package trust decides how far a runbook is trusted: whether people click each run of
// it, whether it has earned to run by itself, and whether it may now.
//
// It is pure: state, what happened and the time in, a word for the room out. It
// promises that nothing runs by itself which a person did not accept, after as many
// runs in a row that helped as it takes, and that no brake is outrun, whatever is told
// twice or by whom. worker.Ladder keeps its documents.
//
// Start with [Runbook].
package trust
