// Package storage is where everything durable lives: the intake log, the
// incidents with their events, the effects that wait, the console's rooms,
// the facts learning learns from, and the rings of what is of use for some hours.
//
// One interface, [Store], is implemented by storage/sqlite (embedded, the
// default, one process) and storage/redis (several replicas), and both are held
// to storage/conformance.
//
// It promises: what was answered with nil survives kill -9 of everything; a
// commit becomes true as a whole or not at all; of two commits that expect the
// same state exactly one wins; and when the store is away it says so
// (incidents.Unavailable) and mends itself when it is back.
//
// Start with [Open] and store.go. Consumers declare small interfaces of their
// own over the methods they use.
package storage
