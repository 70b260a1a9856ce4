package commands

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/incidents/trust"
)

// Trust is how far runbooks are trusted to run by themselves, for each service.
type Trust interface {
	Standing(ctx context.Context, runbook, service string) (trust.Standing, error)
	// Accept says the same twice where it is said twice.
	Accept(ctx context.Context, runbook, service, digest string, by incidents.Actor) (incidents.Acceptance, error)
	// Revoke says whether there was anything to take back.
	Revoke(ctx context.Context, runbook, service string, by incidents.Actor) (bool, error)
}

// trustCommand shows how far this incident's actions are trusted with its service, and
// changes that.
func trustCommand(d Deps) bot.Command {
	return bot.Command{
		Name: "trust", Aliases: []string{"信頼"}, Usage: "trust [accept|revoke rank|action]",
		Example: []string{"/inc trust", "/inc trust accept restart-web", "/inc trust revoke restart-web"},
		Help:    "help.trust", Right: bot.ApproveRuns, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if d.Trust == nil {
				return bot.Reply{}, incidents.Fail(incidents.Unavailable, "error.no_trust", "nothing can be trusted to run by itself here")
			}
			if s, e, err := d.before(ctx, r, incidents.EventAccepted, incidents.EventRevoked); err != nil || e != nil {
				return d.trusted(r, s, e), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			if len(args) == 0 {
				return d.showTrust(ctx, r, s)
			}
			target, rest := bot.ParseTarget(args[1:])
			if len(rest) > 0 {
				return bot.Reply{}, unexpected(rest[0], "/inc trust")
			}
			action := target.ActionID(s)
			if action == "" {
				return bot.Reply{}, noAction(args[1:])
			}
			switch args[0] {
			case "accept", "認める":
				return d.acceptTrust(ctx, r, s, action, target.Check)
			case "revoke", "取消":
				return d.revokeTrust(ctx, r, s, action)
			}
			return bot.Reply{}, unexpected(args[0], "/inc trust accept "+bot.Line(action, 80))
		},
	}
}

func (d Deps) acceptTrust(ctx context.Context, r bot.Request, s *incidents.Incident, action, digest string) (bot.Reply, error) {
	if rb := d.runbook(r.Reader, s, action); rb == nil || rb.Risk != incidents.RiskLow {
		return bot.Reply{}, incidents.Fail(incidents.Forbidden, "error.trust_risk", "only what is of low risk runs by itself").WithHint("/inc trust")
	}
	if _, err := d.Trust.Accept(ctx, action, s.Scope().Realm(), digest, r.Person); err != nil {
		return bot.Reply{}, err
	}
	return d.tellTrust(ctx, r, action, incidents.EventAccepted)
}

func (d Deps) revokeTrust(ctx context.Context, r bot.Request, s *incidents.Incident, action string) (bot.Reply, error) {
	was, err := d.Trust.Revoke(ctx, action, s.Scope().Realm(), r.Person)
	if err != nil {
		return bot.Reply{}, err
	}
	if !was && s.Trust[action].Said != incidents.EventAccepted { // else it was taken back, and the room never told
		return bot.Reply{}, incidents.Fail(incidents.NotFound, "error.trust_none", "this does not run by itself").WithHint("/inc trust")
	}
	return d.tellTrust(ctx, r, action, incidents.EventRevoked)
}

// tellTrust says it in the room, so that everybody there knows who decided.
func (d Deps) tellTrust(ctx context.Context, r bot.Request, action string, said incidents.EventKind) (bot.Reply, error) {
	s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.TellTrust{By: r.Person, Action: action, Word: incidents.Word{Said: said}})
	if err != nil {
		return bot.Reply{}, err
	}
	return d.trusted(r, s, &incidents.Event{Kind: said, Action: action}), nil
}

// trusted is the answer to whoever decided.
func (d Deps) trusted(r bot.Request, s *incidents.Incident, e *incidents.Event) bot.Reply {
	if e == nil {
		return bot.Reply{}
	}
	key := "say.trust_accepted"
	if e.Kind == incidents.EventRevoked {
		key = "say.trust_revoked"
	}
	return confirm(r, s, key, "action", titleOfAction(r.Lang, s, e.Action))
}

// showTrust lists what was suggested or run here.
func (d Deps) showTrust(ctx context.Context, r bot.Request, s *incidents.Incident) (bot.Reply, error) {
	m := bot.Message{Title: phrases.T(r.Lang, "say.trust_title", "service", bot.Line(s.Service, 120))}
	if s.Service == "" {
		m.Title = phrases.T(r.Lang, "say.trust_title_none")
	}
	risks := map[string]incidents.Risk{}
	var actions []string
	add := func(p *incidents.Plan) {
		if _, known := risks[p.Runbook]; !known {
			risks[p.Runbook] = p.Risk
			actions = append(actions, p.Runbook)
		}
	}
	for i := range s.Suggestions {
		add(&s.Suggestions[i].Plan)
	}
	for i := range s.Runs {
		add(&s.Runs[i].Plan)
	}
	if len(actions) == 0 {
		m.Text = phrases.T(r.Lang, "say.trust_nothing")
	}
	for _, action := range actions {
		st, err := d.Trust.Standing(ctx, action, s.Scope().Realm())
		if err != nil {
			return bot.Reply{}, err
		}
		m.Fields = append(m.Fields, bot.Field{Name: titleOfAction(r.Lang, s, action), Value: standingWords(r.Lang, &st, risks[action], d.Now())})
	}
	return answer(s, m), nil
}

// standingWords say how far an action is trusted with a service.
func standingWords(lang string, st *trust.Standing, risk incidents.Risk, now time.Time) string {
	switch {
	case risk != incidents.RiskLow:
		return phrases.T(lang, "say.trust_high")
	case st.Accepted != nil:
		return phrases.T(lang, "say.trust_itself", "by", bot.Who(st.Accepted.By), "on", bot.Date(lang, st.Accepted.At, now), "runs", runWords(st.Accepted.Rests))
	case !st.Proposed.IsZero():
		return phrases.T(lang, "say.trust_proposed", "runs", runWords(st.Row))
	}
	return phrases.T(lang, "say.trust_click", "n", strconv.Itoa(len(st.Row)), "of", strconv.Itoa(trust.PromoteAfter))
}

func runWords(runs []string) string { return bot.Line(strings.Join(runs, ", "), incidents.MaxValue) }
