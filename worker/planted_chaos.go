//go:build chaos

package worker

import "os"

// planted says whether a known bug is built in (HIKESHI_PLANT names it), to
// prove that the crash tests find it.
func planted(bug string) bool { return os.Getenv("HIKESHI_PLANT") == bug }
