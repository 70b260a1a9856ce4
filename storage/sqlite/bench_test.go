package sqlite_test

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

func BenchmarkStore(b *testing.B) {
	conformance.Bench(b, func(b *testing.B) storage.Store { return open(b, sqlite.Config{}) })
}
