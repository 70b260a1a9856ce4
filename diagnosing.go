package main

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/changes"
	"github.com/hikeshi-ops/hikeshi/integrations/logs"
	"github.com/hikeshi-ops/hikeshi/integrations/scrape"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// diagnosing is what the first investigation asks beside the runbooks' checks.
type diagnosing struct {
	logs    *logs.Source
	changes *changes.Source
	history *diagnostics.History
	watched []*scrape.Source
	all     []diagnostics.Source
	clean   func(string) string
}

// openSources opens what was sent before.
func openSources(c *settled, store storage.Store, redact *steps.Redactor) (d diagnosing, err error) {
	dir := filepath.Join(c.Data, "diagnostics")
	if d.logs, err = logs.Open(logs.Config{File: filepath.Join(dir, "logs"), Clean: redact.Excerpt}); err != nil {
		return d, err
	}
	if d.changes, err = changes.Open(filepath.Join(dir, "changes"), redact.Excerpt); err != nil {
		d.close()
		return d, err
	}
	d.history, d.watched, d.clean = diagnostics.NewHistory(store), c.asked.watched, redact.Clean
	d.all = slices.Concat(c.asked.sources, []diagnostics.Source{d.logs, d.changes, d.history})
	return d, nil
}

// investigator asks the checks and all sources.
func (a *app) investigator(checks diagnostics.Checks) *diagnostics.Investigator {
	return diagnostics.New(diagnostics.Options{
		Checks: checks, Sources: a.sources.all, Catalogue: a.config.asked.catalogue,
		Within: time.Duration(a.config.Diagnostics.Within), Wait: time.Duration(a.config.Diagnostics.Wait), Clean: a.sources.clean, Now: time.Now,
	})
}

// run watches what is watched until ctx ends.
func (d *diagnosing) run(ctx context.Context, parts *sync.WaitGroup) {
	for _, w := range d.watched {
		parts.Go(func() { w.Run(ctx) })
	}
}

// close may be called twice, and after a start that failed.
func (d *diagnosing) close() {
	if d.logs != nil {
		_ = d.logs.Close()
	}
	if d.changes != nil {
		_ = d.changes.Close()
	}
}
