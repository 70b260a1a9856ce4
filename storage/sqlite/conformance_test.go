package sqlite_test

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

func open(t testing.TB, cfg sqlite.Config) *sqlite.Store {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	s, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	for _, shards := range []int{1, 16} {
		t.Run(map[int]string{1: "one shard", 16: "sixteen shards"}[shards], func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, func(t *testing.T) storage.Store { return open(t, sqlite.Config{Shards: shards}) })
		})
	}
}
