package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
)

// Collect reads a store's facts and makes the report. Of more than MaxFacts the
// oldest are left out, and counted.
func Collect(ctx context.Context, log learning.Log, shards int, now time.Time) (*Report, error) {
	var facts []incidents.Fact
	left := 0
	for shard := range shards {
		for after := int64(0); ; {
			page, err := log.Facts(ctx, shard, after, 1000)
			if err != nil {
				return nil, fmt.Errorf("read facts of shard %d: %w", shard, err)
			}
			facts = append(facts, page...)
			if len(facts) > 2*MaxFacts {
				facts, left = latest(facts, left)
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Seq
		}
	}
	facts, left = latest(facts, left)
	r, err := Of(ctx, facts, now)
	if err != nil {
		return nil, err
	}
	r.LeftOut = left
	return r, nil
}

func latest(facts []incidents.Fact, left int) ([]incidents.Fact, int) {
	over := len(facts) - MaxFacts
	if over <= 0 {
		return facts, left
	}
	slices.SortStableFunc(facts, func(a, b incidents.Fact) int { return a.At.Compare(b.At) })
	return slices.Clone(facts[over:]), left + over
}
