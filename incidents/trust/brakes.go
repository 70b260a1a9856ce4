package trust

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Brakes are how often and how widely a runbook may run by itself. They count over
// all replicas; what is withheld is left to people, who are told why.
type Brakes struct {
	Cooldown    time.Duration // after it ran for a service, until it may begin for it by itself
	PerHour     int           // it begins by itself, over all services
	Targets     int           // on which it is under way by itself at once
	Failures    int           // runs in a row that did not help, over all services
	ProblemRuns int           // so many runs for one service within ProblemDays are a problem to solve, not to restart
	ProblemDays int
}

// DefaultBrakes are what holds for a runbook of which nothing else is said.
func DefaultBrakes() Brakes {
	return Brakes{Cooldown: 10 * time.Minute, PerHour: 4, Targets: 1, Failures: 2, ProblemRuns: 10, ProblemDays: 7}
}

// The most that can be configured: more is not remembered.
const (
	MaxPerHour     = 20
	MaxTargets     = 20
	MaxFailures    = 100
	MaxProblemRuns = maxRan
	MaxProblemDays = 90
)

// Wish is a plan that would begin by itself.
type Wish struct {
	Incident incidents.ID
	Scope    incidents.Scope
	Plan     *incidents.Plan
}

// Start says whether the plan may begin by itself. With an acceptance it may, and
// that it does is noted, before anything is done: whoever dies in between has used
// up one start. Asked again for the same incident, it is the same start. Otherwise
// the word says what stands in the way; silence where it was never accepted.
func (t *Runbook) Start(w Wish, b Brakes, now time.Time) (*incidents.Acceptance, incidents.Word) {
	key := ServiceID(w.Scope.Realm())
	st := t.Services[key]
	if st == nil || st.Accepted == nil {
		return nil, incidents.Word{}
	}
	if word := st.changed(w.Plan.Source()); word.Said != "" {
		st.At = now
		return nil, word
	}
	if !st.Accepted.Covers(w.Plan) {
		return nil, incidents.Word{Said: incidents.EventWithheld, Because: incidents.Because("because.trust_risk")}
	}
	t.Release(w.Incident)
	t.forget(now)
	targets := Targets(w.Plan)
	if because := t.brake(st, targets, b, now); because.Phrase != "" {
		return nil, incidents.Word{Said: incidents.EventWithheld, Because: because}
	}
	t.Starts = append(t.Starts, SelfStart{Incident: w.Incident, Service: key, At: now, Until: now.Add(w.Plan.UnderWay()), Targets: targets})
	st.ran(now)
	st.At = now
	return st.Accepted, incidents.Word{}
}

// brake is the first brake that holds.
func (t *Runbook) brake(st *Standing, targets []string, b Brakes, now time.Time) incidents.Reason {
	if t.Failures >= b.Failures {
		return incidents.Because("because.trust_breaker", "n", strconv.Itoa(t.Failures))
	}
	ran := 0
	for _, at := range st.Ran {
		if now.Sub(time.Unix(at, 0)) < time.Duration(b.ProblemDays)*24*time.Hour {
			ran++
		}
	}
	if ran >= b.ProblemRuns {
		return incidents.Because("because.trust_problem", "n", strconv.Itoa(ran), "days", strconv.Itoa(b.ProblemDays))
	}
	if n := len(st.Ran); n > 0 {
		if again := time.Unix(st.Ran[n-1], 0).Add(b.Cooldown); now.Before(again) {
			return incidents.Because("because.trust_cooldown", "for", b.Cooldown.String(), "until", again.Add(time.Minute-time.Nanosecond).UTC().Truncate(time.Minute).Format("2006-01-02 15:04 UTC"))
		}
	}
	lately, busy := 0, map[string]bool{}
	for i := range t.Starts {
		s := &t.Starts[i]
		if now.Sub(s.At) < time.Hour {
			lately++
		}
		if now.Before(s.Until) {
			for _, on := range s.Targets {
				busy[on] = true
			}
		}
	}
	if lately >= b.PerHour {
		return incidents.Because("because.trust_hourly", "n", strconv.Itoa(lately), "max", strconv.Itoa(b.PerHour))
	}
	for _, on := range targets {
		busy[on] = true
	}
	if len(busy) > b.Targets {
		return incidents.Because("because.trust_targets", "n", strconv.Itoa(len(busy)), "max", strconv.Itoa(b.Targets))
	}
	return incidents.Reason{}
}

// Release takes a start back that came to nothing: the incident had moved on.
func (t *Runbook) Release(id incidents.ID) {
	i := slices.IndexFunc(t.Starts, func(s SelfStart) bool { return s.Incident == id })
	if i < 0 {
		return
	}
	if st := t.Services[t.Starts[i].Service]; st != nil {
		if at := slices.Index(st.Ran, t.Starts[i].At.Unix()); at >= 0 {
			st.Ran = slices.Delete(slices.Clone(st.Ran), at, at+1)
		}
	}
	t.Starts = slices.Delete(slices.Clone(t.Starts), i, i+1)
}

// forget drops starts that no brake counts any more.
func (t *Runbook) forget(now time.Time) {
	t.Starts = slices.DeleteFunc(slices.Clone(t.Starts), func(s SelfStart) bool {
		return now.Sub(s.At) >= time.Hour && !now.Before(s.Until)
	})
}

// Targets are what the recovery's steps name to act on: hosts, and jobs of other
// systems, each of which counts as one, since nobody here knows how many hosts it
// reaches. Where they name nothing, the plan acts on one thing of its own.
func Targets(p *incidents.Plan) []string {
	var all []string
	for i := range p.Recover {
		s := &p.Recover[i]
		host := hostOf(s.URL)
		switch {
		case s.URL == "":
		case host != "":
			all = append(all, host[:min(len(host), maxServiceID)])
		default:
			all = append(all, incidents.KeyOf(append([]string{s.Kind, s.URL}, s.Argv...)...).String()[:16])
		}
	}
	if len(all) == 0 {
		all = append(all, here(p))
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), MaxTargets+1)] // one more than any limit says enough
}

// hostOf is what stands between a URL's scheme and its path, without a user.
func hostOf(u string) string {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// here tells plans apart that name nothing, by what they were made with.
func here(p *incidents.Plan) string {
	parts := []string{p.Runbook}
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		parts = append(parts, name, p.Params[name])
	}
	return incidents.KeyOf(parts...).String()[:16]
}
