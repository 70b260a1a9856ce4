package storage

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/incidents"
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

// Validate says what is wrong with cfg, as far as can be told without opening
// the store.
func Validate(cfg Config) error {
	most := sqlite.MaxShards
	if cfg.URL != "" {
		most = redis.MaxShards
		if err := redis.ValidateURL(cfg.URL); err != nil {
			return err
		}
	}
	if cfg.Shards < 0 || cfg.Shards > most {
		return incidents.Fail(incidents.Invalid, "error.store_many_shards", fmt.Sprintf("a store has 1 to %d shards", most), "max", strconv.Itoa(most))
	}
	return nil
}
