package storage

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Rings keep the latest of what is of use for some hours only, for all replicas:
// lines of logs, changes. A kind has many rings. Each is bounded, and all together.
type Rings interface {
	// PushRings makes items durable behind all others of their kind, and drops what
	// is then beyond bound, the oldest first; all in one step. The items have
	// consecutive numbers, the last of which it returns. After an error nobody knows.
	PushRings(ctx context.Context, kind string, bound incidents.RingBound, items []incidents.RingItem) (last int64, err error)
	// PullRings returns items of a kind with a Number above after, ascending: at
	// least one where there is one, and then up to about maxBytes; and the last
	// number that the kind has given.
	PullRings(ctx context.Context, kind string, after int64, maxBytes int) (items []incidents.RingItem, last int64, err error)
}
