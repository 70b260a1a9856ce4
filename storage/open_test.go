package storage_test

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOpen: the URL decides which store it is, and what is in it is there the
// next time.
func TestOpen(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	for kind, cfg := range map[string]storage.Config{
		"sqlite": {Dir: filepath.Join(t.TempDir(), "new", "data")},
		"redis":  {URL: server.URL},
	} {
		for round := range 2 {
			s, err := storage.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if h := s.Health(t.Context()); h.Kind != kind || !h.Durable {
				t.Errorf("%s: %+v", kind, h)
			}
			if want := map[string]int{"sqlite": 1, "redis": 16}[kind]; s.Shards() != want {
				t.Errorf("%s: %d shards, want %d", kind, s.Shards(), want)
			}
			p, err := s.Post(t.Context(), "lobby", "k", []byte{byte(round)}, time.Now())
			if err != nil || p.Seq != 1 || p.Rev != int64(round+1) {
				t.Errorf("%s, round %d: %+v, %v", kind, round, p, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"postgres://localhost", "hikeshi.db", "redis://"} {
		_, err := storage.Open(t.Context(), storage.Config{URL: url, Dir: t.TempDir()})
		if incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", url, err)
		}
	}
}
