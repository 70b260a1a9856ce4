package main

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// noting tells incidents what their runs note between two steps, each once.
func noting(engine *worker.Engine) runbooks.Notes {
	return func(ctx context.Context, id incidents.ID, run, step string, note incidents.Text) error {
		_, err := engine.Do(ctx, id, "note/"+run+"/"+step, incidents.RunNotes{Run: run, Note: note})
		return err
	}
}
