package learning

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Log is where facts come from: the store.
type Log interface {
	// Facts returns up to max facts of a shard with a Seq greater than after,
	// in ascending order; none means that there are no more yet.
	Facts(ctx context.Context, shard int, after int64, max int) ([]incidents.Fact, error)
}

// pageSize is how many facts are asked for at once.
const pageSize = 1000

// Service keeps one model up to date with the store's facts. It is safe for
// concurrent use.
type Service struct {
	log   Log
	turn  chan struct{} // whoever holds it reads the log: a fact must be learned once
	after []int64       // by shard, owned by the holder of turn
	anew  bool          // something was struck that is learned already; owned likewise

	mu      sync.RWMutex
	model   Model
	general general
	struck  struck
	stale   bool // a history came that is older than what the general model has learned
}

// NewService begins with nothing learned; the first CatchUp reads the whole log.
func NewService(log Log, shards int) *Service {
	return &Service{log: log, turn: make(chan struct{}, 1), after: make([]int64, shards), general: newGeneral()}
}

// CatchUp learns what was committed since the last time. After an error, what
// was read before it is learned, and the next CatchUp goes on from there.
func (s *Service) CatchUp(ctx context.Context) error { return s.catchUp(ctx, false) }

// catchUp reads the log on, or anew from its start.
func (s *Service) catchUp(ctx context.Context, anew bool) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait to read facts: %w", ctx.Err())
	}
	if anew || s.anew {
		s.forget()
	}
	if err := s.read(ctx); err != nil || !s.anew {
		return err
	}
	s.forget() // something was struck: read again, without it
	return s.read(ctx)
}

// forget lets go of all that was learned. What was struck stays struck.
func (s *Service) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anew, s.stale = false, false
	s.model, s.general = Model{}, newGeneral()
	clear(s.after)
}

func (s *Service) read(ctx context.Context) error {
	for shard := range s.after {
		if err := readOn(ctx, s.log, shard, &s.after[shard], s.learn); err != nil {
			return err
		}
	}
	return nil
}

// readOn gives the facts of a shard after one to learn, page by page.
func readOn(ctx context.Context, log Log, shard int, after *int64, learn func([]incidents.Fact)) error {
	for {
		facts, err := log.Facts(ctx, shard, *after, pageSize)
		if err != nil {
			return fmt.Errorf("read facts of shard %d: %w", shard, err)
		}
		if len(facts) == 0 {
			return nil
		}
		last := facts[len(facts)-1].Seq
		if last <= *after {
			return fmt.Errorf("read facts of shard %d: asked for those after %d, got %d", shard, *after, last)
		}
		learn(facts)
		*after = last
		if len(facts) < pageSize {
			return nil
		}
	}
}

func (s *Service) learn(facts []incidents.Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := make([]incidents.Fact, 0, len(facts))
	for i := range facts {
		f := &facts[i]
		s.anew = s.struck.hear(f) || s.anew
		s.stale = s.stale || f.Source != "" && !f.At.After(s.general.until)
		if !s.struck.has(f) {
			left = append(left, *f)
		}
	}
	s.model.Learn(left...)
	s.general.add(left)
}

// Settle catches up (after an import, from the start of the log: a history is to be
// learned in the order of its times, before what came after it), and lets the general model learn what is old enough, a
// little at a time, so that rankings need not wait for it. After a start that is
// the whole log; until it is through, what was proved here leads alone.
func (s *Service) Settle(ctx context.Context, now time.Time) error {
	s.mu.RLock()
	stale := s.stale
	s.mu.RUnlock()
	if err := s.catchUp(ctx, stale); err != nil {
		return err
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("settle facts: %w", err)
		}
		s.mu.Lock()
		more = s.general.settle(now, settleAtOnce/4)
		s.mu.Unlock()
	}
	return nil
}

// Rank catches up, then ranks. The reason says why the list is empty, where it
// is. It fails where the log cannot be read: a ranking that lacks the latest
// feedback would contradict what the room has just seen.
func (s *Service) Rank(ctx context.Context, c incidents.Context, candidates []Candidate, now time.Time) ([]Ranked, incidents.Reason, error) {
	if len(candidates) == 0 {
		return nil, NoKnownAction(c), nil
	}
	if err := s.CatchUp(ctx); err != nil {
		return nil, incidents.Reason{}, fmt.Errorf("rank: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ranked := s.model.Rank(c, s.general.judge(c, candidates, now), now)
	if none := s.model.unlikely(ranked); none.Phrase != "" {
		return nil, none, nil
	}
	return ranked, incidents.Reason{}, nil
}

// Forgotten says what the bounds on memory have cost.
func (s *Service) Forgotten() Forgotten {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.model.Forgotten()
	f.Features, f.Late = s.general.model.Dropped().Rows, s.general.late
	return f
}
