package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// run asks for something to be run: a suggested action, or any runbook with
// the values it needs. Somebody has to approve it.
func run(d Deps) bot.Command {
	return bot.Command{
		Name: "run", Aliases: []string{"request", "実行"}, Usage: "run rank|runbook [name=value …]",
		Example: []string{"/inc run 1", "/inc run restart-web", "/inc run restart-web instance=web-2"},
		Help:    "help.run", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if s, e, err := d.before(ctx, r, incidents.EventRequested); err != nil || e != nil {
				return requested(r, s, e), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			plan, err := d.plan(r.Reader, s, args)
			if err != nil {
				return bot.Reply{}, err
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Request{By: r.Person, Plan: plan})
			if err != nil {
				return bot.Reply{}, err
			}
			return d.asked(r, s, plan), nil
		},
	}
}

// asked says that it is asked for: by whom, where somebody else was first.
func (d Deps) asked(r bot.Request, s *incidents.Incident, plan incidents.Plan) bot.Reply {
	for _, a := range s.PendingApprovals() {
		if a.Plan.Digest == plan.Digest && a.Asked.By.ID != r.Person.ID {
			return answer(s, bot.Message{Tone: bot.ToneInfo, Text: phrases.T(r.Lang, "say.requested_before",
				"action", bot.Title(r.Lang, plan.Title, plan.Runbook), "by", bot.Who(a.Asked.By), "id", a.ID)})
		}
	}
	return confirm(r, s, "say.requested", "action", bot.Title(r.Lang, plan.Title, plan.Runbook))
}

// requested is the answer that a request got which was made before.
func requested(r bot.Request, s *incidents.Incident, e *incidents.Event) bot.Reply {
	if e == nil {
		return bot.Reply{}
	}
	return confirm(r, s, "say.requested", "action", bot.Title(r.Lang, e.Approval.Plan.Title, e.Approval.Plan.Runbook))
}

// plan is the plan that is meant: a suggestion's as it was shown, else one made
// of the runbook and the values given.
func (d Deps) plan(reader bot.Reader, s *incidents.Incident, args []string) (incidents.Plan, error) {
	target, rest := bot.ParseTarget(args)
	if target.Empty() {
		return incidents.Plan{}, incidents.Fail(incidents.Invalid, "error.what_to_run", "say what to run").WithHint("/inc run 1")
	}
	if target.Request != "" {
		return incidents.Plan{}, unexpected("request:"+target.Request, "/inc approve request:"+bot.Line(target.Request, 20))
	}
	given := map[string]string{}
	for _, word := range rest {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return incidents.Plan{}, incidents.Fail(incidents.Invalid, "error.not_value", "values are written name=value",
				"word", bot.Line(word, 80)).WithHint("/inc help run")
		}
		given[name] = value
	}
	if len(given) == 0 && (target.Rank > 0 || target.Suggestion(s) != nil) {
		g, err := d.suggested(s, target, args, "run")
		if err != nil {
			return incidents.Plan{}, err
		}
		return g.Plan, nil
	}
	id := target.Action
	if g := target.Suggestion(s); g != nil {
		id = g.Action
	}
	rb := d.runbook(reader, s, id)
	if rb == nil {
		return incidents.Plan{}, incidents.Fail(incidents.NotFound, "error.no_runbook", "there is no such runbook",
			"runbook", bot.Line(id, 80)).WithHint("/inc suggest")
	}
	return rb.Plan(s, given)
}

// runbook finds one for the incident; nil where there is none. Where incidents are
// customers', one that neither fits this incident nor was suggested in it may be
// another customer's: it is there only for who sees everybody's.
func (d Deps) runbook(reader bot.Reader, s *incidents.Incident, id string) *runbooks.Runbook {
	rb := d.Library.Get(id)
	if rb == nil || !rb.For(s.Customer) {
		return nil
	}
	if reader.All || len(d.Customers) == 0 && s.Customer == "" {
		return rb
	}
	if (bot.Target{Action: id}).Suggestion(s) == nil && !rb.Fit(s) {
		return nil
	}
	return rb
}
