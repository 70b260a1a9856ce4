package runbooks

import (
	"context"
	"strings"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// A probe is one check of the first investigation.
type probe struct {
	name string // "shop-restart/health"
	step incidents.Step
	env  steps.Env
	err  error // its parameters could not be resolved
}

// Diagnose carries out every check that fits the incident: those of diagnostics
// and those of runbooks with a recovery, all at the same time. A step that
// several runbooks share runs once. It returns within its time (10 s) and the
// time it takes to kill what is still running; a check that had not finished is
// a finding that says so.
func (r *Runner) Diagnose(ctx context.Context, s *incidents.Incident) []incidents.Finding {
	ctx, cancel := context.WithTimeoutCause(ctx, r.within, steps.ErrAllTime)
	defer cancel()
	probes := r.probes(s)
	findings := make([]incidents.Finding, len(probes))
	var all sync.WaitGroup
	for i, p := range probes {
		all.Go(func() { findings[i] = r.ask(ctx, p) })
	}
	all.Wait()
	return findings
}

func (r *Runner) ask(ctx context.Context, p probe) incidents.Finding {
	f := incidents.Finding{Check: p.name, Title: p.step.Title, At: r.now()}
	if p.err != nil {
		could := steps.Failed(p.err)
		f.Error, f.Because = steps.CutLine(r.redact.Clean(could.Error), maxLine), r.cleanReason(could.Because)
		return f
	}
	result := r.execute(ctx, r.checks, p.step, p.env)
	f.OK, f.Error, f.Because = result.OK, result.Error, result.Because
	f.Value, f.Detail, f.Elapsed = result.Value, result.Output, result.Elapsed
	return f
}

// probes are the distinct checks, diagnostics first, at most incidents.MaxFindings.
func (r *Runner) probes(s *incidents.Incident) []probe {
	var looks, recoveries []probe
	seen := map[string]bool{}
	for _, changes := range []bool{false, true} {
		for _, rb := range r.library.All() {
			if rb.Changes() != changes || !rb.Fit(s) {
				continue
			}
			for _, p := range rb.probes(s) {
				key := stepKey(p.step)
				if p.err == nil && seen[key] {
					continue
				}
				seen[key] = true
				if changes {
					recoveries = append(recoveries, p)
				} else {
					looks = append(looks, p)
				}
			}
		}
	}
	all := append(looks, recoveries...)
	return all[:min(len(all), incidents.MaxFindings)]
}

func (rb *Runbook) probes(s *incidents.Incident) []probe {
	env := steps.Env{Incident: s.ID, Runbook: rb.ID}
	checks, err := rb.checks(s)
	if err != nil {
		return []probe{{name: rb.ID, step: incidents.Step{Title: rb.Title}, err: err}}
	}
	probes := make([]probe, len(checks))
	for i, step := range checks {
		if len(checks) == 1 && rb.Check[0].Title == (incidents.Text{}) && !rb.Changes() {
			step.Title = rb.Title
		}
		probes[i] = probe{name: rb.ID + "/" + step.ID, step: step, env: env}
	}
	return probes
}

// checks are the resolved check steps. Parameters that only the recovery needs
// may be missing.
func (rb *Runbook) checks(s *incidents.Incident) ([]incidents.Step, error) {
	if len(rb.Check) == 0 {
		return nil, nil
	}
	part := *rb
	part.Params = nil
	for _, name := range needs(rb.Check) {
		for _, p := range rb.Params {
			if p.Name == name {
				part.Params = append(part.Params, p)
			}
		}
	}
	values, err := part.resolve(s, nil)
	if err != nil {
		return nil, err
	}
	return rb.steps(rb.Check, values)
}

// stepKey is equal for steps that ask the same.
func stepKey(s incidents.Step) string {
	parts := append([]string{s.Kind, s.Method, s.URL, s.Query, s.Expect}, s.Argv...)
	return incidents.KeyOf(parts...).String() + strings.Repeat(".", len(s.Argv))
}
