package runbooks

import (
	"context"
	"maps"
	"strconv"
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
	ways := r.ways(ctx, s, findings)
	ways = ways[:min(len(ways), incidents.MaxFindings/2)]
	if len(findings) > incidents.MaxFindings-len(ways) { // what is cut off may be what is not well
		for i := range ways {
			ways[i].Closes = nil
		}
	}
	return append(findings[:min(len(findings), incidents.MaxFindings-len(ways))], ways...)
}

// ways says for each runbook with branches which one its checks lead to, and
// collects what that branch collects.
func (r *Runner) ways(ctx context.Context, s *incidents.Incident, findings []incidents.Finding) []incidents.Finding {
	var said []incidents.Finding
	var probes []probe
	for _, rb := range r.library.All() {
		if len(rb.Branches) == 0 || !rb.Fit(s) {
			continue
		}
		f := rb.factsOf(findings, s.Common, rb.some(s))
		b, err := rb.choose(f)
		if err != nil {
			could := steps.Failed(err)
			said = append(said, incidents.Finding{
				Check: rb.ID + ":", Title: rb.Title, Error: steps.CutLine(r.redact.Clean(could.Error), maxLine), Because: r.cleanReason(could.Because), At: r.now(),
			})
			continue
		}
		way := rb.branchFinding(b, f)
		way.At = r.now()
		said = append(said, way)
		probes = append(probes, rb.probesOf(s, b.Collect)...)
	}
	collected := make([]incidents.Finding, len(probes))
	var all sync.WaitGroup
	for i, p := range probes {
		all.Go(func() { collected[i] = r.ask(ctx, p) })
	}
	all.Wait()
	return append(said, collected...)
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
	f.Code, f.Number = result.Code, result.Number
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
				if p.err == nil && seen[key] && len(rb.Branches) == 0 { // a choice needs a result under its own name
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

func (rb *Runbook) probes(s *incidents.Incident) []probe { return rb.probesOf(s, rb.Check) }

func (rb *Runbook) probesOf(s *incidents.Incident, looks []Step) []probe {
	env := steps.Env{Incident: s.ID, Runbook: rb.ID}
	checks, err := rb.resolved(s, looks)
	if err != nil {
		return []probe{{name: rb.ID, step: incidents.Step{Title: rb.Title}, err: err}}
	}
	probes := make([]probe, len(checks))
	for i, step := range checks {
		if len(checks) == 1 && looks[0].Title == (incidents.Text{}) && !rb.Changes() {
			step.Title = rb.Title
		}
		probes[i] = probe{name: rb.ID + "/" + step.ID, step: step, env: env}
	}
	return probes
}

// resolved are the steps with their places filled. Parameters that only others
// need may be missing.
func (rb *Runbook) resolved(s *incidents.Incident, looks []Step) ([]incidents.Step, error) {
	if len(looks) == 0 {
		return nil, nil
	}
	part := *rb
	part.Params = nil
	for _, name := range needs(looks) {
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
	return rb.steps(looks, values)
}

// some are the values of those parameters that have one without being asked.
func (rb *Runbook) some(s *incidents.Incident) map[string]string {
	values := map[string]string{}
	for _, p := range rb.Params {
		one := *rb
		one.Params = []Param{p}
		if found, err := one.resolve(s, nil); err == nil {
			maps.Copy(values, found)
		}
	}
	return values
}

// stepKey is equal for steps that ask the same.
func stepKey(s incidents.Step) string {
	if s.Retry != nil {
		s.Kind += "/" + strconv.Itoa(s.Retry.Times) + "/" + s.Retry.Every.String()
	}
	parts := append([]string{s.Kind, s.Method, s.URL, s.Query, s.Expect}, s.Argv...)
	return incidents.KeyOf(parts...).String() + strings.Repeat(".", len(s.Argv))
}
