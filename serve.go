package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// serveFlags are the flags of serve and check.
type serveFlags struct {
	config, store, data, listen string
}

// load reads the configuration; flags win over everything.
func (f *serveFlags) load() (*config.Settled, error) {
	path := f.config
	if path == "" {
		path = os.Getenv("HIKESHI_CONFIG")
	}
	c, err := config.Load(path, os.Getenv)
	if err != nil {
		return nil, err
	}
	if f.store != "" {
		c.Store, c.StoreFile = config.Secret(f.store), ""
		c.Stands("--store", "store", "store_file")
	}
	if f.data != "" {
		c.Data = f.data
		c.Stands("--data", "data")
	}
	if f.listen != "" {
		c.Listen = f.listen
		c.Stands("--listen", "listen")
	}
	return c.Settle()
}

// serve runs the bot until it is told to stop.
func serve(ctx context.Context, args []string, std streams) int {
	var f serveFlags
	fs := newFlags("serve", std)
	lang := language()
	fs.StringVar(&f.config, "config", "", phrases.T(lang, "cli.flag.config"))
	fs.StringVar(&f.store, "store", "", phrases.T(lang, "cli.flag.store"))
	fs.StringVar(&f.data, "data", "", phrases.T(lang, "cli.flag.data"))
	fs.StringVar(&f.listen, "listen", "", phrases.T(lang, "cli.flag.listen"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	c, err := f.load()
	if err != nil {
		complain(std.err, err)
		return exitInvalid
	}
	log := newLogger(c, std.err)
	if err := steps.HideProcess(); err != nil {
		log.Warn("could not hide this process from the commands it runs", "error", err)
	}
	a, err := build(ctx, c, log)
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	greet(std.out, lang, a)
	context.AfterFunc(ctx, func() { fmt.Fprintln(std.err, phrases.T(lang, "cli.draining")) })
	if err := a.run(ctx); err != nil {
		complain(std.err, err)
		return exitFailed
	}
	fmt.Fprintln(std.err, phrases.T(lang, "cli.stopped"))
	return exitOK
}

// greet tells where everything is.
func greet(out io.Writer, lang string, a *app) {
	url := a.url()
	fmt.Fprintln(out, phrases.T(lang, "cli.listening", "url", url))
	fmt.Fprintln(out, phrases.T(lang, "cli.console", "url", url+"/"))
	fmt.Fprintln(out, phrases.T(lang, "cli.point_prometheus", "url", url+"/v1/alerts/alertmanager"))
	if len(a.config.ConsolePeople) == 0 && a.config.SignIn == nil || len(a.config.Intake) == 0 {
		fmt.Fprintln(out, phrases.T(lang, "cli.anonymous"))
	} else if len(a.config.People) == 0 {
		fmt.Fprintln(out, phrases.T(lang, "cli.no_roles"))
	}
	if a.audit.made {
		fmt.Fprintln(out, phrases.T(lang, "cli.audit_key_made", "file", a.audit.file))
	}
}

func newLogger(c *config.Settled, w io.Writer) *slog.Logger {
	redact := steps.NewRedactor(c.Secrets()...)
	options := &slog.HandlerOptions{Level: c.LogLevel, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch v := a.Value.Resolve(); v.Kind() { // of what people type, and vendors answer
		case slog.KindString:
			a.Value = slog.StringValue(redact.Clean(v.String()))
		case slog.KindAny:
			if err, ok := v.Any().(error); ok {
				a.Value = slog.StringValue(redact.Clean(err.Error()))
			}
		}
		return a
	}}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// check reads everything that serve would read, and says what is wrong.
func check(_ context.Context, args []string, std streams) int {
	var f serveFlags
	fs := newFlags("check", std)
	lang := language()
	fs.StringVar(&f.config, "config", "", phrases.T(lang, "cli.flag.config"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	c, err := f.load()
	if err == nil {
		err = c.Unread
	}
	if err != nil {
		if e, ok := errors.AsType[*incidents.Error](err); ok {
			e.Hint = "docs/configuration.md" // not: check it
		}
		complain(std.err, err)
		return exitInvalid
	}
	library, err := loadRunbooks(c)
	if err != nil {
		complain(std.err, err)
		return exitInvalid
	}
	fmt.Fprintln(std.out, phrases.T(lang, "cli.check_ok", "sources", strconv.Itoa(len(c.Intake)),
		"rules", strconv.Itoa(len(c.Rules)), "runbooks", strconv.Itoa(len(library.All()))))
	for _, note := range c.Overlaps() {
		fmt.Fprintln(std.out, phrases.Fill(lang, note.Phrase, note.Args))
	}
	windows{c.Windows}.say(std.out, time.Now())
	return exitOK
}
