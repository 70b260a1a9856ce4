// Package sqlite is the embedded store: a database file, the intake log beside
// it, one process, no server.
//
// The intake log is a storage/journal of its own (docs/decisions/0008): appends
// share an fsync with each other and wait for nobody else. One goroutine writes
// the database. It collects everything that waits (commits, posts), carries it
// out in one transaction and answers all of it after one fsync. Each operation first checks, against memory, whether it may happen,
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
//	append.go    the intake log
//	writer.go    the one goroutine that writes the database
//	tx.go        one transaction: what it has staged, how it becomes visible
//	commit.go    incidents, groups, marks, facts
//	queue.go     the queue of effects in memory
//	effects.go   claiming, retrying, dead letters
//	rings.go     what is of use for some hours only
//
// It promises what storage.Store promises. Start with [Open].
package sqlite
