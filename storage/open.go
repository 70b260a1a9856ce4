package storage

import (
	"context"
	"log/slog"

	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// Config says which store to open.
type Config struct {
	URL    string // "": SQLite in Dir; else redis://, rediss://, redis+sentinel://, redis+cluster://
	Dir    string // SQLite's directory
	Shards int    // 0: as the store was made; for a new one 1 (SQLite) or 16 (Redis)
	Logger *slog.Logger
}

var (
	_ Store = (*sqlite.Store)(nil)
	_ Store = (*redis.Store)(nil)
)

// Open opens the store that cfg names, or makes it. What is wrong with the
// configuration, or with the store for good, is an *incidents.Error with a
// hint; a Redis that is merely away is not an error: the store opens, answers
// Unavailable, and works as soon as it can.
func Open(ctx context.Context, cfg Config) (Store, error) {
	if cfg.URL == "" {
		return sqlite.Open(ctx, sqlite.Config{Dir: cfg.Dir, Shards: cfg.Shards, Logger: cfg.Logger})
	}
	return redis.Open(ctx, redis.Config{URL: cfg.URL, Shards: cfg.Shards, Logger: cfg.Logger})
}
