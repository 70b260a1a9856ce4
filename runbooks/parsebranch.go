package runbooks

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// MaxBranches is how many branches a runbook may have.
const MaxBranches = 16

// branches reads them; check and params were read before.
func (r *reader) branches(rb *Runbook, f fields, n *yaml.Node) {
	switch {
	case f["recover"] != nil:
		r.fail(n, "runbook.lint.branches_and_recover")
		return
	case len(rb.Check) == 0:
		r.fail(n, "runbook.lint.branches_without_check")
		return
	}
	env, err := conditionEnv(rb.Check, rb.Params)
	if err != nil {
		r.fail(n, "runbook.lint.bad_when", "error", err.Error())
		return
	}
	items := r.items(n, "branches", MaxBranches)
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		r.fail(n, "runbook.lint.no_steps", "key", "branches")
	}
	before := len(r.problems)
	for _, item := range items {
		if b, ok := r.branch(rb, env, item); ok {
			rb.Branches = append(rb.Branches, b)
		}
	}
	if len(r.problems) == before || len(Errors(r.problems[before:])) == 0 {
		r.reachable(rb, items, n)
	}
}

func (r *reader) branch(rb *Runbook, env *cel.Env, n *yaml.Node) (Branch, bool) {
	var b Branch
	f, ok := r.fields(n, "branches", "id", "title", "when", "otherwise", "note", "effect", "undo", "recover", "collect", "close", "escalate")
	if !ok {
		return b, false
	}
	if v := f["id"]; v == nil {
		r.fail(n, "runbook.lint.missing", "key", "id")
	} else if id, ok := r.str(v, "id"); ok {
		switch b.ID = id; {
		case !stepIDForm.MatchString(id):
			r.fail(v, "runbook.lint.bad_id", "id", id)
		case slices.ContainsFunc(rb.Branches, func(o Branch) bool { return o.ID == id }):
			r.fail(v, "runbook.lint.branch_twice", "id", id)
		}
	}
	r.branchTexts(&b, f)
	r.when(rb, env, &b, f, n)
	switch {
	case f["recover"] == nil && f["collect"] == nil && f["escalate"] == nil && f["close"] == nil:
		r.fail(n, "runbook.lint.branch_outcome", "id", b.ID)
	case f["recover"] != nil && f["collect"] != nil:
		r.fail(n, "runbook.lint.branch_both", "id", b.ID)
	}
	if v := f["close"]; v != nil {
		r.mayClose(rb, &b, f, v)
	}
	for _, key := range []string{"effect", "undo"} {
		if f["recover"] == nil && f[key] != nil {
			r.fail(f[key], "runbook.lint.effect_without_recover", "key", key)
		}
	}
	if v := f["recover"]; v != nil {
		b.Recover = r.steps(v, "recover", RecoverTimeout)
	}
	if v := f["collect"]; v != nil {
		b.Collect = r.steps(v, "collect", CheckTimeout)
	}
	return b, true
}

// mayClose: only where every check is up, and nothing is to be done, can it be over.
func (r *reader) mayClose(rb *Runbook, b *Branch, f fields, n *yaml.Node) {
	if f["recover"] != nil || f["escalate"] != nil {
		r.fail(n, "runbook.lint.close_with", "id", b.ID)
	}
	up := 0
	for _, c := range b.Row {
		if c.Up {
			up++
		}
	}
	if up != len(rb.Check) {
		r.fail(n, "runbook.lint.close_when", "id", b.ID)
	}
}

func (r *reader) branchTexts(b *Branch, f fields) {
	for _, t := range []struct {
		key string
		to  *incidents.Text
	}{{"title", &b.Title}, {"note", &b.Note}, {"effect", &b.Effect}, {"undo", &b.Undo}, {"close", &b.Close}, {"escalate", &b.Escalate}} {
		if f[t.key] == nil {
			continue
		}
		*t.to = r.text(f[t.key], t.key)
		if t.to.EN == "" {
			r.warn(f[t.key], "runbook.lint.no_english", "key", t.key)
		}
		if t.to.JA == "" {
			r.warn(f[t.key], "runbook.lint.no_japanese", "key", t.key)
		}
	}
}

// when reads a row of the truth table, a condition in CEL, or otherwise.
func (r *reader) when(rb *Runbook, env *cel.Env, b *Branch, f fields, n *yaml.Node) {
	w, other := f["when"], f["otherwise"]
	switch {
	case (w == nil) == (other == nil):
		r.fail(n, "runbook.lint.branch_when", "id", b.ID)
	case other != nil:
		if b.Else = r.boolean(other, "otherwise"); !b.Else {
			r.fail(other, "runbook.lint.branch_when", "id", b.ID)
		}
	case w.Kind == yaml.MappingNode:
		r.row(rb, b, w)
	default:
		expr, ok := r.str(w, "when")
		if !ok {
			return
		}
		c, err := compile(env, expr)
		if err != nil {
			r.fail(w, "runbook.lint.bad_when", "error", err.Error())
			return
		}
		b.Expr, b.cond = strings.TrimSpace(expr), c
	}
}

func (r *reader) row(rb *Runbook, b *Branch, n *yaml.Node) {
	if len(n.Content) == 0 {
		r.fail(n, "runbook.lint.branch_when", "id", b.ID)
	}
	for i := 0; i < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if !slices.ContainsFunc(rb.Check, func(s Step) bool { return s.ID == k.Value }) {
			ids := make([]string, len(rb.Check))
			for i := range rb.Check {
				ids[i] = rb.Check[i].ID
			}
			r.fail(k, "runbook.lint.when_check", "check", k.Value, "checks", strings.Join(ids, ", "))
			continue
		}
		if s, ok := r.str(v, k.Value); ok && s != stateUp && s != stateDown {
			r.fail(v, "runbook.lint.when_state", "value", s)
		} else if ok {
			b.Row = append(b.Row, Cell{k.Value, s == stateUp})
		}
	}
}

// maxTable bounds the combinations that are tried: 2 to the power of this.
const maxTable = 12

// reachable plays all combinations of checks that are up and down, as far as the
// conditions depend on nothing else, and reports branches that none leads to and
// combinations that lead nowhere.
func (r *reader) reachable(rb *Runbook, items []*yaml.Node, n *yaml.Node) {
	var asked []string
	for i := range rb.Branches {
		asked = append(asked, rb.Branches[i].asks()...)
	}
	slices.Sort(asked)
	if asked = slices.Compact(asked); len(asked) > maxTable {
		return
	}
	reached := make([]bool, len(rb.Branches))
	var nowhere map[string]string
	for combination := range 1 << len(asked) {
		f := &facts{checks: map[string]fact{}}
		for i, id := range asked {
			f.checks[id] = fact{ok: combination&(1<<i) != 0}
		}
		if !rb.walk(f, reached) && nowhere == nil {
			nowhere = f.states()
		}
	}
	for i, ok := range reached {
		if !ok && i < len(items) {
			r.fail(items[i], "runbook.lint.unreachable", "id", rb.Branches[i].ID)
		}
	}
	if nowhere != nil {
		r.warn(n, "runbook.lint.no_otherwise", "found", foundWords(nowhere))
	}
}

// walk marks the branches that the facts can lead to, and says whether they lead
// to one for sure.
func (rb *Runbook) walk(f *facts, reached []bool) bool {
	for i := range rb.Branches {
		b := &rb.Branches[i]
		if b.cond != nil && !b.cond.plain() { // it depends on more: it may hold or not
			reached[i] = true
			continue
		}
		if holds, err := b.holds(f); err == nil && holds {
			reached[i] = true
			return true
		}
	}
	return false
}

// asks are the checks whose being up or down decides, where nothing else does.
func (b *Branch) asks() []string {
	var ids []string
	for _, c := range b.Row {
		ids = append(ids, c.Check)
	}
	if b.cond != nil && b.cond.plain() {
		for _, name := range b.cond.uses {
			ids = append(ids, strings.TrimSuffix(strings.TrimPrefix(name, "steps."), ".ok"))
		}
	}
	return ids
}

// plain: the condition depends on nothing but checks being up or down.
func (c *condition) plain() bool {
	return !slices.ContainsFunc(c.uses, func(name string) bool {
		return !strings.HasPrefix(name, "steps.") || !strings.HasSuffix(name, ".ok")
	})
}
