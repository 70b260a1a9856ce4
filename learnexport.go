package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/learning/history"
)

// learnExport writes what verifiably helped as a history that learn replay
// reads. It needs the store for itself.
func learnExport(ctx context.Context, args []string, std streams) int {
	fs, f := learnFlags("learn export", std)
	if code, done := parse(fs, args, 0); done {
		return code
	}
	store, _, code := openLearned(ctx, f, std)
	if store == nil {
		return code
	}
	defer store.Close()
	n, err := history.Export(ctx, store, store.Shards(), std.out)
	if err != nil {
		complain(std.err, err)
		return exitFailed
	}
	fmt.Fprintln(std.err, phrases.T(language(), "cli.exported", "n", strconv.Itoa(n)))
	return exitOK
}
