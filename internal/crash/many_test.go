package crash

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// manyAtOnce is how many people remedy at the same time.
const manyAtOnce = 8

// TestManyRunsManyDeaths: the process is killed again and again, at no chosen point,
// while approved runs go through it. None runs twice, each has exactly one outcome, and
// the audit is whole. HIKESHI_RUNS and HIKESHI_KILLS say how many, with both stores;
// docs/reliability.md has the figures of 400 and 8.
func TestManyRunsManyDeaths(t *testing.T) {
	runs, kills, stores := 24, 2, []backend{{name: "sqlite"}}
	if n, err := strconv.Atoi(os.Getenv("HIKESHI_RUNS")); err == nil {
		runs, kills, stores = n, 8, backends(t)
	}
	if n, err := strconv.Atoi(os.Getenv("HIKESHI_KILLS")); err == nil {
		kills = n
	}
	for _, b := range stores {
		t.Run(b.name, func(t *testing.T) { b.manyRuns(t, runs, kills) })
	}
}

func (b backend) manyRuns(t *testing.T, runs, kills int) {
	began, p := time.Now(), b.place(t)
	health := p.health()
	defer health.Close()
	if err := p.configure(health.URL); err != nil {
		t.Fatal(err)
	}
	if err := p.configureMany(); err != nil {
		t.Fatal(err)
	}
	// One run may take as long as a whole story, and at worst all of those before it.
	ctx, cancel := context.WithTimeout(t.Context(), patience*time.Duration(1+runs/manyAtOnce))
	defer cancel()
	app := p.supervisor()
	life, stop := context.WithCancel(t.Context())
	defer stop()
	var supervised sync.WaitGroup
	var ended error
	supervised.Go(func() { ended = app.supervise(life) })
	s := newStory(app)
	states, err := s.many(ctx, runs, kills)
	if err == nil {
		s.settled(ctx, t)
	}
	s.http.CloseIdleConnections()
	stop()
	supervised.Wait()
	if err != nil || ended != nil {
		t.Fatal(err, ended)
	}
	if deaths := app.deaths - 1; deaths != kills {
		t.Errorf("killed %d times, not %d", deaths, kills)
	}
	bad, err := p.violations(t.Context(), s.acked)
	if err != nil || len(bad) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(bad, "\n"))
	}
	outcomes, bad, err := p.outcomes(t.Context(), runs)
	if err != nil || len(bad) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(bad, "\n"))
	}
	t.Logf("%s: %d runs, killed %d times: %v, in the audit %v; %v", b.name, runs, kills, states, outcomes, time.Since(began).Round(time.Millisecond))
}

// many remedies as many incidents, and kills as often meanwhile, each time that another
// part of the runs was approved.
func (s *story) many(ctx context.Context, runs, kills int) (map[incidents.RunState]int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	states, work := map[incidents.RunState]int{}, make(chan int)
	var approved atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range manyAtOnce {
		all.Go(func() {
			for n := range work {
				run, err := s.oneOfMany(ctx, n, func() error {
					if k := approved.Add(1) * int64(kills+1); k%int64(runs) < int64(kills+1) && k < int64(runs*(kills+1)) {
						return s.app.kill(ctx)
					}
					return nil
				})
				if err != nil {
					cancel(fmt.Errorf("shop%d: %w", n, err))
					return
				}
				mu.Lock()
				states[run.State]++
				mu.Unlock()
			}
		})
	}
	for n := range runs {
		select {
		case work <- n:
		case <-ctx.Done():
		}
	}
	close(work)
	all.Wait()
	return states, context.Cause(ctx)
}

// oneOfMany is one alert, its runbook, approved, its end, and what became of the run.
func (s *story) oneOfMany(ctx context.Context, n int, approved func() error) (run incidents.Run, err error) {
	service := fmt.Sprintf("shop%d", n)
	burns := s.fire(service, 1)
	if err := s.webhook(ctx, burns); err != nil {
		return run, err
	}
	found, err := s.find(ctx, service, "suggestions", func(i *seen) bool { return len(i.Suggestions) > 0 })
	if err != nil {
		return run, err
	}
	if err := s.command(ctx, found.ID, people[0], "approve many-fix", http.StatusConflict); err != nil {
		return run, err
	}
	if err := approved(); err != nil {
		return run, err
	}
	if err := s.webhook(ctx, ended(burns)...); err != nil {
		return run, err
	}
	found, err = s.find(ctx, service, "an outcome", func(i *seen) bool {
		return len(i.Runs) == 1 && (i.Runs[0].State == incidents.RunVerified || !i.Runs[0].DoneAt.IsZero() || i.Runs[0].State == incidents.RunUnknown)
	})
	if err != nil {
		return run, err
	}
	return found.Runs[0], nil
}

// outcomes counts what the audit says of each run: an intent, and one outcome. The file of
// executions must not know better.
func (p place) outcomes(ctx context.Context, runs int) (count map[audit.Result]int, bad []string, err error) {
	records, err := p.audited(ctx)
	if err != nil {
		return nil, nil, err
	}
	ran, err := p.ran()
	if err != nil {
		return nil, nil, err
	}
	count = map[audit.Result]int{}
	intents, ends := map[string]int64{}, map[int64]audit.Result{}
	for _, r := range records {
		switch {
		case r.Action != audit.ActRun:
		case r.Kind == audit.Intent && intents[r.Run] != 0:
			bad = append(bad, r.Run+" has two intents")
		case r.Kind == audit.Intent:
			intents[r.Run] = r.Seq
		case r.Kind == audit.Outcome && ends[r.Of] != "":
			bad = append(bad, fmt.Sprintf("intent %d has two outcomes", r.Of))
		case r.Kind == audit.Outcome:
			ends[r.Of] = r.Result
			count[r.Result]++
		}
	}
	for run, seq := range intents {
		switch end := ends[seq]; {
		case end != audit.Done && end != audit.Failed && end != audit.Unknown:
			bad = append(bad, fmt.Sprintf("%s ended as %q", run, end))
		case end == audit.Done && ran[run] != 1 || ran[run] > 1:
			bad = append(bad, fmt.Sprintf("%s is %s and ran %d times", run, end, ran[run]))
		}
	}
	for run := range ran {
		if intents[run] == 0 {
			bad = append(bad, run+" ran without an intent")
		}
	}
	// A process that dies between its claim and its intent has begun nothing.
	if len(intents) > runs || len(intents) < len(ran) {
		bad = append(bad, fmt.Sprintf("%d intents for %d runs, of which %d ran", len(intents), runs, len(ran)))
	}
	return count, bad, nil
}
