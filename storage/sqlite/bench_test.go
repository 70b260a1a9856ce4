package sqlite_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

func BenchmarkStore(b *testing.B) {
	conformance.Bench(b, func(b *testing.B) storage.Store { return open(b, sqlite.Config{}) }, ownCPU)
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
