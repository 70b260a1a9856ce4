package redis_test

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
)

func BenchmarkStore(b *testing.B) {
	server := testenv.Redis(b)
	conformance.Bench(b, func(b *testing.B) storage.Store { return open(b, server, 16) })
}
