// Package inquiry makes, of the configuration, all that the first investigation
// asks: servers, programs, repositories, what was sent to us, and the past.
// Start with Config and Open.
package inquiry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/changes"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
	"github.com/hikeshi-ops/hikeshi/integrations/logs"
)

// Redactor takes secrets out of what comes from outside.
type Redactor interface {
	Clean(text string) string
	Excerpt(text string, most int) string // cleaned, at most so many bytes
}

// Sources are all that is asked. Run keeps them up to date.
type Sources struct {
	Logs    *logs.Source
	Changes *changes.Source
	settled Settled
	all     []diagnostics.Owned
	redact  Redactor
}

// Store has the past, and what was sent.
type Store interface {
	diagnostics.Past
	kept.Store
}

// startTime bounds how long a start waits for what was sent before it; the rest is
// read meanwhile.
const startTime = 2 * time.Second

// Open makes the sources, and reads what was sent before. self names this process among
// replicas and restarts. A store that is away keeps nobody from starting.
func Open(ctx context.Context, self string, settled Settled, store Store, redact Redactor, log *slog.Logger) (*Sources, error) {
	s := &Sources{settled: settled, redact: redact}
	s.Logs = logs.New(logs.Config{Store: store, Self: self, Clean: redact.Excerpt, Logger: log, Whose: settled.sender, Heard: settled.Heard})
	s.Changes = changes.New(changes.Config{Store: store, Self: self, Clean: redact.Excerpt, Whose: settled.sender, Known: settled.known, Logger: log})
	reading, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if err := errors.Join(s.Changes.Catch(reading), s.Logs.Catch(reading)); err != nil {
		log.Info("what was sent before is not all known yet", "error", err)
	}
	for _, x := range settled.asked {
		source, err := x.open(redact.Excerpt)
		if err != nil { // it could be made when it was checked
			return nil, err
		}
		s.all = append(s.all, diagnostics.Owned{Source: source, Whose: x.whose})
	}
	for _, own := range []diagnostics.Source{s.Logs, s.Changes, diagnostics.NewHistory(store)} { // these know of each thing whose it is
		s.all = append(s.all, diagnostics.Owned{Source: own, Whose: diagnostics.Everybody})
	}
	return s, nil
}

// sender is whose that is which a sender says of nothing: who is not configured
// sends what is nobody's.
func (s *Settled) sender(name string) string { return s.Senders[name] }

// Investigator asks the checks and all sources. What seldom says of a service's
// items stands last.
func (s *Sources) Investigator(checks diagnostics.Checks, seldom func(service, item string) bool) *diagnostics.Investigator {
	return diagnostics.New(diagnostics.Options{
		Checks: checks, Sources: s.all, Catalogue: s.settled.catalogue, Within: s.settled.within, Wait: s.settled.wait, Clean: s.redact.Clean, Now: time.Now, Seldom: seldom, Claimed: s.settled.claimed,
	})
}

// Run watches what is watched, and follows what other replicas are sent, until ctx ends.
func (s *Sources) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.Logs.Follow(ctx) })
	all.Go(func() { s.Changes.Follow(ctx) })
	for _, w := range s.settled.watched {
		all.Go(func() { w.Run(ctx) })
	}
	all.Wait()
}
