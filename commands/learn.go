package commands

import (
	"context"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Lessons are what was learned. Strike says that something of it counts no more: the
// votes of a person, or all of a service, or, with neither, everything. once names
// the wish. It says how many facts that is; NotFound where there are none.
type Lessons interface {
	Strike(ctx context.Context, once string, by incidents.Actor, person, service string) (int, error)
}

// learn takes back what was learned: a person's votes, or all there is of a service.
func learn(d Deps) bot.Command {
	return bot.Command{
		Name: "learn", Aliases: []string{"学習"}, Usage: "learn undo person | reset service|everything",
		Example: []string{"/inc learn undo @bea", "/inc learn reset checkout"},
		Help:    "help.learn", Right: bot.Administer,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if d.Lessons == nil {
				return bot.Reply{}, incidents.Fail(incidents.Unavailable, "error.no_lessons", "nothing is learned here")
			}
			if len(args) < 2 {
				return bot.Reply{}, badLearn()
			}
			what := bot.Line(strings.Join(args[1:], " "), 200)
			switch strings.ToLower(args[0]) {
			case "undo", "取消":
				return d.undoVotes(ctx, r, what)
			case "reset", "リセット":
				return d.resetLessons(ctx, r, what)
			}
			return bot.Reply{}, badLearn()
		},
	}
}

func (d Deps) undoVotes(ctx context.Context, r bot.Request, word string) (bot.Reply, error) {
	who := incidents.Actor{ID: word, Name: word}
	if !strings.Contains(word, ":") { // else it is an id, as the log has it
		var err error
		if who, err = d.person(ctx, r, nil, word); err != nil {
			return bot.Reply{}, err
		}
	}
	n, err := d.Lessons.Strike(ctx, r.Once, r.Person, who.ID, "")
	if err != nil {
		return bot.Reply{}, err
	}
	return confirm(r, nil, "say.learn_undone", "who", bot.Who(who), "id", who.ID, "n", strconv.Itoa(n)), nil
}

func (d Deps) resetLessons(ctx context.Context, r bot.Request, service string) (bot.Reply, error) {
	key := "say.learn_reset"
	if service == "everything" || service == "すべて" {
		service, key = "", "say.learn_reset_all"
	}
	n, err := d.Lessons.Strike(ctx, r.Once, r.Person, "", service)
	if err != nil {
		return bot.Reply{}, err
	}
	return confirm(r, nil, key, "service", service, "n", strconv.Itoa(n)), nil
}

func badLearn() error {
	return incidents.Fail(incidents.Invalid, "error.learn", "say what to take back").WithHint("/inc learn undo @bea")
}
