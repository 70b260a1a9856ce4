package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// verdicts are the words for what became of a run.
var verdicts = map[string]incidents.Verdict{
	"worked": incidents.Worked, "done": incidents.Worked, "成功": incidents.Worked, "完了": incidents.Worked,
	"failed": incidents.DidNotWork, "失敗": incidents.DidNotWork,
	"stopped": incidents.Stopped, "停止": incidents.Stopped, "中断": incidents.Stopped,
}

// settleRun is a person's word on a run whose outcome is unknown.
func settleRun(d Deps) bot.Command {
	return bot.Command{
		Name: "settle", Aliases: []string{"確定"}, Usage: "settle [run] worked|failed|stopped [note]",
		Example: []string{"/inc settle stopped", "/inc settle 1 worked the process is 2 minutes old", "/inc INC-42 settle 1 failed"},
		Help:    "help.settle", Right: bot.ApproveRuns, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if s, e, err := d.before(ctx, r, incidents.EventRunFinished, incidents.EventRunFailed); err != nil || e != nil {
				return settledBefore(r, s, e), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			run, verdict, saw, err := settled(s, args)
			if err != nil {
				return bot.Reply{}, err
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Settle{By: r.Person, Run: run, As: verdict, Text: saw})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.settled."+string(verdict), "run", run), nil
		},
	}
}

// settledBefore is the answer that a word on a run got which was said before.
func settledBefore(r bot.Request, s *incidents.Incident, e *incidents.Event) bot.Reply {
	if e == nil {
		return bot.Reply{}
	}
	return confirm(r, s, "say.settled."+string(incidents.VerdictOf(e)), "run", e.RunID)
}

// settled reads "1 worked because", "INC-42/1 worked" or "worked"; without a
// number the run is meant whose outcome is unknown.
func settled(s *incidents.Incident, args []string) (run string, verdict incidents.Verdict, saw string, err error) {
	unknown := s.Unsettled()
	try := "/inc settle 1 stopped"
	if unknown != nil {
		run, try = unknown.ID, "/inc settle "+unknown.Number()+" stopped"
	}
	if len(args) > 0 && verdicts[strings.ToLower(args[0])] == "" {
		run, args = s.ID.String()+"/"+strings.TrimPrefix(strings.ToUpper(args[0]), s.ID.String()+"/"), args[1:]
		if s.Run(run) == nil {
			return "", "", "", incidents.Fail(incidents.NotFound, "error.no_run", "there is no such run", "run", bot.Line(run, 80)).WithHint(try)
		}
	}
	if len(args) == 0 || verdicts[strings.ToLower(args[0])] == "" {
		return "", "", "", incidents.Fail(incidents.Invalid, "error.verdict", "a run has worked, failed or stopped").WithHint(try)
	}
	if run == "" {
		return "", "", "", incidents.Fail(incidents.Conflict, "error.nothing_unknown", "the outcome of every run is known").WithHint("/inc status")
	}
	return run, verdicts[strings.ToLower(args[0])], strings.Join(args[1:], " "), nil
}
