// Package outputs keeps what the steps of runs said, whole, for people who may read it: a
// room shows an excerpt of a thousand bytes.
//
// It promises:
//
//   - What is kept is what it is given: text without secrets, at most [MaxText] of it.
//   - It is bounded. [slots] documents of the store are written round and round; what was
//     overwritten, or is older than [Term], is not found, and never mixed up with another's.
//   - Two replicas can keep at the same time.
//
// Start with [Shelf].
package outputs
