package history

import (
	"context"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	importPage  = 500             // facts of one commit
	importLease = 5 * time.Minute // two imports at once would not see each other's facts
)

// Store is what facts are added to.
type Store interface {
	Shards() int
	Facts(ctx context.Context, shard int, after int64, max int) ([]incidents.Fact, error)
	Commit(ctx context.Context, c *incidents.Commit) error
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (held bool, err error)
}

// Import adds those that are not in the log yet, and says how many. me names this
// process.
func Import(ctx context.Context, store Store, me string, facts []incidents.Fact) (added int, err error) {
	if held, err := store.Lease(ctx, "learn.import", me, importLease); err != nil || !held {
		if err == nil {
			err = incidents.Fail(incidents.Conflict, "import.at_work", "another import is at work")
		}
		return 0, err
	}
	known, err := importedRefs(ctx, store)
	if err != nil {
		return 0, err
	}
	shards := make([][]incidents.Fact, store.Shards())
	for _, f := range facts {
		if known[f.Ref] {
			continue
		}
		known[f.Ref] = true
		at := incidents.KeyOf("import", f.Ref).Shard(len(shards))
		shards[at] = append(shards[at], f)
	}
	for shard, list := range shards {
		for len(list) > 0 {
			page := list[:min(len(list), importPage)]
			list = list[len(page):]
			if held, err := store.Lease(ctx, "learn.import", me, importLease); err != nil {
				return added, fmt.Errorf("keep the import to itself: %w", err)
			} else if !held {
				return added, incidents.Fail(incidents.Conflict, "import.at_work", "another import is at work")
			}
			if err := store.Commit(ctx, &incidents.Commit{Shard: shard, Facts: page}); err != nil {
				return added, fmt.Errorf("import, after %d facts (import the file again to go on): %w", added, err)
			}
			added += len(page)
		}
	}
	return added, nil
}

// importedRefs are the names of what was imported before.
func importedRefs(ctx context.Context, store Store) (map[string]bool, error) {
	known := map[string]bool{}
	for shard := range store.Shards() {
		for after := int64(0); ; {
			facts, err := store.Facts(ctx, shard, after, 1000)
			if err != nil {
				return nil, fmt.Errorf("read facts of shard %d: %w", shard, err)
			}
			if len(facts) == 0 {
				break
			}
			for i := range facts {
				if facts[i].Source == Source {
					known[facts[i].Ref] = true
				}
			}
			after = facts[len(facts)-1].Seq
		}
	}
	return known, nil
}
