package redis_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
)

func BenchmarkStore(b *testing.B) {
	server := testenv.Redis(b)
	conformance.Bench(b, func(b *testing.B) storage.Store { return open(b, server, 16) }, func() time.Duration { return cpu(server.Pid()) })
}

// cpu is the processor time of this process and of the server.
func cpu(pid int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that matters
	return time.Duration(u.Utime.Nano()+u.Stime.Nano()) + time.Duration(user+system)*tick
}
