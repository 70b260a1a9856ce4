// Package audit is the core of the audit: what a record is, how records become
// a chain that cannot be changed unnoticed, and how that is verified. It is
// pure: no I/O, no clock, no goroutine. Package audit/trail has the effects.
//
//	record.go      what is written down, and its canonical bytes
//	clean.go       text from outside, made harmless and bounded
//	key.go         the keys, their rotation, and what is derived from them
//	chain.go       each record's MAC covers the record before it
//	checkpoint.go  signed words about the chain, to be kept elsewhere
//	verify.go      the whole chain read again: what is wrong with it, and where first
//	export.go      JSON lines, and CSV that no spreadsheet calculates
//
// It promises: without the key nobody changes, drops, swaps, inserts or restamps
// a record without [Verifier] naming the first one that is wrong; with a
// checkpoint kept elsewhere nobody cuts the end off either; every intent has at
// most one outcome; and a record holds no control character, nothing that hides
// or reverses text, and no command line but a redacted one.
//
// Start with record.go, then chain.go.
package audit
