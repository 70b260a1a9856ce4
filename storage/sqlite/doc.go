// Package sqlite is the embedded store: one file, one process, no server.
//
// One goroutine writes. It collects everything that waits (appends, commits,
// posts), carries it out in one transaction and answers all of it after one
// fsync. Each operation first checks, against memory, whether it may happen,
// and only then writes, so that a refused one leaves nothing behind in the
// transaction it shares. Whatever is hot (groups, versions, marks, the queue of
// effects) is held in memory in a compact form and read from the file at the
// start; whatever is large stays in the file.
//
// Keys ascend wherever there are many rows: random keys cost five to seven
// times as much.
//
//	store.go     open, close, the lock on the data directory
//	schema.go    the tables and every statement
//	writer.go    the one goroutine that writes
//	tx.go        one transaction: what it has staged, how it becomes visible
//	commit.go    incidents, groups, marks, facts
//	queue.go     the queue of effects in memory
//	effects.go   claiming, retrying, dead letters
//
// It promises what storage.Store promises. Start with [Open].
package sqlite
