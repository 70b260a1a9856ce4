package report

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/learning"
)

// Keeper keeps a report for a minute: making one reads the whole log.
type Keeper struct {
	log    learning.Log
	shards int
	now    func() time.Time
	turn   chan struct{} // whoever holds it makes one

	mu   sync.Mutex
	last *Report
}

// NewKeeper makes one over a store's log.
func NewKeeper(log learning.Log, shards int, now func() time.Time) *Keeper {
	return &Keeper{log: log, shards: shards, now: now, turn: make(chan struct{}, 1)}
}

// keepFor is how long a report is good enough.
const keepFor = time.Minute

// Report is the latest one, at most a minute old.
func (p *Keeper) Report(ctx context.Context) (*Report, error) {
	if r := p.fresh(); r != nil {
		return r, nil
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the report: %w", ctx.Err())
	}
	if r := p.fresh(); r != nil {
		return r, nil
	}
	r, err := Collect(ctx, p.log, p.shards, p.now())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = r
	return r, nil
}

func (p *Keeper) fresh() *Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || p.now().Sub(p.last.At) >= keepFor {
		return nil
	}
	return p.last
}
