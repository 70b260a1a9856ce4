package runbooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Branch is one way that a runbook can go. The first whose condition holds for
// what the checks found is taken, before anybody is asked for an approval: a plan
// has no conditions in it.
type Branch struct {
	ID       string
	Title    incidents.Text
	Row      []Cell         // a row of the truth table; all must hold
	Expr     string         // or a condition in CEL
	Else     bool           // "otherwise: true": whatever the checks found
	Note     incidents.Text // said to the incident when this way is taken
	Effect   incidents.Text // what this way is expected to do; else the runbook's
	Undo     incidents.Text // how to take this way back; else the runbook's
	Recover  []Step
	Collect  []Step         // looks that are made when nothing is to be mended
	Close    incidents.Text // it is over, once no alert fires: said when that ends the incident
	Escalate incidents.Text // a person is to be called; with Recover, when that did not help

	cond *condition
}

// Cell is one check of a row: up (it passed) or down.
type Cell struct {
	Check string
	Up    bool
}

func (c Cell) String() string { return c.Check + " " + state(c.Up) }

// The two states of a check that was carried out.
const (
	stateUp   = "up"
	stateDown = "down"
)

func state(up bool) string {
	if up {
		return stateUp
	}
	return stateDown
}

// When is the branch's condition as it was written.
func (b *Branch) When() string {
	if b.Expr != "" {
		return b.Expr
	}
	cells := make([]string, len(b.Row))
	for i, c := range b.Row {
		cells[i] = c.String()
	}
	return strings.Join(cells, ", ")
}

// facts are what a choice is made from. A check that could not be carried out
// is not among them: nobody knows.
type facts struct {
	checks map[string]fact
	params map[string]any
	labels incidents.Labels
}

// A fact is what one check found.
type fact struct {
	ok     bool
	code   int
	number *float64
	output string
	silent bool // it is down for want of an answer, so there is no code
}

// down are reasons why a check has no answer that are one: what it asks is not
// there. Other reasons, such as a program that is missing here, say nothing.
var down = []string{"runbook.no_answer", "runbook.timeout", "runbook.killed"}

func (f *facts) add(check, failure string, because incidents.Reason, found fact) {
	if failure == "" || slices.Contains(down, because.Phrase) {
		found.silent = failure != ""
		f.checks[check] = found
	}
}

// factsOf are what the incident's latest investigation says about the runbook.
func (rb *Runbook) factsOf(findings []incidents.Finding, labels incidents.Labels, params map[string]string) *facts {
	f := &facts{checks: map[string]fact{}, params: rb.typed(params), labels: labels}
	for i := range findings {
		found := &findings[i]
		if check, ours := strings.CutPrefix(found.Check, rb.ID+"/"); ours {
			f.add(check, found.Error, found.Because, fact{ok: found.OK, code: found.Code, number: found.Number, output: found.Detail})
		}
	}
	return f
}

// states are up or down by check, for people and for the plan.
func (f *facts) states() map[string]string {
	all := make(map[string]string, len(f.checks))
	for id, found := range f.checks {
		all[id] = state(found.ok)
	}
	return all
}

// choose takes the first branch whose condition holds. Where one cannot be
// decided, since a check that it asks about has no answer, nothing is chosen: a
// later branch would be taken for want of knowledge.
func (rb *Runbook) choose(f *facts) (*Branch, error) {
	for i := range rb.Branches {
		b := &rb.Branches[i]
		holds, err := b.holds(f)
		if err != nil {
			return nil, incidents.Fail(incidents.Conflict, "runbook.branch_unknown",
				fmt.Sprintf("it cannot be said whether %s applies: %v", b.ID, err), "runbook", rb.ID, "branch", b.ID, "error", err.Error()).WithHint("/inc diagnose")
		}
		if holds {
			return b, nil
		}
	}
	return nil, incidents.Fail(incidents.Conflict, "runbook.no_branch",
		"runbook "+rb.ID+" does not say what to do when "+foundWords(f.states()), "runbook", rb.ID, "found", foundWords(f.states()))
}

func (b *Branch) holds(f *facts) (bool, error) {
	if b.cond != nil {
		return b.cond.holds(f)
	}
	var unknown string
	for _, c := range b.Row {
		found, known := f.checks[c.Check]
		switch {
		case !known && unknown == "":
			unknown = c.Check
		case known && found.ok != c.Up:
			return false, nil
		}
	}
	if unknown != "" {
		return false, fmt.Errorf("%s has no result", unknown)
	}
	return true, nil
}

// foundWords is "apache down, tomcat up".
func foundWords(states map[string]string) string {
	words := make([]string, 0, len(states))
	for _, id := range slices.Sorted(maps.Keys(states)) {
		words = append(words, id+" "+states[id])
	}
	return strings.Join(words, ", ")
}

// branch chooses for the incident; the branch has a recovery.
func (rb *Runbook) branch(s *incidents.Incident, values map[string]string) (*Branch, *incidents.Branch, error) {
	f := rb.factsOf(s.Findings, s.Common, values)
	b, err := rb.choose(f)
	if err != nil {
		return nil, nil, err
	}
	if len(b.Recover) == 0 {
		return nil, nil, incidents.Fail(incidents.Conflict, "runbook.branch_looks",
			fmt.Sprintf("with %s, runbook %s has nothing to run: %s", foundWords(f.states()), rb.ID, b.title().EN),
			"runbook", rb.ID, "found", foundWords(f.states()), "branch", b.ID)
	}
	chosen := &incidents.Branch{ID: b.ID, Title: b.title(), Found: f.states()}
	if slices.ContainsFunc(rb.Branches, func(b Branch) bool { return b.cond != nil && b.cond.labels }) {
		chosen.Labels = s.Common
	}
	return b, chosen, nil
}

// title is what a branch is called, at least its id.
func (b *Branch) title() incidents.Text {
	if b.Title == (incidents.Text{}) {
		return incidents.Text{EN: b.ID, JA: b.ID}
	}
	return b.Title
}

// stands says whether what the plan's checks find now still leads to the plan's
// branch.
func (rb *Runbook) stands(plan incidents.Plan, results []incidents.StepResult) error {
	f := &facts{checks: map[string]fact{}, params: rb.typed(plan.Params), labels: plan.Branch.Labels}
	for i := range results {
		r := &results[i]
		f.add(r.Step, r.Error, r.Because, fact{ok: r.OK, code: r.Code, number: r.Number, output: r.Output})
	}
	b, err := rb.choose(f)
	if err == nil && b.ID == plan.Branch.ID {
		return nil
	}
	return incidents.Fail(incidents.Conflict, "runbook.branch_changed",
		fmt.Sprintf("the checks now find %s, for which this was not approved, so nothing was run", foundWords(f.states())), "found", foundWords(f.states()))
}

// branchFinding tells the incident which way the runbook goes, and why.
func (rb *Runbook) branchFinding(b *Branch, f *facts) incidents.Finding {
	said := b.Note
	if said == (incidents.Text{}) {
		said = b.title()
		if len(b.Recover) == 0 && b.Escalate != (incidents.Text{}) {
			said = b.Escalate
		}
	}
	way := incidents.Finding{
		Check: rb.ID + ":" + b.ID, Title: said, Value: steps.CutLine(foundWords(f.states()), maxLine),
		OK: len(b.Recover) == 0 && b.Escalate == (incidents.Text{}),
	}
	if len(b.Recover) == 0 && b.Escalate != (incidents.Text{}) {
		way.Calls = &b.Escalate
	}
	if b.Close != (incidents.Text{}) {
		way.Closes = &b.Close
	}
	return way
}
