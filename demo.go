package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/examples"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/demo"
)

// The demonstration is the product itself with an empty data directory, beside
// a small web shop that is really broken: a process of its own, visitors, and a
// watcher that posts Alertmanager's JSON. Nothing in it knows that it is a
// demonstration but this file and player.go.

// demoFlags are the flags of demo.
type demoFlags struct {
	auto   bool
	fault  string
	listen string
	data   string
	delay  time.Duration
	log    string
}

// faults that the shop has, and the runbook that really cures each.
var faults = map[string]string{"wedge": "shop-restart", "leak": "shop-clean-cache", "slow": "shop-restart"}

func runDemo(ctx context.Context, args []string, std streams) int {
	var f demoFlags
	lang := language()
	fs := newFlags("demo", std)
	fs.BoolVar(&f.auto, "auto", false, phrases.T(lang, "demo.flag.auto"))
	fs.StringVar(&f.fault, "fault", "wedge", phrases.T(lang, "demo.flag.fault"))
	fs.StringVar(&f.listen, "listen", "", phrases.T(lang, "cli.flag.listen"))
	fs.StringVar(&f.data, "data", "", phrases.T(lang, "demo.flag.data"))
	fs.DurationVar(&f.delay, "delay", 5*time.Second, phrases.T(lang, "demo.flag.delay"))
	fs.StringVar(&f.log, "log", "error", phrases.T(lang, "demo.flag.log"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	if faults[f.fault] == "" {
		fmt.Fprintln(std.err, phrases.T(lang, "demo.no_fault", "fault", f.fault, "faults", "wedge, leak, slow"))
		return exitUsage
	}
	if f.delay < 0 {
		fmt.Fprintln(std.err, phrases.T(lang, "demo.bad_delay", "delay", f.delay.String()))
		return exitUsage
	}
	d, err := openDemo(ctx, f, std, lang)
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	defer d.close()
	if err := d.play(ctx); err != nil {
		if ctx.Err() != nil {
			return exitOK
		}
		complain(std.err, err)
		return exitFailed
	}
	return exitOK
}

// demonstration is everything that runs.
type demonstration struct {
	flags  demoFlags
	std    streams
	lang   string
	dir    string
	own    bool // the directory is ours to remove
	shop   *demo.Shop
	app    *app
	player *player
	stop   context.CancelFunc
	parts  sync.WaitGroup
	failed chan error
}

// openDemo starts everything. After an error nothing is left running.
func openDemo(ctx context.Context, f demoFlags, std streams, lang string) (*demonstration, error) {
	d := &demonstration{flags: f, std: std, lang: lang, dir: f.data, failed: make(chan error, 4)}
	if err := d.open(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demonstration) open(ctx context.Context) (err error) {
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "hikeshi-demo-"); err != nil {
			return fmt.Errorf("make a directory for the demo: %w", err)
		}
		d.own = true
	}
	ctx, d.stop = context.WithCancel(ctx)
	d.say("demo.starting")
	if d.shop, err = demo.StartShop(ctx, demo.ShopOptions{Dir: filepath.Join(d.dir, "shop")}); err != nil {
		return fmt.Errorf("start the shop: %w", err)
	}
	c, err := d.config()
	if err != nil {
		return err
	}
	if d.app, err = buildFree(ctx, c, newLogger(c, d.std.err), d.flags.listen == ""); err != nil {
		return err
	}
	d.start(ctx, "hikeshi", d.app.run)
	watcher, err := demo.NewWatcher(demo.WatcherOptions{
		Shop: "http://" + d.shop.Addr(), Target: d.app.url() + "/v1/alerts/alertmanager",
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return fmt.Errorf("watch the shop: %w", err)
	}
	d.start(ctx, "watcher", watcher.Run)
	d.tellSources(ctx)
	traffic := &demo.Traffic{URL: "http://" + d.shop.Addr()}
	d.start(ctx, "traffic", traffic.Run)
	d.player = newPlayer(d.app.url(), d.lang, d.std.out)
	return nil
}

// start runs a part until the demo ends; a part that fails ends the demo.
func (d *demonstration) start(ctx context.Context, what string, run func(context.Context) error) {
	d.parts.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			d.failed <- fmt.Errorf("%s: %w", what, err)
		}
	})
}

func (d *demonstration) close() {
	if d.stop != nil {
		d.stop()
	}
	d.parts.Wait()
	if d.shop != nil {
		_ = d.shop.Close()
	}
	if d.own {
		_ = os.RemoveAll(d.dir)
	}
}

// config is that of a small team: one grouping rule, the runbooks that come
// with the binary, impatient timers so that nobody has to wait.
func (d *demonstration) config() (*config.Settled, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own binary: %w", err)
	}
	c := config.Default()
	c.Language, c.Data, c.Log.Level = d.lang, filepath.Join(d.dir, "data"), d.flags.log
	c.Listen = d.flags.listen
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
		if d.flags.auto {
			c.Listen = "127.0.0.1:0"
		}
	}
	quiet := config.Duration(5 * time.Second)
	c.Grouping = []config.Rule{{
		Name: "shop", Match: []string{`service="shop"`}, GroupBy: []string{"service", "alertname"},
		Reopen: config.Duration(10 * time.Second), Quiet: &quiet,
	}}
	c.Runbooks.Vars = map[string]string{
		"shop_url": "http://" + d.shop.Addr(), "shop_dir": filepath.Join(d.dir, "shop"), "hikeshi": exe,
	}
	c.Runbooks.HTTPHosts = []string{"http://" + d.shop.Addr()}
	c.Diagnostics = askedInDemo("http://" + d.shop.Addr())
	c.Embedded = examples.Demo()
	return c.Settle()
}

// buildFree is build; where the usual port is taken and any will do, a free one.
func buildFree(ctx context.Context, c *config.Settled, log *slog.Logger, anyPort bool) (*app, error) {
	a, err := build(ctx, c, log)
	if anyPort && errors.Is(err, syscall.EADDRINUSE) {
		c.Listen = "127.0.0.1:0"
		return build(ctx, c, log)
	}
	if refused, ok := errors.AsType[*incidents.Error](err); ok && refused.Phrase == "error.listen" {
		refused.Hint = strings.Replace(refused.Hint, "hikeshi serve", "hikeshi demo", 1)
	}
	return a, err
}

func (d *demonstration) say(key string, args ...string) {
	fmt.Fprintln(d.std.out, phrases.T(d.lang, key, args...))
}

// play runs the story: the human's part in the browser, or by the player.
func (d *demonstration) play(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.parts.Go(func() {
		select {
		case err := <-d.failed:
			cancel(err)
		case <-ctx.Done():
		}
	})
	var err error
	if d.flags.auto {
		err = d.auto(ctx)
	} else {
		err = d.interactive(ctx)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// interactive breaks the shop after a while and then narrates; whoever sits at
// the terminal can break it again.
func (d *demonstration) interactive(ctx context.Context) error {
	d.say("demo.shop_at", "url", "http://"+d.shop.Addr()+"/")
	d.say("demo.open_console", "url", d.app.url()+"/")
	d.say("demo.will_break", "fault", d.faultName(d.flags.fault), "seconds", fmt.Sprintf("%.0f", d.flags.delay.Seconds()))
	d.say("demo.again", "faults", "wedge, leak, slow")
	typed := make(chan string)
	go readLines(d.std.in, typed, ctx.Done())
	broken := time.NewTimer(d.flags.delay)
	defer broken.Stop()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		fault := ""
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-broken.C:
			fault = d.flags.fault
		case word := <-typed:
			if faults[word] == "" {
				d.say("demo.no_fault", "fault", word, "faults", "wedge, leak, slow")
				continue
			}
			fault = word
		case <-look.C:
			if err := d.player.narrate(ctx); err != nil && ctx.Err() == nil {
				return err
			}
			continue
		}
		if err := d.shop.Break(ctx, fault); err != nil {
			d.say("demo.break_failed", "error", err.Error())
			continue
		}
		d.say("demo.broken", "fault", d.faultName(fault))
	}
}

func (d *demonstration) faultName(fault string) string { return phrases.T(d.lang, "demo.fault."+fault) }

// readLines hands over what is typed until in ends or stop closes. A read that
// waits for a terminal cannot be interrupted; it ends with the process.
func readLines(in io.Reader, out chan<- string, stop <-chan struct{}) {
	if in == nil {
		return
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		word := strings.TrimSpace(lines.Text())
		if word == "" {
			continue
		}
		select {
		case out <- word:
		case <-stop:
			return
		}
	}
}

// auto plays the human too, over the same HTTP surface, and fails unless the
// shop really works again, the incident is resolved and the ranking has moved.
func (d *demonstration) auto(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	if err := d.shop.Break(ctx, d.flags.fault); err != nil {
		return fmt.Errorf("break the shop: %w", err)
	}
	d.say("demo.broken", "fault", d.faultName(d.flags.fault))
	result, err := d.player.respond(ctx, faults[d.flags.fault])
	if err != nil {
		return err
	}
	h, err := d.shop.Health(ctx)
	if err != nil {
		return fmt.Errorf("ask the shop how it is: %w", err)
	}
	if h.Status != "ok" {
		return fmt.Errorf("the incident is resolved, but the shop is %s: %s", h.Status, h.Reason)
	}
	d.say("demo.shop_works", "uptime", fmt.Sprintf("%.1f", h.UptimeSeconds))
	for i, when := range []string{"demo.ranking_before", "demo.ranking_proved", "demo.ranking_judged"} {
		d.say(when)
		d.player.ranking(result[i])
	}
	if slices.EqualFunc(result[0], result[len(result)-1], samePlace) {
		return errors.New("the ranking did not move")
	}
	d.say("demo.done")
	return nil
}
