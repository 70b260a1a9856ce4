package watch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings is where it stands what each rule remembers.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Log takes alerts.
type Log interface {
	Append(ctx context.Context, b *incidents.Batch) error
}

// Options are what a Watcher is made of.
type Options struct {
	Rules    []Rule
	Sources  []diagnostics.Owned // a rule's source is the first of its name that serves its customer
	Tally    *Tally
	Settings Settings
	Log      Log
	Say      func(key string, args ...string) string // in the language of alerts
	Clean    func(string) string                     // strikes out secrets and control characters
	Now      func() time.Time
	Logger   *slog.Logger
}

// Watcher follows all rules.
type Watcher struct {
	Options
	watches []*watch
}

// watch is one rule, and what this process knows of it.
type watch struct {
	*Watcher
	rule    *Rule
	source  diagnostics.Source
	eyes    eyes
	trouble string // as it was said already
	left    int
	counts  counts
}

const (
	// pollEvery bounds how late a jump of the clock is noticed.
	pollEvery = 30 * time.Second
	// retryEvery is how long to wait after a failure of the store.
	retryEvery = 5 * time.Second
	// askTime bounds a source, writeTime the intake log.
	askTime   = 8 * time.Second
	writeTime = 5 * time.Second
	// claimTime is how long one who began to write alerts is waited for: longer than
	// they can take.
	claimTime = 20 * time.Second
	logsName  = "logs" // of the source that has what was sent
)

// New finds the rules' sources; Run starts it.
func New(o Options) (*Watcher, error) {
	if o.Tally == nil {
		o.Tally = NewTally(nil, o.Now)
	}
	w := &Watcher{Options: o}
	for i := range o.Rules {
		r := &o.Rules[i]
		x := &watch{Watcher: w, rule: r, eyes: eyes{}}
		name := r.Source
		if r.Kind == Logs {
			name = logsName
		}
		for _, s := range o.Sources {
			_, asks := s.Source.(diagnostics.Grapher)
			if s.Name() == name && (asks || r.Kind == Logs) && diagnostics.Serves(s.Whose, r.Customer) {
				x.source = s.Source
				break
			}
		}
		if x.source == nil {
			return nil, incidents.Fail(incidents.Invalid, "error.watch_source", "no source "+name+" can be watched", "rule", r.Name, "source", name).WithHint("hikeshi check")
		}
		w.watches = append(w.watches, x)
	}
	return w, nil
}

// Run looks until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { w.endRemoved(ctx) })
	for _, x := range w.watches {
		all.Go(func() { x.follow(ctx) })
	}
	all.Wait()
}

func (w *watch) follow(ctx context.Context) {
	every, looked := seconds(w.rule.Every), int64(0)
	for ctx.Err() == nil {
		wait := pollEvery
		if to := w.Now().Unix() / every * every; to != looked { // it may have gone back
			err := w.look(ctx, to)
			switch {
			case err == nil:
				looked = to
			case errors.Is(err, errLater):
				wait = retryEvery
			case ctx.Err() == nil:
				wait = retryEvery
				w.counts.add(unkept, 1)
				w.Logger.Warn("could not keep what was watched", "rule", w.rule.Name, "error", err)
			}
		}
		next := time.Unix((w.Now().Unix()/every+1)*every, 0)
		timer := time.NewTimer(max(0, min(wait, next.Sub(w.Now()))))
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}
