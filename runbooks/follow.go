package runbooks

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Follow shows a run to people while its steps are carried out. It is called once
// for each run and returns when ctx ends, before the run's outcome is told: what
// comes of it must not be overtaken by what was so before. Nothing of a run waits
// for it but its end.
type Follow func(ctx context.Context, plan incidents.Plan, run string, look Look)

// Look says how a run goes now, and gives a channel that is closed when it goes on.
type Look func() (now incidents.Progress, more <-chan struct{})

// going is how a run goes. The zero one of a run that nobody follows is nil.
type going struct {
	redact *steps.Redactor

	mu   sync.Mutex
	now  incidents.Progress
	tail *steps.Tail
	more chan struct{} // nil: nobody waits
}

// followed lets somebody follow the run until over is called, which waits for them.
func (r *Runner) followed(ctx context.Context, plan incidents.Plan, run string) (g *going, over func()) {
	if r.follow == nil {
		return nil, func() {}
	}
	g = &going{redact: r.redact}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	following.Go(func() {
		defer func() {
			if p := recover(); p != nil { // a remediation does not end in its middle for want of a picture of it
				r.log.Error("whoever showed a run panicked", "run", run, "panic", r.redact.Clean(fmt.Sprint(p)), "stack", string(debug.Stack()))
			}
		}()
		r.follow(ctx, plan, run, g.look)
	})
	return g, func() { cancel(); following.Wait() }
}

// moves says that the steps in done are over and next begins, which speaks into the
// tail that it gets.
func (g *going) moves(done []incidents.StepResult, next incidents.Step) *steps.Tail {
	if g == nil {
		return nil
	}
	tail := steps.NewTail(g.redact, g.wake)
	g.mu.Lock()
	g.now = incidents.Progress{Steps: done[:len(done):len(done)], Step: next.ID, Title: next.Title}
	g.tail = tail
	g.mu.Unlock()
	g.wake()
	return tail
}

func (g *going) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.more != nil {
		close(g.more)
		g.more = nil
	}
}

func (g *going) look() (incidents.Progress, <-chan struct{}) {
	g.mu.Lock()
	if g.more == nil {
		g.more = make(chan struct{})
	}
	now, tail, more := g.now, g.tail, g.more
	g.mu.Unlock()
	if tail != nil {
		now.Output, now.Before = tail.Text(maxShown)
	}
	return now, more
}
