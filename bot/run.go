package bot

import (
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// approval is a request to run something, edited in place once it is decided.
func (v *view) approval(a *incidents.Approval) Message {
	m := Message{
		Key: approvalKey(a.ID), Kind: KindApproval, Tone: ToneWarn, At: a.Asked.At, By: Who(a.Asked.By),
		Title: v.t("approval.title", "id", a.ID, "action", v.title(a.Plan.Title, a.Plan.Runbook)),
		Code:  v.steps(a.Plan.Recover),
		Fields: []Field{
			{Name: v.t("approval.risk"), Value: RiskWord(v.lang, a.Plan.Risk)},
			{Name: v.t("approval.verify"), Value: v.verifyWords(a.Plan.Verify)},
			{Name: v.t("approval.plan"), Value: Cut(a.Plan.Digest, 16+len("…"))},
		},
	}
	switch a.State {
	case incidents.ApprovalPending:
		m.Text = v.t("approval.pending", "by", Who(a.Asked.By), "until", Clock(v.lang, a.ExpiresAt, v.now))
		m.Buttons = []Button{
			v.button("approve", press{verb: pressApproveRequest, ref: a.ID, check: a.Plan.Digest}, StylePrimary),
			v.button("deny", press{verb: pressDeny, ref: a.ID, check: a.Plan.Digest}, StyleDanger),
		}
	case incidents.ApprovalGiven:
		m.Tone, m.Text = ToneInfo, v.t("approval.approved", v.decision(a)...)
		if a.Decided != nil && a.Decided.By.ID == a.Asked.By.ID { // approved with one click
			m.Text = v.t("approval.at_once", v.decision(a)...)
		}
	case incidents.ApprovalDenied:
		m.Text = v.t("approval.denied", v.decision(a)...)
	default:
		m.Text = v.t("approval.expired", "by", Who(a.Asked.By))
	}
	return m
}

func (v *view) decision(a *incidents.Approval) []string {
	if a.Decided == nil {
		return []string{"by", "–", "asker", Who(a.Asked.By), "at", "–"}
	}
	return []string{"by", Who(a.Decided.By), "asker", Who(a.Asked.By), "at", Clock(v.lang, a.Decided.At, v.now)}
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
