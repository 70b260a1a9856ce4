package runbooks

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var (
	idForm     = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,63}\z`)
	stepIDForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,31}\z`)
)

// Parse reads one runbook. values are those of {var.name}; with nil any name
// stands for itself, which is for looking at a file, not for running it. The
// runbook is nil where a problem is an error.
func Parse(file string, content []byte, values map[string]string) (*Runbook, []Problem) {
	r := &reader{file: file, vars: &vars{values: values, any: values == nil}}
	root := r.document(content)
	if root == nil {
		return nil, r.problems
	}
	rb := r.runbook(root)
	sortProblems(r.problems)
	if r.failed() {
		return nil, r.problems
	}
	sum := sha256.Sum256(content)
	rb.File, rb.Digest = file, hex.EncodeToString(sum[:])
	return rb, r.problems
}

func (r *reader) runbook(root *yaml.Node) *Runbook {
	f, ok := r.fields(root, "", "id", "title", "what", "where", "how", "manual", "risk", "fits", "words", "customers", "effect", "undo",
		"params", "check", "recover", "branches", "verify", "escalate")
	if !ok {
		return nil
	}
	rb := &Runbook{}
	r.identity(rb, f, root)
	if n := f["manual"]; n != nil {
		rb.Manual = r.manual(n)
	}
	if n := f["params"]; n != nil {
		rb.Params = r.params(n)
	}
	if n := f["check"]; n != nil {
		rb.Check = r.steps(n, "check", CheckTimeout)
	}
	if n := f["recover"]; n != nil {
		rb.Recover = r.steps(n, "recover", RecoverTimeout)
	}
	if n := f["branches"]; n != nil {
		r.branches(rb, f, n)
	}
	r.risk(rb, f, root)
	r.fits(rb, f, root)
	if n := f["customers"]; n != nil {
		r.customers(rb, n)
	}
	r.verify(rb, f, root)
	r.usage(rb, f)
	return rb
}

func (r *reader) identity(rb *Runbook, f fields, root *yaml.Node) {
	if n := f["id"]; n == nil {
		r.fail(root, "runbook.lint.no_id")
	} else if id, ok := r.str(n, "id"); ok && !idForm.MatchString(id) {
		r.fail(n, "runbook.lint.bad_id", "id", id)
	} else {
		rb.ID = id
	}
	texts := []struct {
		key string
		to  *incidents.Text
	}{{"title", &rb.Title}, {"what", &rb.What}, {"where", &rb.Where}, {"how", &rb.How}, {"effect", &rb.Effect}, {"undo", &rb.Undo}, {"escalate", &rb.Escalate}}
	for _, t := range texts {
		n := f[t.key]
		if n == nil {
			continue
		}
		*t.to = r.text(n, t.key)
		if t.to.EN == "" {
			r.warn(n, "runbook.lint.no_english", "key", t.key)
		}
		if t.to.JA == "" {
			r.warn(n, "runbook.lint.no_japanese", "key", t.key)
		}
	}
	switch {
	case f["title"] == nil || rb.Title == incidents.Text{}:
		r.fail(root, "runbook.lint.no_title")
	case strings.ContainsAny(rb.Title.EN+rb.Title.JA, "\r\n"):
		r.fail(f["title"], "runbook.lint.title_lines")
	}
}

func (r *reader) risk(rb *Runbook, f fields, root *yaml.Node) {
	changes := f["recover"] != nil || rb.Changes()
	n := f["risk"]
	if n == nil {
		if rb.Risk = incidents.RiskRead; changes {
			r.fail(root, "runbook.lint.no_risk")
		}
		return
	}
	s, ok := r.str(n, "risk")
	if !ok {
		return
	}
	rb.Risk = incidents.Risk(s)
	switch {
	case !slices.Contains([]incidents.Risk{incidents.RiskRead, incidents.RiskLow, incidents.RiskHigh}, rb.Risk):
		r.fail(n, "runbook.lint.bad_risk", "risk", s)
	case changes && rb.Risk == incidents.RiskRead:
		r.fail(n, "runbook.lint.risk_read_recovers")
	case !changes && rb.Risk != incidents.RiskRead:
		r.fail(n, "runbook.lint.risk_without_recover", "risk", s)
	}
}

func (r *reader) verify(rb *Runbook, f fields, root *yaml.Node) {
	n := f["verify"]
	changes := f["recover"] != nil || rb.Changes()
	switch {
	case !changes && n != nil:
		r.fail(n, "runbook.lint.verify_without_recover")
		return
	case !changes:
		if f["check"] == nil {
			r.fail(root, "runbook.lint.does_nothing")
		}
		if e := f["escalate"]; e != nil {
			r.fail(e, "runbook.lint.escalate_without_recover")
		}
		for _, key := range []string{"effect", "undo"} {
			if e := f[key]; e != nil {
				r.fail(e, "runbook.lint.effect_without_recover", "key", key)
			}
		}
		return
	case n == nil:
		r.fail(cmp.Or(f["recover"], f["branches"]), "runbook.lint.no_verify")
		return
	}
	if f["escalate"] == nil {
		r.warn(root, "runbook.lint.no_escalate")
	}
	v := Verify{Every: VerifyEvery, Stable: VerifyStable, Within: VerifyWithin}
	vf, ok := r.fields(n, "verify", "steps", "same_as", "every", "stable", "within", "alerts")
	if !ok {
		return
	}
	r.verifyTimes(&v, vf, n)
	if a := vf["alerts"]; a != nil {
		s, _ := r.str(a, "alerts")
		if s != "cleared" && s != "ignore" {
			r.fail(a, "runbook.lint.bad_alerts", "value", s)
		}
		v.NoAlerts = s == "ignore"
	}
	same := vf["same_as"]
	switch {
	case (same == nil) == (vf["steps"] == nil):
		r.fail(n, "runbook.lint.verify_steps")
	case same != nil:
		if s, _ := r.str(same, "same_as"); s != "check" || len(rb.Check) == 0 {
			r.fail(same, "runbook.lint.same_as", "value", s)
		}
		v.SameAs, v.Steps = "check", rb.Check
	default:
		v.Steps = r.steps(vf["steps"], "verify", CheckTimeout)
	}
	rb.Verify = v
}

func (r *reader) verifyTimes(v *Verify, f fields, n *yaml.Node) {
	for _, t := range []struct {
		key   string
		to    *time.Duration
		least time.Duration
		tell  bool // say which default is used
	}{{"every", &v.Every, time.Second, false}, {"stable", &v.Stable, 0, true}, {"within", &v.Within, time.Second, true}} {
		if d := f[t.key]; d != nil {
			if read, ok := r.duration(d, t.key, t.least, maxWithin); ok {
				*t.to = read
			}
		} else if t.tell {
			r.warn(n, "runbook.lint.default", "key", t.key, "value", t.to.String())
		}
	}
	if v.Stable >= v.Within {
		r.fail(n, "runbook.lint.stable_within", "stable", v.Stable.String(), "within", v.Within.String())
	}
	if v.Every >= v.Within {
		r.fail(n, "runbook.lint.every_within", "every", v.Every.String(), "within", v.Within.String())
	}
}

// usage holds the places against the parameters.
func (r *reader) usage(rb *Runbook, f fields) {
	used := needs(rb.allSteps())
	for i := range rb.Branches {
		if c := rb.Branches[i].cond; c != nil {
			used = append(used, c.uses...)
		}
	}
	for _, p := range rb.Params {
		if !slices.Contains(used, p.Name) && !slices.Contains(used, "params."+p.Name) {
			r.warn(f["params"], "runbook.lint.unused_param", "name", p.Name)
		}
	}
	for _, name := range needs(rb.Check) {
		if slices.ContainsFunc(rb.Params, func(p Param) bool { return p.Name == name && !p.HasDef && p.From == "" }) {
			r.warn(f["check"], "runbook.lint.check_needs_param", "name", name)
		}
	}
	var ways []Step
	for i := range rb.Branches {
		ways = slices.Concat(ways, rb.Branches[i].Recover, rb.Branches[i].Collect)
	}
	for _, section := range []string{"check", "recover", "branches", "verify"} {
		steps := map[string][]Step{"check": rb.Check, "recover": rb.Recover, "branches": ways, "verify": rb.Verify.Steps}[section]
		if section == "verify" && rb.Verify.SameAs != "" {
			continue
		}
		for _, name := range needs(steps) {
			if !slices.ContainsFunc(rb.Params, func(p Param) bool { return p.Name == name }) {
				r.fail(f[section], "runbook.lint.unknown_param", "name", name)
			}
		}
	}
}
