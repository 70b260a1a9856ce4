package commands

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// approve allows one run of one plan: of the only request there is, of a named
// one, or of a suggested action.
func approve(d Deps) bot.Command {
	return bot.Command{
		Name: "approve", Aliases: []string{"承認"}, Usage: "approve [rank|action|request:N] [despite reason]",
		Example: []string{"/inc approve", "/inc approve 1", "/inc approve restart-web", "/inc approve 1 despite customers cannot pay"},
		Help:    "help.approve", Right: bot.ApproveRuns, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if s, e, err := d.before(ctx, r, incidents.EventApproved, incidents.EventAgreed); err != nil || e != nil {
				key := "say.approved"
				if e != nil && e.Kind == incidents.EventAgreed {
					key = "say.agreed"
				}
				return decided(r, s, e, key), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			args, despite, err := despite(args)
			if err != nil {
				return bot.Reply{}, err
			}
			target, rest := bot.ParseTarget(args)
			if len(rest) > 0 {
				return bot.Reply{}, unexpected(rest[0], "/inc approve "+bot.Line(args[0], 80))
			}
			cmd, plan, err := d.approval(s, target, args)
			if err != nil {
				return bot.Reply{}, err
			}
			cmd.By, cmd.SignedIn, cmd.Despite = r.Person, r.SignedIn, despite
			if url := d.Links.Incident(r.Incident); plan.TwoMust() && r.SignedIn.IsZero() && url != "" {
				return bot.Reply{}, incidents.Fail(incidents.Forbidden, "error.approve_there", "this is approved in the web console only: "+url, "url", url)
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, cmd)
			if err != nil {
				return bot.Reply{}, err
			}
			key := "say.approved"
			if a := s.Approval(cmd.ID); a != nil && a.State == incidents.ApprovalPending {
				key = "say.agreed"
			}
			return confirm(r, s, key, "action", bot.Title(r.Lang, plan.Title, plan.Runbook)), nil
		},
	}
}

// despite cuts off why it must be although the calendar freezes changes.
func despite(args []string) (rest []string, why string, err error) {
	i := slices.IndexFunc(args, func(w string) bool { return strings.EqualFold(w, "despite") || w == "凍結中でも" })
	if i < 0 {
		return args, "", nil
	}
	why = bot.Line(strings.Join(args[i+1:], " "), incidents.MaxValue)
	if why == "" {
		return nil, "", incidents.Fail(incidents.Invalid, "error.despite", "after “despite” comes why it must be now").WithHint("/inc approve 1 despite customers cannot pay")
	}
	return args[:i], why, nil
}

// decided is the answer that a decision got which was made before.
func decided(r bot.Request, s *incidents.Incident, e *incidents.Event, key string) bot.Reply {
	if e == nil {
		return bot.Reply{}
	}
	a := s.Approval(e.ApprovalID)
	return confirm(r, s, key, "id", a.ID, "action", bot.Title(r.Lang, a.Plan.Title, a.Plan.Runbook))
}

// approval finds the plan that is meant, and refuses one that is not what the
// approver saw.
func (d Deps) approval(s *incidents.Incident, target bot.Target, args []string) (incidents.Approve, incidents.Plan, error) {
	var none incidents.Approve
	if target.Empty() || target.Request != "" {
		if target.Request == "" && justSettled(s, d.Now()) {
			return none, incidents.Plan{}, changed()
		}
		a, err := request(s, target.Request)
		if err != nil {
			return none, incidents.Plan{}, err
		}
		if !target.Saw(a.Plan.Digest) {
			return none, a.Plan, changed()
		}
		return incidents.Approve{ID: a.ID, Digest: a.Plan.Digest}, a.Plan, nil
	}
	g, err := d.suggested(s, target, args, "approve")
	if err != nil {
		return none, incidents.Plan{}, err
	}
	for _, a := range s.PendingApprovals() {
		if a.Plan.Digest == g.Plan.Digest { // it was asked for already: one request, one run
			return incidents.Approve{ID: a.ID, Digest: a.Plan.Digest}, a.Plan, nil
		}
	}
	return incidents.Approve{Action: g.Action, Digest: g.Plan.Digest}, g.Plan, nil
}

// request finds a request by its number, or the only one that waits.
func request(s *incidents.Incident, id string) (*incidents.Approval, error) {
	if id != "" {
		if a := s.Approval(id); a != nil {
			return a, nil
		}
		return nil, incidents.Fail(incidents.NotFound, "error.no_approval", "there is no such request", "id", bot.Line(id, 20)).WithHint("/inc status")
	}
	pending := s.PendingApprovals()
	switch len(pending) {
	case 1:
		return &pending[0], nil
	case 0:
		return nil, incidents.Fail(incidents.NotFound, "error.nothing_waits", "no request waits for a decision").WithHint("/inc approve 1")
	}
	n := strconv.Itoa(len(pending))
	return nil, incidents.Fail(incidents.Invalid, "error.several_wait", n+" requests wait; say which", "n", n).WithHint("/inc approve request:" + pending[0].ID)
}

// justSettled: another request ended a moment ago, so the only one that waits now may
// not be the one that was read.
func justSettled(s *incidents.Incident, now time.Time) bool {
	return slices.ContainsFunc(s.Approvals, func(a incidents.Approval) bool {
		return a.Decided != nil && now.Sub(a.Decided.At) < settle
	})
}

// settle is how long after the order of the suggestions has changed a bare
// rank is not taken, and after a plan has changed no typed word at all: what was
// read may not be what is.
const settle = 10 * time.Second

// suggested finds the suggested action that is meant.
func (d Deps) suggested(s *incidents.Incident, target bot.Target, args []string, verb string) (*incidents.Suggestion, error) {
	g := target.Suggestion(s)
	switch {
	case g == nil:
		return nil, noAction(args)
	case !target.Saw(g.Plan.Digest):
		return nil, changed()
	case target.Check == "" && d.Now().Sub(s.Replanned) < settle:
		return nil, changed()
	case target.Rank > 0 && target.Check == "" && len(s.Moved) > 0 && d.Now().Sub(s.RankedAt) < settle:
		return nil, incidents.Fail(incidents.Conflict, "error.just_moved", "the order has just changed; name the action", "action", bot.Line(g.Action, 80)).
			WithHint("/inc " + verb + " " + bot.Line(g.Action, 80))
	}
	return g, nil
}

func changed() error {
	return incidents.Fail(incidents.Conflict, "error.plan_changed", "this plan is not the one that was shown").WithHint("/inc suggest")
}
