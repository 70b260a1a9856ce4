package main

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/outputs"
	"github.com/hikeshi-ops/hikeshi/web"
)

// shelf is where runs keep what their steps said.
func (a *app) shelf() *outputs.Shelf { return outputs.New(a.store, time.Now) }

// auditedOutputs writes down who reads what a step said, before they do. Where that cannot
// be written, nobody reads.
type auditedOutputs struct {
	shelf *outputs.Shelf
	audit *recorder
}

func (x auditedOutputs) Kept(ctx context.Context, run string) ([]web.KeptOutput, error) {
	entries, err := x.shelf.Of(ctx, run)
	if err != nil {
		return nil, err
	}
	all := make([]web.KeptOutput, 0, len(entries))
	for _, e := range entries {
		all = append(all, web.KeptOutput{Step: e.Step, Bytes: e.Bytes})
	}
	return all, nil
}

func (x auditedOutputs) Read(ctx context.Context, who incidents.Actor, run, step string) (text string, err error) {
	r := audit.Record{Action: audit.ActOutput, By: personOf(who), Run: run, Step: x.audit.redact.Clean(step)}
	err = x.audit.log.Act(ctx, r, func() error { text, err = x.shelf.Read(ctx, run, step); return err })
	return text, err
}
