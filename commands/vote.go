package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// thumbs are the words for a vote.
var thumbs = map[string]int{
	"up": 1, "+1": 1, "👍": 1, "good": 1,
	"down": -1, "-1": -1, "👎": -1, "bad": -1,
	"none": 0, "back": 0, "取消": 0,
}

// vote is a thumb for or against an action.
func vote(d Deps) bot.Command {
	return bot.Command{
		Name: "vote", Aliases: []string{"feedback", "投票"}, Usage: "vote rank|action up|down|none [wrong-cause|unsafe-now|too-slow|not-the-root] [text]",
		Example: []string{"/inc vote 1 up", "/inc vote restart-web down wrong-cause it was the disk"},
		Help:    "help.vote", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if s, e, err := d.before(ctx, r, incidents.EventVoted); err != nil || e != nil {
				return voted(r, s, e), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			target, rest := bot.ParseTarget(args)
			action := target.ActionID(s)
			if action == "" {
				return bot.Reply{}, noAction(args)
			}
			if len(rest) == 0 {
				return bot.Reply{}, badVote()
			}
			value, ok := thumbs[strings.ToLower(rest[0])]
			if !ok {
				return bot.Reply{}, badVote()
			}
			var why incidents.Objection
			if rest = rest[1:]; value < 0 {
				why, rest = objection(rest)
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Vote{
				By: r.Person, Action: action, Value: value, Why: why, Text: strings.Join(rest, " "),
				Own: d.People != nil && d.People.Owns(r.Person, s.Scope()),
			})
			if err != nil {
				return bot.Reply{}, err
			}
			if value < 0 && why == "" && r.Origin == bot.Pressed && s.Objections[action][r.Person.ID] == "" {
				return answer(s, bot.AskWhy(r.Lang, s, action, titleOfAction(r.Lang, s, action))), nil
			}
			return confirm(r, s, "say.voted", "action", titleOfAction(r.Lang, s, action)), nil
		},
	}
}

// voted is the answer that a vote got which was given before.
func voted(r bot.Request, s *incidents.Incident, e *incidents.Event) bot.Reply {
	if e == nil {
		return bot.Reply{}
	}
	return confirm(r, s, "say.voted", "action", titleOfAction(r.Lang, s, e.Action))
}

// titleOfAction is the title of an action that was suggested or run.
func titleOfAction(lang string, s *incidents.Incident, action string) string {
	for i := range s.Suggestions {
		if s.Suggestions[i].Action == action {
			return bot.Title(lang, s.Suggestions[i].Title, action)
		}
	}
	for i := range s.Runs {
		if s.Runs[i].Plan.Runbook == action {
			return bot.Title(lang, s.Runs[i].Plan.Title, action)
		}
	}
	return bot.Title(lang, incidents.Text{}, action)
}

func badVote() error {
	return incidents.Fail(incidents.Invalid, "error.vote", "a vote is up or down").WithHint("/inc vote 1 up")
}
