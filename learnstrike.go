package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
)

// factLog is what it takes to add to a store's log of facts.
type factLog interface {
	learning.Log
	Commit(ctx context.Context, c *incidents.Commit) error
	Shards() int
}

// lessons takes back what was learned, by one more fact in the log: nothing there is
// ever changed.
type lessons struct {
	store factLog
	now   func() time.Time
}

// Strike implements commands.Lessons.
func (l lessons) Strike(ctx context.Context, once string, by incidents.Actor, person, service string) (int, error) {
	f := incidents.Fact{Kind: incidents.FactReset, At: l.now(), By: by.ID, Context: incidents.Context{Service: service}}
	if person != "" {
		f.Kind, f.Person, f.Context = incidents.FactUndo, person, incidents.Context{}
	}
	n, err := learning.Strikes(ctx, l.store, l.store.Shards(), f)
	if err != nil {
		return 0, fmt.Errorf("count what is taken back: %w", err)
	}
	c := &incidents.Commit{Once: once}
	if n > 0 {
		c.Facts = []incidents.Fact{f}
	}
	switch err := l.store.Commit(ctx, c); {
	case errors.Is(err, incidents.ErrOnce): // a chat repeats itself: it is done already
		return n, nil
	case err != nil:
		return 0, fmt.Errorf("take back what was learned: %w", err)
	case n == 0:
		return 0, nothingLearned(person, service)
	}
	return n, nil
}

// nothingLearned says that a name is likely to be wrong.
func nothingLearned(person, service string) error {
	switch {
	case person != "":
		return incidents.Fail(incidents.NotFound, "error.no_votes", "no vote of "+person+" counts", "who", person).WithHint("hikeshi learn report")
	case service != "":
		return incidents.Fail(incidents.NotFound, "error.nothing_learned_of", "nothing was learned of "+service, "service", service).WithHint("hikeshi learn report")
	}
	return incidents.Fail(incidents.NotFound, "error.nothing_learned", "nothing was learned that counts")
}

// auditedLessons records who took back what, and writes that down before anything
// counts no more: what nobody can account for is not struck.
type auditedLessons struct {
	lessons
	audit *recorder
}

// Strike implements commands.Lessons.
func (x auditedLessons) Strike(ctx context.Context, once string, by incidents.Actor, person, service string) (n int, err error) {
	r := audit.Record{Action: audit.ActUnlearn, By: personOf(by), Target: "everything"}
	switch {
	case person != "":
		r.Target = "votes of " + bot.Line(person, 200)
	case service != "":
		r.Target = "service " + bot.Line(service, 200)
	}
	err = x.audit.log.Act(ctx, r, func() error {
		n, err = x.lessons.Strike(ctx, once, by, person, service)
		return err
	})
	return n, err
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
	n := 0
	record, err := openAudit(c, store, newLogger(c, std.err))
	if err == nil {
		err = record.during(ctx, func() error {
			n, err = auditedLessons{lessons{store, time.Now}, record}.Strike(ctx, "", incidents.Actor{ID: "cli"}, person, service)
			return err
		})
	}
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	fmt.Fprintln(std.out, phrases.T(language(), said, "who", person, "id", person, "service", service, "n", strconv.Itoa(n)))
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
