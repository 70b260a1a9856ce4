package worker

import (
	"context"
	"time"
)

// The folding lease: one replica folds; when it dies another takes over within
// foldLease.
const foldLease = 6 * time.Second

// lagging is how long folding may be behind before what it has not read yet
// could be the repetition of an alert that is about to lapse.
const lagging = 5 * time.Second

// folds keeps folding the intake log while this process holds the lease.
func (w *Worker) folds(ctx context.Context, wake <-chan int) {
	var renewed, swept time.Time
	idle := w.now() // when nothing waited last
	lease := hurried(foldLease)
	renew := lease / 3
	look := make([]bool, w.shards) // logs that may have something
	for ctx.Err() == nil {
		if w.now().Sub(renewed) > renew {
			w.renewFolding(ctx, lease)
			renewed = w.now()
		}
		if w.now().Sub(swept) >= w.poll { // a signal may have been lost
			markAll(look)
			swept = w.now()
		}
		for len(wake) > 0 { // also while another log keeps us busy
			look[<-wake] = true
		}
		more, began, before := false, w.now(), w.folder.count()
		if w.folding.Load() {
			more = w.foldOnce(ctx, look)
		}
		if more {
			if w.now().Sub(idle) > lagging {
				w.trouble.Store(w.now().UnixNano())
			}
			took := w.now().Sub(began)
			rest(ctx, pace(took, w.folder.count().since(before))-took)
			continue
		}
		idle = w.now()
		select {
		case <-ctx.Done():
		case log := <-wake:
			look[log] = true
		case <-time.After(min(w.poll, renew)):
		}
	}
	w.finishFolds(ctx)
}

// finishFolds moves the marks that steps have left for later, so that whoever
// starts next need not fold again what is folded.
func (w *Worker) finishFolds(ctx context.Context) {
	if !w.folding.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.timeout)
	defer cancel()
	for log := range w.shards {
		if err := w.folder.Finish(ctx, log); err != nil {
			w.complain("finish folding the intake log", err, "log", log)
		}
	}
}

func markAll(look []bool) {
	for i := range look {
		look[i] = true
	}
}

// renewFolding asks for the folding lease. Whoever gets it anew does not know
// what was folded meanwhile, nor does who was away for longer than it lasts (a step may
// be slow): somebody else may have had it in between.
func (w *Worker) renewFolding(ctx context.Context, lease time.Duration) {
	asked := w.now()
	held, err := w.store.Lease(ctx, "fold", w.owner, lease)
	if err != nil && ctx.Err() == nil {
		w.complain("renew the folding lease", err)
	}
	held = held && err == nil
	if held && (!w.folding.Load() || w.now().Sub(w.leased) >= lease) {
		w.folder.forget()
	}
	if held {
		w.leased = asked
	}
	w.folding.Store(held)
}

// foldOnce folds every log marked in look once and says whether there was
// anything; a log in which there was nothing loses its mark. A log that cannot
// be folded does not stop the others. A step that has begun is finished
// although the process stops: it may be half done, shard by shard, and who
// starts next may group by other rules.
func (w *Worker) foldOnce(ctx context.Context, look []bool) (more bool) {
	failed := false
	for log := range look {
		if !look[log] {
			continue
		}
		if ctx.Err() != nil {
			return false
		}
		step, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.timeout)
		any, err := w.folder.Step(step, log)
		cancel()
		if err != nil {
			w.complain("fold the intake log", err, "log", log)
			failed = true
		}
		look[log] = any || err != nil
		more = more || any
	}
	if failed {
		return false
	}
	w.lastFold.Store(w.now().UnixNano())
	return more
}
