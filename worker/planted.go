//go:build !chaos

package worker

// planted says whether a known bug is built in, to prove that the crash tests
// find it. Without the build tag chaos there is none.
func planted(string) bool { return false }
