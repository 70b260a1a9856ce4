package sqlite_test

import (
	"os"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

func BenchmarkProbe(b *testing.B) {
	dir := b.TempDir()
	s := open(b, sqlite.Config{Dir: dir})
	conformance.Fill(b, s, 100_000)
	for _, f := range []string{"hikeshi.db", "hikeshi.db-wal", "hikeshi.db-shm"} {
		st, _ := os.Stat(dir + "/" + f)
		b.Log(f, st.Size())
	}
	for i := range 5 {
		t := time.Now()
		s.Load(b.Context(), incidents.ID(1+i*7777))
		b.Log("load", time.Since(t))
	}
	s.Close()
	t := time.Now()
	s, err := sqlite.Open(b.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Log("open", time.Since(t))
	for i := range 5 {
		t := time.Now()
		s.Load(b.Context(), incidents.ID(1+i*7777))
		b.Log("load", time.Since(t))
	}
	s.Close()
}
