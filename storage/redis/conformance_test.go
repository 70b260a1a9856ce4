package redis_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	client "github.com/redis/go-redis/v9"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
)

var prefixes atomic.Int64

// open opens a store that no other test sees.
func open(t testing.TB, server *testenv.RedisServer, shards int) *redis.Store {
	t.Helper()
	return openURL(t, fmt.Sprintf("%s?prefix=t%d:", server.URL, prefixes.Add(1)), shards)
}

func openURL(t testing.TB, url string, shards int) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), redis.Config{URL: url, Shards: shards})
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
	server := testenv.Redis(t)
	for _, shards := range []int{1, 16} {
		t.Run(map[int]string{1: "one shard", 16: "sixteen shards"}[shards], func(t *testing.T) {
			conformance.Run(t, func(t *testing.T) storage.Store { return open(t, server, shards) })
		})
	}
}

func TestAFactThatCannotBeRead(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	raw := client.NewClient(&client.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = raw.Close() })
	conformance.DamagedFact(t, openURL(t, server.URL+"?prefix=damaged:", 2), func(shard int, seq int64) {
		check(t, raw.LSet(t.Context(), fmt.Sprintf("damaged:{s%d}:facts", shard), seq-1, "\x01torn").Err())
	})
}
