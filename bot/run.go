package bot

import (
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// approval is a request to run something, edited in place once it is decided.
func (v *view) approval(a *incidents.Approval) Message {
	m := Message{
		Key: approvalKey(a.ID), Kind: KindApproval, Tone: ToneWarn, At: a.Asked.At, By: Who(a.Asked.By),
		Title:  v.t("approval.title", "id", a.ID, "action", v.title(a.Plan.Title, a.Plan.Runbook)),
		Code:   v.steps(a.Plan.Recover),
		Fields: v.planFields(&a.Plan),
	}
	if l := v.manual(a.Plan.Runbook); l != nil {
		m.Links = []Link{*l}
	}
	switch a.State {
	case incidents.ApprovalPending:
		m.Text = v.pending(a)
		m.Fields = append(m.Fields, Field{Name: v.t("approval.who"), Value: v.whoApproves(a)})
		m.Buttons = []Button{
			v.button("approve", press{verb: pressApproveRequest, ref: a.ID, check: a.Plan.Digest}, StylePrimary),
			v.button("deny", press{verb: pressDeny, ref: a.ID, check: a.Plan.Digest}, StyleDanger),
			v.button("withdraw", press{verb: pressWithdraw, ref: a.ID, check: a.Plan.Digest}, ""),
		}
	case incidents.ApprovalGiven:
		m.Tone, m.Text = ToneInfo, v.t("approval.approved", v.decision(a)...)
		if a.Standing != nil {
			m.Text = v.itself(a.Standing)
		} else if a.Plan.TwoMust() {
			m.Text = v.t("approval.approved_two", v.decision(a)...)
		} else if a.Decided != nil && a.Decided.By.ID == a.Asked.By.ID { // approved with one click
			m.Text = v.t("approval.at_once", v.decision(a)...)
		}
	case incidents.ApprovalDenied:
		m.Text = v.t("approval.denied", v.decision(a)...)
	case incidents.ApprovalWithdrawn:
		m.Text = v.t("approval.withdrawn", v.decision(a)...)
	default:
		m.Text = v.t("approval.expired", "by", Who(a.Asked.By))
	}
	return m
}

// planFields are what an approver wants to know of a plan besides its steps.
func (v *view) planFields(p *incidents.Plan) []Field {
	fields := []Field{{Name: v.t("approval.risk"), Value: RiskWord(v.lang, p.Risk)}}
	add := func(key, value string) {
		if value != "" {
			fields = append(fields, Field{Name: v.t(key), Value: value})
		}
	}
	add("approval.effect", Cut(Clean(p.Effect.In(v.lang)), maxOutput))
	add("approval.params", paramWords(p.Params))
	add("approval.verify", v.verifyWords(p.Verify))
	add("approval.undo", Cut(Clean(p.Undo.In(v.lang)), maxOutput))
	add("approval.plan", Cut(p.Digest, 16+len("…")))
	return fields
}

// paramWords are the values that a plan was made with, in the order of their
// names, each so that it cannot pass for two.
func paramWords(params map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		words = append(words, Line(name, 80)+"="+argument(params[name]))
	}
	return Cut(strings.Join(words, " "), maxOutput)
}

// pending says what is waited for.
func (v *view) pending(a *incidents.Approval) string {
	args := []string{"by", Who(a.Asked.By), "until", Clock(v.lang, a.ExpiresAt, v.now), "url", v.links.Incident(v.s.ID)}
	switch {
	case !a.Plan.TwoMust():
		return v.t("approval.pending", args...)
	case len(a.Given) > 0:
		return v.t("approval.pending_one", append(args, "first", v.names(a.Approvers()))...)
	}
	return v.t("approval.pending_two", args...)
}

// maxApprovers is how many of those who may approve are named.
const maxApprovers = 8

// whoApproves names those who may still approve.
func (v *view) whoApproves(a *incidents.Approval) string {
	if v.links.Approvers == nil {
		if a.Plan.TwoMust() {
			return v.t("approval.who_two_others")
		}
		return v.t("approval.who_anybody")
	}
	var names []string
	for _, name := range v.links.Approvers(v.s.Scope()) {
		said := slices.ContainsFunc(a.Given, func(m incidents.Mark) bool { return m.By.Name == name })
		if said || a.Plan.TwoMust() && a.Asked.By.Name == name {
			continue
		}
		names = append(names, Line(name, 80))
	}
	if len(names) == 0 {
		return v.t("approval.who_nobody")
	}
	if more := len(names) - maxApprovers; more > 0 {
		names = append(names[:maxApprovers], count(v.lang, "card.more", more))
	}
	return strings.Join(names, ", ")
}

func (v *view) names(people []incidents.Actor) string {
	var names []string
	for _, p := range people {
		names = append(names, Who(p))
	}
	return strings.Join(names, ", ")
}

func (v *view) decision(a *incidents.Approval) []string {
	if a.Decided == nil {
		return []string{"by", "–", "asker", Who(a.Asked.By), "at", "–"}
	}
	by := Who(a.Decided.By)
	if all := a.Approvers(); len(all) > 1 {
		by = v.names(all)
	}
	return []string{"by", by, "asker", Who(a.Asked.By), "at", Clock(v.lang, a.Decided.At, v.now)}
}

func (v *view) verifyWords(p incidents.Verify) string {
	args := []string{"stable", Duration(v.lang, p.Stable), "within", Duration(v.lang, p.Within)}
	if p.NoAlerts {
		return v.t("approval.verify_steps", args...)
	}
	return v.t("approval.verify_alerts", args...)
}

// run is one execution: its steps, how its verification goes with the values
// before and after, and the verdict.
func (v *view) run(r *incidents.Run) Message {
	m := Message{
		Key: runKey(r.ID), Kind: KindRun, Tone: ToneInfo, At: r.ApprovedAt,
		Title: v.t("run.title", "run", r.ID, "action", v.title(r.Plan.Title, r.Plan.Runbook)),
	}
	m.Text, m.Tone = v.verdict(r)
	if r.State == incidents.RunUnknown && len(r.Steps) == 0 { // whoever heard its steps is gone
		m.Text += " " + v.lastWords()
	}
	for i := range r.Steps {
		if i == maxSteps {
			m.Checks = append(m.Checks, Check{Group: v.t("run.steps"), State: CheckWaiting, Name: count(v.lang, "card.more", len(r.Steps)-maxSteps)})
			break
		}
		m.Checks = append(m.Checks, v.step(&r.Steps[i]))
	}
	if r.State == incidents.RunRunning || r.State == incidents.RunApproved {
		m.Code = v.steps(r.Plan.Recover)
	}
	switch r.State {
	case incidents.RunVerifying, incidents.RunVerified, incidents.RunNotVerified:
		m.Checks = append(m.Checks, v.beforeAfter(r)...)
	}
	if !r.StartedAt.IsZero() && !r.DoneAt.IsZero() {
		m.Fields = append(m.Fields, Field{Name: v.t("run.took"), Value: Duration(v.lang, r.DoneAt.Sub(r.StartedAt))})
	}
	switch r.State {
	case incidents.RunUnknown:
		m.Buttons = []Button{
			v.button("settle_worked", press{verb: pressWorked, ref: r.Number()}, ""),
			v.button("settle_failed", press{verb: pressFailed, ref: r.Number()}, ""),
			v.button("settle_stopped", press{verb: pressStopped, ref: r.Number()}, ""),
		}
	case incidents.RunVerified, incidents.RunNotVerified, incidents.RunFailed:
		m.Buttons = []Button{
			v.button("helped", press{verb: pressUp, ref: actionRef(r.Plan.Runbook)}, StyleUp),
			v.button("helped_not", press{verb: pressDown, ref: actionRef(r.Plan.Runbook)}, StyleDown),
		}
	}
	return m
}

// lastWords says what became of what the steps had said until nobody heard them any more.
func (v *view) lastWords() string {
	if page := v.links.Outputs(v.s.ID); page != "" {
		return v.t("run.last_words_at", "url", page)
	}
	return v.t("run.last_words")
}

// verdict says how the run stands, and its tone.
func (v *view) verdict(r *incidents.Run) (string, Tone) {
	because := Say(v.lang, r.Because)
	switch r.State {
	case incidents.RunApproved:
		return v.t("run.approved"), ToneInfo
	case incidents.RunRunning:
		return v.t("run.running", "at", Clock(v.lang, r.StartedAt, v.now)), ToneInfo
	case incidents.RunVerifying:
		return v.verifying(r), ToneInfo
	case incidents.RunVerified:
		return v.t("run.verified", "because", because), ToneGood
	case incidents.RunNotVerified:
		return v.t("run.not_verified", "because", because), ToneBad
	case incidents.RunFailed:
		if r.Halted() {
			return v.t("run.stopped", "because", because), ToneWarn
		}
		for i := range r.Steps {
			if step := &r.Steps[i]; !step.OK {
				return v.t("run.failed_step", "step", v.title(step.Title, step.Step), "value", resultWords(v.lang, step)), ToneBad
			}
		}
		return v.t("run.failed", "because", because), ToneBad
	default:
		return v.t("run.unknown", "because", because), ToneBad
	}
}

func (v *view) step(r *incidents.StepResult) Check {
	c := Check{
		Group: v.t("run.steps"), State: CheckBad, Name: v.title(r.Title, r.Step), Value: Line(r.Value, incidents.MaxValue),
		Detail: Cut(Clean(r.Output), maxOutput), Elapsed: Duration(v.lang, r.Elapsed),
	}
	if r.OK {
		c.State = CheckOK
	}
	if r.Error != "" || r.Because.Phrase != "" {
		c.Value = resultWords(v.lang, r)
	}
	return c
}

// beforeAfter is the verification's table: what each check said before
// anything was done, and what it says now.
func (v *view) beforeAfter(r *incidents.Run) []Check {
	before := make(map[string]*incidents.StepResult, len(r.Before))
	for i := range r.Before {
		before[r.Before[i].Step] = &r.Before[i]
	}
	var out []Check
	for i := range r.Plan.Verify.Steps {
		if i == maxSteps {
			return append(out, Check{Group: v.t("run.verification"), State: CheckWaiting, Name: count(v.lang, "card.more", len(r.Plan.Verify.Steps)-maxSteps)})
		}
		planned := &r.Plan.Verify.Steps[i]
		c := Check{Group: v.t("run.verification"), State: CheckWaiting, Name: v.title(planned.Title, planned.ID)}
		if b := before[planned.ID]; b != nil {
			c.Before = resultWords(v.lang, b)
		}
		for j := range r.After {
			if r.After[j].Step == planned.ID {
				after := v.step(&r.After[j])
				after.Group, after.Name, after.Before = c.Group, c.Name, c.Before
				c = after
			}
		}
		out = append(out, c)
	}
	return out
}

func resultWords(lang string, r *incidents.StepResult) string {
	if r.Because.Phrase != "" {
		return Line(Say(lang, r.Because), incidents.MaxValue)
	}
	if r.Error != "" {
		return Line(r.Error, incidents.MaxValue)
	}
	return Line(r.Value, incidents.MaxValue)
}
