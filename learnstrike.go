package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// committer is what it takes to add to a store's log of facts.
type committer interface {
	Commit(ctx context.Context, c *incidents.Commit) error
}

// lessons takes back what was learned, by one more fact in the log: nothing there is
// ever changed.
type lessons struct {
	store committer
	now   func() time.Time
}

// Strike implements commands.Lessons.
func (l lessons) Strike(ctx context.Context, once string, by incidents.Actor, person, service string) error {
	f := incidents.Fact{Kind: incidents.FactReset, At: l.now(), By: by.ID, Context: incidents.Context{Service: service}}
	if person != "" {
		f.Kind, f.Person, f.Context = incidents.FactUndo, person, incidents.Context{}
	}
	err := l.store.Commit(ctx, &incidents.Commit{Once: once, Facts: []incidents.Fact{f}})
	if err != nil && !errors.Is(err, incidents.ErrOnce) {
		return fmt.Errorf("take back what was learned: %w", err)
	}
	return nil
}

// auditedLessons records who took back what, and writes that down before anything
// counts no more: what nobody can account for is not struck.
type auditedLessons struct {
	lessons
	audit *recorder
}

// Strike implements commands.Lessons.
func (x auditedLessons) Strike(ctx context.Context, once string, by incidents.Actor, person, service string) error {
	r := audit.Record{Action: audit.ActUnlearn, By: personOf(by), Target: "everything"}
	switch {
	case person != "":
		r.Target = "votes of " + bot.Line(person, 200)
	case service != "":
		r.Target = "service " + bot.Line(service, 200)
	}
	return x.audit.log.Act(ctx, r, func() error { return x.lessons.Strike(ctx, once, by, person, service) })
}

// learnUndo is "hikeshi learn undo --person X", learnReset "hikeshi learn reset".
func learnUndo(ctx context.Context, args []string, std streams) int {
	fs, f := learnFlags("learn undo", std)
	person := fs.String("person", "", phrases.T(language(), "cli.flag.person"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	if *person == "" {
		fs.Usage()
		return exitUsage
	}
	return strike(ctx, f, std, *person, "", "say.learn_undone")
}

func learnReset(ctx context.Context, args []string, std streams) int {
	fs, f := learnFlags("learn reset", std)
	service := fs.String("service", "", phrases.T(language(), "cli.flag.learn_service"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	said := "say.learn_reset"
	if *service == "" {
		said = "say.learn_reset_all"
	}
	return strike(ctx, f, std, "", *service, said)
}

func strike(ctx context.Context, f *serveFlags, std streams, person, service, said string) int {
	store, c, code := openLearned(ctx, f, std)
	if store == nil {
		return code
	}
	defer store.Close()
	record, err := openAudit(c, store, newLogger(c, std.err))
	if err == nil {
		err = record.during(ctx, func() error {
			return auditedLessons{lessons{store, time.Now}, record}.Strike(ctx, "", incidents.Actor{ID: "cli"}, person, service)
		})
	}
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	fmt.Fprintln(std.out, phrases.T(language(), said, "who", person, "id", person, "service", service))
	return exitOK
}

// during keeps the audit for as long as one command does something that it must have.
func (r *recorder) during(ctx context.Context, do func() error) error {
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	var kept sync.WaitGroup
	kept.Go(func() { r.log.Run(live) })
	defer kept.Wait() // what is owed to it is written
	defer end()
	return do()
}
