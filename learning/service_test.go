package learning

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memoryLog is a store's fact log in memory.
type memoryLog struct {
	mu     sync.Mutex
	shards [][]incidents.Fact
	err    error
	reads  int
}

func (l *memoryLog) Facts(_ context.Context, shard int, after int64, limit int) ([]incidents.Fact, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.err != nil {
		return nil, l.err
	}
	facts := l.shards[shard]
	facts = facts[min(int(after), len(facts)):]
	return facts[:min(limit, len(facts))], nil
}

func (l *memoryLog) add(shard int, facts ...incidents.Fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range facts {
		f.Seq = int64(len(l.shards[shard])) + 1
		l.shards[shard] = append(l.shards[shard], f)
	}
}

func TestServiceLearnsEachFactOnce(t *testing.T) {
	t.Parallel()
	log := &memoryLog{shards: make([][]incidents.Fact, 3)}
	for i := range 2*pageSize + 5 {
		log.add(i%2, outcome(incidents.ID(i), "restart", shop, true, day0))
	}
	s := NewService(log, 3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := s.Rank(t.Context(), shop, candidates("restart"), day0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	log.add(2, outcome(1, "restart", shop, false, day0))
	got, none, err := s.Rank(t.Context(), shop, candidates("restart"), day0)
	if err != nil || none.Phrase != "" || len(got) != 1 {
		t.Fatalf("Rank = %v, %v, %v", got, none, err)
	}
	if e := got[0].Evidence; e.Tried != 2*pageSize+6 || e.Worked != 2*pageSize+5 {
		t.Errorf("learned %d of %d, want %d of %d", e.Worked, e.Tried, 2*pageSize+5, 2*pageSize+6)
	}
}

func TestServiceGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	log := &memoryLog{shards: make([][]incidents.Fact, 1), err: errors.New("store is away")}
	log.add(0, outcome(1, "restart", shop, true, day0))
	s := NewService(log, 1)
	if _, _, err := s.Rank(t.Context(), shop, candidates("restart"), day0); !errors.Is(err, log.err) {
		t.Fatalf("Rank = %v, want the log's error", err)
	}
	log.err = nil
	got, _, err := s.Rank(t.Context(), shop, candidates("restart"), day0)
	if err != nil || got[0].Evidence.Worked != 1 {
		t.Errorf("Rank = %+v, %v", got, err)
	}
}

func TestServiceSaysWhyThereIsNoAction(t *testing.T) {
	t.Parallel()
	s := NewService(&memoryLog{}, 0)
	for phrase, c := range map[string]incidents.Context{
		"why.none": shop, "why.none.name": {Name: "Watchdog"}, "why.none.declared": {},
	} {
		got, none, err := s.Rank(t.Context(), c, nil, day0)
		if err != nil || len(got) != 0 || none.Phrase != phrase {
			t.Errorf("Rank(%+v) = %v, %+v, %v, want %s", c, got, none, err, phrase)
		}
	}
}

func TestServiceGivesUpWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	s := NewService(&memoryLog{}, 0)
	s.turn <- struct{}{} // somebody is reading
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.CatchUp(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("CatchUp = %v", err)
	}
}

// A fact that cannot be read is counted each time the log is read, and hides none of
// the others; one that is struck later does not change that.
func TestAFactThatCannotBeReadIsCountedAndPassed(t *testing.T) {
	t.Parallel()
	log := &memoryLog{shards: make([][]incidents.Fact, 2)}
	log.add(1, outcome(1, "restart", shop, true, day0), incidents.Fact{Kind: incidents.FactUnreadable}, outcome(2, "restart", shop, true, day0))
	s := NewService(log, 2)
	for range 2 {
		got, _, err := s.Rank(t.Context(), shop, candidates("restart"), day0)
		if err != nil || got[0].Evidence.Worked != 2 || s.Forgotten().Unreadable != 1 || s.Forgotten().Facts != 0 {
			t.Fatalf("Rank = %+v, %v; %+v", got, err, s.Forgotten())
		}
	}
	log.add(0, incidents.Fact{Kind: incidents.FactReset, At: day0.Add(time.Hour)})
	if got, _, err := s.Rank(t.Context(), shop, candidates("restart"), day0); err != nil || got[0].Evidence.Worked != 0 || s.Forgotten().Unreadable != 1 {
		t.Errorf("made anew: %+v, %v; %+v", got, err, s.Forgotten())
	}
}
