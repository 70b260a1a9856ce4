package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/learning/report"
)

// learnReport says how good the suggestions were. It needs the store for itself;
// the console's page says the same while it is served.
func learnReport(ctx context.Context, args []string, std streams) int {
	fs, f := learnFlags("learn report", std)
	asJSON := fs.Bool("json", false, phrases.T(language(), "cli.flag.json"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	store, _, code := openLearned(ctx, f, std)
	if store == nil {
		return code
	}
	defer store.Close()
	r, err := report.Collect(ctx, store, store.Shards(), time.Now())
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	if !*asJSON {
		r.Print(std.out, func(key string, args ...string) string { return phrases.T(language(), key, args...) })
		return exitOK
	}
	enc := json.NewEncoder(std.out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		complain(std.err, fmt.Errorf("write the report: %w", err))
		return exitFailed
	}
	return exitOK
}
