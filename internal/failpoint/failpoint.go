//go:build !chaos

// Package failpoint marks places where a crash would hurt. In a normal build
// Hit does nothing and costs nothing. Built with the tag chaos, the variable
// HIKESHI_FAILPOINT=name:n makes the process kill itself, as kill -9 would, at
// the n-th hit of that name; HIKESHI_FAILPOINT_LOG=file appends name:1 at
// its first and name:3 at its third hit, so that a test can find out which
// points there are.
package failpoint

// Hit marks a place.
func Hit(string) {}

// Planted says whether a known bug is built in, to prove that the crash tests
// find it: never, but with the tag chaos, where HIKESHI_PLANT names one.
func Planted(string) bool { return false }
