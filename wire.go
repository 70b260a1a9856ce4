package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/diagnostics/watch"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/integrations/oidc"
	"github.com/hikeshi-ops/hikeshi/learning"
	"github.com/hikeshi-ops/hikeshi/learning/report"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/schedule"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/web"
	"github.com/hikeshi-ops/hikeshi/web/find"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// consoleChat is the built-in chat's name in the policy.
const consoleChat = "console"

// app is the whole process, put together. build makes it from top to bottom:
// store, core, worker, chats, HTTP.
type app struct {
	config   *config.Settled
	log      *slog.Logger
	store    storage.Store
	library  *runbooks.Library
	worker   *worker.Worker
	console  *web.Server
	audit    *recorder
	chats    []outside
	trackers *trackers
	ready    *readiness
	server   *http.Server
	listen   net.Listener
	jobs     *cron.Cron
	learned  *learning.Service
	misread  atomic.Pointer[incidents.Reason] // why the runbooks stay as they were; nil: they need not
	unread   int                              // facts that it could not read, as was said already; owned by settle
	sources  *inquiry.Sources
	asked    *diagnostics.Investigator
	plans    *schedule.Scheduler
	watcher  *watch.Watcher
	free     bool // the chats keep to no rates: for measuring
}

// build opens the store and the listener and puts everything together; run
// starts it. After an error nothing is left open.
func build(ctx context.Context, c *config.Settled, log *slog.Logger) (*app, error) {
	a := &app{config: c, log: log}
	if err := a.assemble(ctx); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *app) assemble(ctx context.Context) (err error) {
	c, log := a.config, a.log
	if a.library, err = loadRunbooks(c); err != nil {
		return err
	}
	store, err := storage.Open(ctx, storage.Config{URL: c.StoreURL, Dir: c.Data, Shards: c.Shards, Logger: log})
	if err != nil {
		return err
	}
	a.store = store
	if a.audit, err = openAudit(c, store, log); err != nil {
		return err
	}
	if a.listen, err = listen(ctx, c.Listen); err != nil {
		return err
	}
	if a.sources, err = inquiry.Open(ctx, owner(), c.Asked, store, a.audit.redact, log); err != nil {
		return err
	}

	policy := incidents.Policy{Chats: chatNames(c), Customers: c.CustomerRules, Tickets: c.TicketDesks.Routes, Archives: chatNames(c)[1:], ArchiveAfter: time.Duration(c.Chats.ArchiveAfter), RemindAck: time.Duration(c.RemindAck)}
	engine, freezer := a.newEngine(policy)
	ladder := newLadder(a, freezer)
	if a.trackers, err = makeTrackers(c, store, policy, log); err != nil {
		return config.Problem(err)
	}
	links := bot.Links{Base: a.url(), Approvers: approvers(c.Rights)}
	router, err := bot.NewRouter(bot.RouterOptions{
		Commands: commands.All(commands.Deps{Incidents: desk{engine, a.store, a.audit}, Again: engine, Wishes: engine, Inquiry: asker{a}, Library: a.library, Freezer: auditedFreezer{freezer, a.audit}, Trust: ladder, Lessons: auditedLessons{lessons{a.store, time.Now}, a.audit}, People: named(c.Rights), Customers: c.CustomerNames(), Links: links, Now: time.Now, Calendar: windows{a.config.Windows}.coming, Trackers: a.trackers}),
		Rights:   c.Rights, Incidents: a.store, Logger: log,
	})
	if err != nil {
		return fmt.Errorf("set up the commands: %w", err)
	}
	said := talk{engine, len(policy.Chats) > 1, a.audit.redact.Clean}
	if a.chats, err = makeChats(chatParts{c, a.store, auditedRouter{router, a.audit}, said, links, time.Now, log, a.free, web.Pictures{Incidents: a.store, Draw: diagnostics.Draw}, nil}); err != nil {
		return config.Problem(err)
	}
	a.trackers.connect(auditedRouter{router, a.audit}, overheard{engine, a.audit.redact.Clean})
	rooms := posters(c, store, web.Rooms{Store: store, Links: links, Now: time.Now}, a.chats)
	runner, err := a.newRunner(noting(engine), a.live(ctx, rooms, links).Follow, still(engine, a.gate(freezer, ladder)))
	if err != nil {
		return err
	}
	a.worker = newWorker(a, policy, engine, runner, freezer, ladder, syncers(rooms, links, c.CustomerLanguages))
	if a.watcher, err = newWatcher(a); err != nil {
		return config.Problem(err)
	}
	a.ready = &readiness{store: a.store, worker: a.worker, relaxed: c.Relaxed, log: log}
	if a.console, err = newConsole(a, router, said, links); err != nil {
		return config.Problem(err)
	}
	handler, err := a.routes(a.registry())
	if err != nil {
		return err
	}
	a.server = newServer(handler, log)
	a.jobs = a.schedule(ctx)
	a.plans = schedule.New(schedule.Options{Entries: c.Planned, Settings: a.store, Runner: runner, Log: a.store, Now: time.Now, Logger: log})
	return nil
}

// newEngine makes the engine, with all that is asked before an approval.
func (a *app) newEngine(policy incidents.Policy) (*worker.Engine, *worker.Freezer) {
	freezer := worker.NewFreezer(a.store, time.Now)
	before := worker.Before{Freeze: freezer, Closed: windows{a.config.Windows}.closed, Clock: a.clock}
	return worker.NewEngine(worker.EngineOptions{Store: a.store, Shards: a.store.Shards(), Policy: policy, Now: time.Now, Before: before, Seal: a.audit.seal}), freezer
}

// newServer has the limits of whatever comes over HTTP.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: intake.HeaderBytes, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// newWatcher raises alerts by itself, in the language of the configuration.
func newWatcher(a *app) (*watch.Watcher, error) {
	return watch.New(watch.Options{
		Rules: a.config.Watched.Rules, Tally: a.config.Watched.Tally, Sources: a.asked.Sources, Settings: a.store, Log: a.store,
		Say:   func(key string, args ...string) string { return phrases.T(a.config.Language, key, args...) },
		Clean: a.audit.redact.Clean, Now: time.Now, Logger: a.log,
	})
}

// syncers keep the rooms of each chat.
func syncers(rooms map[string]bot.Poster, links bot.Links, languages map[string]string) map[string]worker.Rooms {
	all := map[string]worker.Rooms{}
	for name, poster := range rooms {
		y := &bot.Syncer{Chat: name, Poster: poster, Links: links, Now: time.Now}
		if name != consoleChat { // there each reader has their own
			y.Languages = languages
		}
		all[name] = y
	}
	return all
}

// newWorker gives the worker its ports: the chats' rooms, the runbooks'
// runner, and the ranking.
func newWorker(a *app, policy incidents.Policy, engine *worker.Engine, runner *runbooks.Runner, freezer *worker.Freezer, ladder auditedLadder, rooms map[string]worker.Rooms) *worker.Worker {
	shards, gate := a.store.Shards(), a.gate(freezer, ladder)
	a.learned = learning.NewService(a.store, shards)
	a.asked = a.sources.Investigator(runner, a.learned.Seldom)
	return worker.New(worker.Options{
		Engine: engine,
		Folder: worker.NewFolder(worker.FolderOptions{
			Log: a.store, Store: a.store, Shards: shards, Policy: policy, Now: time.Now, Logger: a.log,
			Rules: func() incidents.Rules { return a.config.Rules }, Expected: windows{a.config.Windows}.expected,
		}),
		Store: a.store, Queue: a.store, Shards: shards, Policy: policy, Own: consoleChat, Owner: owner(), Now: time.Now, Logger: a.log,
		Gate: gate, Refused: a.audit.stopped,
		Ports: worker.Ports{
			Rooms:    rooms,
			Tickets:  a.trackers.ports(bot.Links{Base: a.url()}, a.config.CustomerLanguages, a.audit.redact.Clean, a.store),
			Diagnose: a.asked,
			Rank:     &suggester{library: a.library, learned: a.learned, past: a.store, now: time.Now, explore: a.config.Learning.Explore},
			Run:      auditedRuns{runner, a.audit, engine, gate},
			Trust:    ladder,
		},
	})
}

// desk is what the commands work at: the engine moves incidents, the store
// lists them.
type desk struct {
	*worker.Engine
	store storage.Store
	audit *recorder
}

func (d desk) List(ctx context.Context, q incidents.Query) (incidents.Page, error) {
	return d.store.List(ctx, q)
}

func (d desk) Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error) {
	return d.store.Events(ctx, id, after, max)
}

// asker asks for a person; who answers is made after the commands are.
type asker struct{ *app }

func (a asker) Only(ctx context.Context, s *incidents.Incident, kind incidents.ClueKind, words string) incidents.Diagnosed {
	return a.asked.Only(ctx, s, kind, words)
}

func (a asker) Graph(ctx context.Context, s *incidents.Incident, in, query string, own bool) (incidents.Diagnosed, error) {
	return a.asked.Graph(ctx, s, in, query, own)
}

// run serves until ctx ends, then drains: not ready at once, no new
// claims, what is under way ends, the listener closes.
func (a *app) run(ctx context.Context) error {
	var worker, parts sync.WaitGroup
	working, stop := context.WithCancel(ctx)
	defer stop()
	a.ready.check(ctx)
	windows{a.config.Windows}.warn(a.log)
	worker.Go(func() { a.worker.Run(working) })
	worker.Go(func() { a.plans.Run(working) })
	worker.Go(func() { a.watcher.Run(working) })
	worker.Go(func() { a.sources.Run(working) })
	live, endLive := context.WithCancel(context.WithoutCancel(ctx))
	defer endLive()
	parts.Go(func() { _ = a.console.Run(live) })
	parts.Go(func() { a.started(live); a.audit.log.Run(live) })
	runChats(working, a.chats, a.log, &worker)
	a.jobs.Start()
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(a.listen) }()

	var err error
	select {
	case <-ctx.Done():
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	}
	a.ready.stopping.Store(true)
	stop()
	<-a.jobs.Stop().Done()
	worker.Wait() // meanwhile probes are answered (not ready), and alerts are taken
	endLive()     // open streams would hold the listener
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if shutErr := a.server.Shutdown(closing); shutErr != nil {
		_ = a.server.Close()
	}
	parts.Wait()
	a.close()
	return err
}

// shutdownTime bounds how long requests under way may take to end.
const shutdownTime = 10 * time.Second

// close lets go of the store and the listener. It may be called twice.
func (a *app) close() {
	if a.listen != nil {
		_ = a.listen.Close()
	}
	if a.store != nil {
		if err := a.store.Close(); err != nil {
			a.log.Warn("could not close the store", "error", err)
		}
		a.store = nil
	}
}

// url is where people find the console.
func (a *app) url() string {
	if a.config.PublicURL != "" {
		return strings.TrimRight(a.config.PublicURL, "/")
	}
	return "http://" + a.listen.Addr().String()
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		refused := incidents.Fail(incidents.Unavailable, "error.listen", "cannot listen on "+addr+": "+err.Error(),
			"addr", addr, "error", err.Error()).WithHint("hikeshi serve --listen 127.0.0.1:8081")
		return nil, fmt.Errorf("%w: %w", refused, err) // the cause too: the demo takes another port
	}
	return l, nil
}

// owner names this process among replicas and restarts.
var owner = sync.OnceValue(func() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%x", host, os.Getpid(), time.Now().UnixNano())
})

// loadRunbooks reads the configured runbooks; any error in one is fatal, since
// starting with half of them would be a surprise at three in the morning.
func loadRunbooks(c *config.Settled) (*runbooks.Library, error) {
	library, problems := runbooks.Load(c.RunbookSources())
	if bad := runbooks.Errors(problems); len(bad) > 0 {
		say := func(lang string) string {
			lines := make([]string, 0, len(bad))
			for _, p := range bad {
				lines = append(lines, p.Text(lang, phrases.Fill))
			}
			return strings.Join(lines, "\n")
		}
		return nil, incidents.Fail(incidents.Invalid, "error.runbooks", "some runbooks are wrong:\n"+say(phrases.English), "problems", say(language())).
			WithHint("hikeshi runbook lint " + strings.Join(c.Runbooks.Paths, " "))
	}
	if err := c.FitTrust(library); err != nil {
		return nil, err
	}
	if err := c.FitSchedules(library); err != nil {
		return nil, err
	}
	return library, c.FitManuals(library)
}

// named finds people by their names where there are configured ones.
func named(rights bot.Rights) commands.People {
	if roster, ok := rights.(*bot.Roster); ok {
		return roster
	}
	return nil
}

// approvers names those who may approve runs somewhere, where not everybody
// may.
func approvers(rights bot.Rights) func(incidents.Scope) []string {
	roster, ok := rights.(*bot.Roster)
	if !ok {
		return nil
	}
	return func(scope incidents.Scope) []string {
		var names []string
		for _, p := range roster.Having(bot.ApproveRuns, bot.Of(scope)) {
			names = append(names, p.Name)
		}
		return names
	}
}

// newConsole gives the console what it shows and whom it lets in.
func newConsole(a *app, router *bot.Router, said web.Talk, links bot.Links) (*web.Server, error) {
	c := a.config
	signIn, err := provider(c.SignIn)
	if err != nil {
		return nil, err
	}
	return web.New(web.Options{
		Config:    web.Config{People: c.ConsolePeople, HTTPS: c.Console.HTTPS, SignInName: cmp.Or(c.Console.OIDC.Name, c.Console.OIDC.Issuer)},
		SignIn:    auditedSignIn(signIn, a.audit),
		Incidents: a.store, Alerts: find.New(find.Options{Incidents: a.store, Log: a.store, Shards: a.store.Shards()}), Rooms: a.store, Router: auditedRouter{router, a.audit}, Talk: said, DeadLetters: a.store, Outputs: auditedOutputs{a.shelf(), a.audit}, Learning: report.NewKeeper(a.store, a.store.Shards(), time.Now),
		Watch: a.store.Watch, Ready: a.readiness, Rights: c.Rights, Log: a.log,
		Runbooks: a.library, Manuals: a.trackers.manuals(a.audit.redact.Clean, a.log),
		Draw:       diagnostics.Draw,
		Postmortem: bot.Story{Links: links, Now: time.Now}.Postmortem,
	})
}

// provider is where people sign in; nil where they have tokens only.
func provider(c *oidc.Config) (web.SignIn, error) {
	if c == nil {
		return nil, nil
	}
	return oidc.New(*c)
}
