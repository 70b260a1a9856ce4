// Package inquiry makes, of the configuration, all that the first investigation
// asks: servers, programs, repositories, what was sent to us, and the past.
// Start with Config and Open.
package inquiry

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/changes"
	"github.com/hikeshi-ops/hikeshi/integrations/logs"
)

// Redactor takes secrets out of what comes from outside.
type Redactor interface {
	Clean(text string) string
	Excerpt(text string, most int) string // cleaned, at most so many bytes
}

// Sources are open, and want to be closed.
type Sources struct {
	Logs    *logs.Source
	Changes *changes.Source
	settled Settled
	all     []diagnostics.Owned
	redact  Redactor
}

// Open opens what was sent before, in a folder of its own below data.
func Open(data string, settled Settled, past diagnostics.Past, redact Redactor) (*Sources, error) {
	dir := filepath.Join(data, "diagnostics")
	s := &Sources{settled: settled, redact: redact}
	var err error
	if s.Logs, err = logs.Open(logs.Config{File: filepath.Join(dir, "logs"), Clean: redact.Excerpt, Whose: settled.sender, Heard: settled.Heard}); err != nil {
		return nil, err
	}
	if s.Changes, err = changes.Open(filepath.Join(dir, "changes"), redact.Excerpt, settled.sender); err != nil {
		_ = s.Logs.Close()
		return nil, err
	}
	for _, x := range settled.asked {
		source, err := x.open(redact.Excerpt)
		if err != nil { // it could be made when it was checked
			s.Close()
			return nil, err
		}
		s.all = append(s.all, diagnostics.Owned{Source: source, Whose: x.whose})
	}
	for _, own := range []diagnostics.Source{s.Logs, s.Changes, diagnostics.NewHistory(past)} { // these know of each thing whose it is
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

// Run watches what is watched until ctx ends.
func (s *Sources) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, w := range s.settled.watched {
		all.Go(func() { w.Run(ctx) })
	}
	all.Wait()
}

// Close lets go of the files. It may be called of none.
func (s *Sources) Close() {
	if s == nil {
		return
	}
	_ = s.Logs.Close()
	_ = s.Changes.Close()
}
