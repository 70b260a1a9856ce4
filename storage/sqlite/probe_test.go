package sqlite_test

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

func rss() string {
	debug.FreeOSMemory()
	b, _ := os.ReadFile("/proc/self/status")
	for l := range strings.Lines(string(b)) {
		if strings.HasPrefix(l, "VmRSS") {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return strings.TrimSpace(l) + " heap " + time.Duration(m.HeapAlloc).String()
		}
	}
	return ""
}

func BenchmarkProbeOpen(b *testing.B) {
	const dir = "/tmp/probe-100k"
	if _, err := os.Stat(dir + "/hikeshi.db"); err != nil {
		s, err := sqlite.Open(b.Context(), sqlite.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		conformance.Fill(b, s, 100_000)
		s.Close()
		exec.Command("ls", "-la", dir).Run()
	}
	b.Log(rss())
	b.ResetTimer()
	for b.Loop() {
		t := time.Now()
		s, err := sqlite.Open(b.Context(), sqlite.Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		b.Log("open", time.Since(t))
		b.Log(rss())
		t = time.Now()
		for i := range 1000 {
			s.Load(b.Context(), incidents.ID(1+i*77))
		}
		b.Log("load", time.Since(t)/1000)
		s.Close()
	}
}
