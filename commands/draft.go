package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/draft"
)

// maxDraft is how much of a draft one answer shows, in bytes.
const maxDraft = 12_000

// draftCommand makes the draft of a runbook of what people did by hand, where no
// runbook helped. It is shown for review and kept nowhere.
func draftCommand(d Deps) bot.Command {
	return bot.Command{
		Name: "draft", Aliases: []string{"下書き"}, Usage: "draft",
		Example: []string{"/inc draft"},
		Help:    "help.draft", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("draft", args); err != nil {
				return bot.Reply{}, err
			}
			s, text, err := Draft(ctx, d.Incidents, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			m := bot.Message{Kind: bot.KindReply, Title: phrases.T(r.Lang, "say.draft", "id", s.ID.String()), Text: phrases.T(r.Lang, "say.draft_how"),
				Code: []bot.Code{{Label: "YAML", Text: bot.Cut(text, maxDraft)}}}
			return bot.Reply{Message: &m, State: s}, nil // for the room: others are to read it
		},
	}
}

// Draft is the draft of a runbook of what people did by hand in an incident.
func Draft(ctx context.Context, from history, id incidents.ID) (*incidents.Incident, string, error) {
	s, err := from.Load(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if s.Status().Open() {
		return nil, "", incidents.Fail(incidents.Conflict, "error.draft_open", "the incident is not resolved yet").WithHint("/inc resolve")
	}
	for i := range s.Runs {
		if s.Runs[i].State == incidents.RunVerified {
			return nil, "", incidents.Fail(incidents.Conflict, "error.draft_helped", "a runbook helped here", "action", s.Runs[i].Plan.Runbook)
		}
	}
	all, err := events(ctx, from, id)
	if err != nil {
		return nil, "", err
	}
	commands := draft.Commands(all)
	if len(commands) == 0 {
		return nil, "", incidents.Fail(incidents.NotFound, "error.draft_nothing", "nobody noted a command").WithHint("/inc note $ systemctl restart nginx")
	}
	return s, draft.Of(s, commands), nil
}
