// Package journal is an append-only run of numbered entries in files: where
// the embedded store keeps its intake log. Appending is one write and one
// fsync, without the pages, the second copy and the writer that a database
// shares with everything else.
//
// The entries lie in segments, files named by the number of their first entry.
// An entry is its length and two checksums, then its bytes. What an unfinished
// write left at the end of a segment is cut off when the journal is opened:
// Append had not returned. Damage in front of an entry that is whole is no such
// end; Open refuses it and says where it is.
//
// It promises that an entry is durable once Append returned nil, that entries
// are read as they were written or not at all, and that numbers ascend without
// gaps as long as nothing damages the files. One goroutine appends; any may
// read meanwhile. Start with [Open].
package journal
