package main

import (
	"context"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// runbookDraft is "hikeshi runbook draft INC-42 > FILE.yaml": what /inc draft shows,
// whole and as a file. It needs the store for itself, and loads nothing.
func runbookDraft(ctx context.Context, args []string, std streams) int {
	fs, f := learnFlags("runbook draft", std)
	fs.Usage = func() { fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_runbook")) }
	word, code, done := oneFile(fs, args)
	if done {
		return code
	}
	id, ok := incidents.ParseID(word)
	if !ok {
		fs.Usage()
		return exitUsage
	}
	store, _, code := openLearned(ctx, f, std)
	if store == nil {
		return code
	}
	defer store.Close()
	_, text, err := commands.Draft(ctx, stored{store}, id)
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	fmt.Fprint(std.out, text)
	fmt.Fprintln(std.err, phrases.T(language(), "cli.drafted"))
	return exitOK
}

// stored reads incidents where nobody else works at them.
type stored struct{ storage.Store }

// Load fails where there is no such incident.
func (s stored) Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error) {
	inc, err := s.Store.Load(ctx, id)
	if err == nil && inc == nil {
		err = incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
	}
	return inc, err
}
