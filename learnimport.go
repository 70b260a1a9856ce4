package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/learning/history"
)

// learnImport is "hikeshi learn import FILE": what another system knows of past
// incidents becomes facts. A file that is imported again, or an import that was
// killed and is begun again, adds what is not there yet.
func learnImport(ctx context.Context, args []string, std streams) int {
	lang := language()
	fs, f := learnFlags("learn import", std)
	column := fs.String("action", "", phrases.T(lang, "cli.flag.import_action"))
	file, code, done := oneFile(fs, args)
	if done {
		return code
	}
	if file == "" {
		fs.Usage()
		return exitUsage
	}
	h, code := readHistory(file, *column, std)
	if h == nil {
		return code
	}
	store, _, code := openLearned(ctx, f, std)
	if store == nil {
		return code
	}
	defer store.Close()
	added, err := history.Import(ctx, store, owner(), h.Facts)
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	fmt.Fprintln(std.out, phrases.T(lang, "cli.imported", "n", strconv.Itoa(added),
		"known", strconv.Itoa(len(h.Facts)-added), "left", strconv.Itoa(h.Left)))
	return exitOK
}

// readHistory says each line that cannot be read; nil where there is one.
func readHistory(file, column string, std streams) (*history.History, int) {
	in, err := os.Open(file)
	if err != nil {
		complain(std.err, err)
		return nil, exitInvalid
	}
	defer in.Close()
	h, err := history.Read(in, history.Options{Action: column, Now: time.Now()})
	if err != nil {
		complain(std.err, err)
		return nil, exitInvalid
	}
	if len(h.Problems) == 0 {
		return h, exitOK
	}
	lang := language()
	for _, p := range h.Problems {
		fmt.Fprintf(std.err, "%s:%d: %s\n", file, p.Line, phrases.Fill(lang, p.What.Phrase, p.What.Args))
	}
	fmt.Fprintln(std.err, phrases.T(lang, "cli.import_refused", "n", strconv.Itoa(len(h.Problems)+h.More)))
	return nil, exitInvalid
}
