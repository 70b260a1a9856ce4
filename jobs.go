package main

import (
	"context"
	"time"

	"github.com/robfig/cron/v3"
)

// schedule is the one table of scheduled jobs. Each runs on every replica;
// what must not run twice at once takes a lease of the store.
func (a *app) schedule(ctx context.Context) *cron.Cron {
	jobs := cron.New(cron.WithLogger(cron.DiscardLogger), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	for _, job := range []struct {
		spec string
		run  func(context.Context)
	}{
		{"@every 30s", a.ready.check},
		{"@every 1m", a.prune},
		{"@every 1m", a.settle},
		{"@every 1m", a.reload},
		{"@every 1m", windows{a.config.Windows}.reread(a.log)},
		{"@every 1m", a.poll},
	} {
		if _, err := jobs.AddFunc(job.spec, func() { job.run(ctx) }); err != nil {
			panic("scheduled job " + job.spec + ": " + err.Error()) // a constant that does not parse
		}
	}
	return jobs
}

// keepIntake is how long folded alerts stay readable in the intake log.
const keepIntake = 24 * time.Hour

func (a *app) prune(ctx context.Context) {
	held, err := a.store.Lease(ctx, "prune", owner(), time.Minute)
	if err != nil || !held {
		return
	}
	if n, err := a.store.Prune(ctx, keepIntake); err != nil && ctx.Err() == nil {
		a.log.Warn("could not prune the intake log", "error", err)
	} else if n > 0 {
		a.log.Debug("pruned", "entries", n)
	}
}
