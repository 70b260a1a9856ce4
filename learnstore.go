package main

import (
	"context"
	"flag"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// learnFlags are those that every command has which works at the store.
func learnFlags(name string, std streams) (*flag.FlagSet, *serveFlags) {
	lang, f := language(), &serveFlags{}
	fs := newFlags(name, std)
	fs.StringVar(&f.config, "config", "", phrases.T(lang, "cli.flag.config"))
	fs.StringVar(&f.store, "store", "", phrases.T(lang, "cli.flag.store"))
	fs.StringVar(&f.data, "data", "", phrases.T(lang, "cli.flag.data"))
	return fs, f
}

// openLearned opens the store that the flags name; nil where it says why not.
func openLearned(ctx context.Context, f *serveFlags, std streams) (storage.Store, *config.Settled, int) {
	c, err := f.load()
	if err != nil {
		complain(std.err, err)
		return nil, nil, exitInvalid
	}
	store, err := storage.Open(ctx, storage.Config{URL: c.StoreURL, Dir: c.Data})
	if err != nil {
		complain(std.err, err)
		return nil, nil, exitCode(err)
	}
	return store, c, exitOK
}
