// Package record is how things are written down, the same in both stores: the
// framing of intake entries, events and states as bytes, when a snapshot is
// due, which log a batch goes to, and what a commit must look like.
//
// It promises that what it wrote in one release it reads in the next; change a
// form only together with Schema. Start with [Encode].
package record

// Schema is the version of everything a store holds. A store with a newer one
// is refused, by which no release meets a form or a kind of event that it cannot
// read; one with an older one is read, and is of this one from then on.
//
//	1  the first
//	2  follow-ups that are dropped (todo_dropped); Redis: packed
const Schema = 2
