package trust

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	abe  = incidents.Actor{ID: "console:abe", Name: "abe"}
	eve  = incidents.Actor{ID: "slack:T1/eve", Name: "eve"}
)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

// helped is run n of checkout, approved by a person as suggested, that helped.
func helped(n int) incidents.Outcome {
	return incidents.Outcome{Run: fmt.Sprintf("INC-%d/1", n), Incident: incidents.ID(n), Service: "checkout", Digest: "d1", State: incidents.RunVerified, Clean: true, Tried: true, Started: minute(n)}
}

// climbed is a trust that was accepted after five.
func climbed(t *testing.T) *Runbook {
	t.Helper()
	tr := &Runbook{}
	for n := 1; n <= PromoteAfter; n++ {
		tr.Judge(helped(n), minute(n))
	}
	if _, err := tr.Accept("checkout", "d1", abe, minute(6)); err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestFiveInARowAreProposedAndAccepted(t *testing.T) {
	t.Parallel()
	tr := &Runbook{}
	for n := 1; n <= PromoteAfter; n++ {
		if _, err := tr.Accept("checkout", "", abe, minute(n)); err == nil {
			t.Fatalf("accepted after %d", n-1)
		}
		word := tr.Judge(helped(n), minute(n))
		if (word.Said == incidents.EventProposed) != (n == PromoteAfter) {
			t.Fatalf("run %d led to %+v", n, word)
		}
		if again := tr.Judge(helped(n), minute(60)); again.Said != word.Said || len(tr.Services["checkout"].Row) != n {
			t.Fatalf("told twice, run %d led to %+v and %v", n, again, tr.Services["checkout"].Row)
		}
		if n == PromoteAfter && word.Because.Args["runs"] != "INC-1/1, INC-2/1, INC-3/1, INC-4/1, INC-5/1" {
			t.Errorf("it rests on %v", word.Because.Args)
		}
	}
	for phrase, c := range map[string]struct {
		by              incidents.Actor
		service, digest string
	}{"error.approve_person": {incidents.Bot, "checkout", "d1"}, "error.trust_changed": {abe, "checkout", "d2"}, "error.trust_early": {abe, "cart", "d1"}} {
		if _, err := tr.Accept(c.service, c.digest, c.by, minute(6)); err == nil || err.(*incidents.Error).Phrase != phrase {
			t.Errorf("want %s: %v", phrase, err)
		}
	}
	a, err := tr.Accept("checkout", "d1", abe, minute(6))
	if err != nil || a.By != abe || a.Digest != "d1" || len(a.Rests) != PromoteAfter {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := tr.Accept("checkout", "d1", eve, minute(7)); err == nil || err.(*incidents.Error).Phrase != "error.trust_already" {
		t.Errorf("accepted twice: %v", err)
	}
	if !tr.Revoke("checkout", minute(8)) || tr.Revoke("checkout", minute(9)) || tr.Of("checkout").Accepted != nil {
		t.Errorf("after it was revoked: %+v", tr.Of("checkout"))
	}
	if _, err := tr.Accept("checkout", "d1", abe, minute(10)); err == nil {
		t.Error("accepted again without a new row")
	}
}

// TestWhatBreaksARow, and takes an accepted one back at once.
func TestWhatBreaksARow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*incidents.Outcome)
		breaks  bool
		demotes string // "": it stays trusted
	}{
		"another that helped":  {func(*incidents.Outcome) {}, false, ""},
		"did not help":         {func(o *incidents.Outcome) { o.State = incidents.RunNotVerified }, true, "because.trust_not_verified"},
		"a step failed":        {func(o *incidents.Outcome) { o.State = incidents.RunFailed }, true, "because.trust_failed"},
		"nobody knows":         {func(o *incidents.Outcome) { o.State = incidents.RunUnknown }, true, "because.trust_unknown"},
		"other values, or 👎":   {func(o *incidents.Outcome) { o.Clean = false }, true, ""},
		"another runbook":      {func(o *incidents.Outcome) { o.Digest = "d2" }, true, "because.trust_changed"},
		"refused at the gate":  {func(o *incidents.Outcome) { o.State, o.Tried = incidents.RunFailed, false }, false, ""},
		"another service":      {func(o *incidents.Outcome) { o.Service = "cart" }, false, ""},
		"other service failed": {func(o *incidents.Outcome) { o.Service, o.State = "cart", incidents.RunFailed }, false, ""},
	} {
		o := helped(4)
		c.change(&o)
		tr := &Runbook{}
		for n := 1; n <= 3; n++ {
			tr.Judge(helped(n), minute(n))
		}
		tr.Judge(o, minute(4))
		tr.Judge(helped(5), minute(5))
		if broke := len(tr.Of("checkout").Row) < 4; broke != c.breaks {
			t.Errorf("%s: the row is %v", name, tr.Of("checkout").Row)
		}
		tr = climbed(t)
		o.Run = "INC-9/1"
		word := tr.Judge(o, minute(9))
		if word.Because.Phrase != c.demotes || (tr.Of("checkout").Accepted == nil) != (c.demotes != "") || c.demotes != "" && word.Said != incidents.EventDemoted {
			t.Errorf("%s: %+v leaves %+v", name, word, tr.Of("checkout").Accepted)
		}
	}
}

func low(targets ...string) *incidents.Plan {
	p := incidents.Plan{Runbook: "restart-web", RunbookDigest: "d1", Risk: incidents.RiskLow, Incident: 42}
	for _, on := range targets {
		p.Recover = append(p.Recover, incidents.Step{ID: "x", Kind: "ssh", URL: "ssh://" + on, Argv: []string{"restart"}})
	}
	p = p.Seal()
	return &p
}

// TestEachBrakeHolds, one at a time, and says why.
func TestEachBrakeHolds(t *testing.T) {
	t.Parallel()
	loose := Brakes{PerHour: MaxPerHour, Targets: MaxTargets, Failures: MaxFailures, ProblemRuns: MaxProblemRuns, ProblemDays: 7}
	at := minute(60)
	changed, risky := low("web-1"), low("web-1")
	changed.RunbookDigest, risky.Risk = "d2", incidents.RiskHigh
	for name, c := range map[string]struct {
		brakes func(*Brakes)
		before func(*Runbook)
		plan   *incidents.Plan
		want   string
	}{
		"nothing holds": {func(*Brakes) {}, nil, low("web-1"), ""},
		"cooldown":      {func(b *Brakes) { b.Cooldown = 56 * time.Minute }, nil, low("web-1"), "because.trust_cooldown"},
		"cooled down":   {func(b *Brakes) { b.Cooldown = 55 * time.Minute }, nil, low("web-1"), ""},
		"problem":       {func(b *Brakes) { b.ProblemRuns = 5 }, nil, low("web-1"), "because.trust_problem"},
		"no problem":    {func(b *Brakes) { b.ProblemRuns = 6 }, nil, low("web-1"), ""},
		"breaker":       {func(b *Brakes) { b.Failures = 2 }, func(tr *Runbook) { tr.Failures = 2 }, low("web-1"), "because.trust_breaker"},
		"wide plan":     {func(b *Brakes) { b.Targets = 1 }, nil, low("web-1", "web-2"), "because.trust_targets"},
		"one host":      {func(b *Brakes) { b.Targets = 1 }, nil, low("web-1", "web-1"), ""},
		"changed":       {func(*Brakes) {}, nil, changed, "because.trust_changed"},
		"high risk":     {func(*Brakes) {}, nil, risky, "because.trust_risk"},
		"another in flight": {func(b *Brakes) { b.Targets = 1 }, func(tr *Runbook) {
			tr.Starts = []SelfStart{{Incident: 7, Service: "cart", At: minute(1), Until: minute(90), Targets: []string{"web-9"}}}
		}, low("web-1"), "because.trust_targets"},
		"hourly": {func(b *Brakes) { b.PerHour = 1 }, func(tr *Runbook) {
			tr.Starts = []SelfStart{{Incident: 7, Service: "cart", At: minute(1)}}
		}, low("web-1"), "because.trust_hourly"},
	} {
		tr, b := climbed(t), loose
		c.brakes(&b)
		if c.before != nil {
			c.before(tr)
		}
		a, word := tr.Start(Wish{Incident: 60, Scope: incidents.Scope{Service: "checkout"}, Plan: c.plan}, b, at)
		if word.Because.Phrase != c.want || (a != nil) != (c.want == "") {
			t.Errorf("%s: %+v, %+v", name, a, word)
		}
	}
	silent := &Runbook{}
	if a, word := silent.Start(Wish{Incident: 60, Scope: incidents.Scope{Service: "checkout"}, Plan: low()}, loose, at); a != nil || word.Said != "" {
		t.Errorf("never accepted, it says %+v", word)
	}
}

// TestNoSequenceOutrunsTheBrakes: whatever happens in whichever order, told once or
// twice, nothing begins by itself that was not accepted after five in a row, nor
// more often or wider than the brakes allow, and the document never outgrows its
// bound.
func TestNoSequenceOutrunsTheBrakes(t *testing.T) {
	t.Parallel()
	services := []string{"checkout", "cart", "", strings.Repeat("<", 300)}
	rapid.Check(t, func(t *rapid.T) {
		b := Brakes{
			Cooldown: rapid.SampledFrom([]time.Duration{0, 5 * time.Minute}).Draw(t, "cooldown"), PerHour: rapid.IntRange(1, 3).Draw(t, "hourly"),
			Targets: rapid.IntRange(1, 2).Draw(t, "targets"), Failures: rapid.IntRange(1, 3).Draw(t, "failures"), ProblemRuns: rapid.IntRange(6, 12).Draw(t, "problem"), ProblemDays: 1,
		}
		tr, now, next := &Runbook{}, noon, 0
		row, accepted, failures := map[string]int{}, map[string]bool{}, 0
		var starts []time.Time
		last, runs := map[string]time.Time{}, map[string][]time.Time{}
		type flight struct {
			incident  incidents.ID
			on        string
			until     time.Time
			service   string
			beganHere time.Time
		}
		var flights []flight
		for range rapid.IntRange(20, 80).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 7 * time.Minute, 40 * time.Minute, 5 * time.Hour}).Draw(t, "later"))
			service := rapid.SampledFrom(services).Draw(t, "service")
			next++
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				_, err := tr.Accept(service, "", abe, now)
				if want := row[service] >= PromoteAfter && !accepted[service]; (err == nil) != want {
					t.Fatalf("a row of %d is accepted: %v", row[service], err)
				}
				accepted[service] = accepted[service] || err == nil
				if err == nil {
					row[service] = 0
				}
			case 1:
				if rapid.IntRange(0, 5).Draw(t, "revoke") == 0 {
					tr.Revoke(service, now)
					if accepted[service] || row[service] >= PromoteAfter {
						row[service] = 0
					}
					accepted[service] = false
				}
			case 2, 3, 4:
				on := rapid.SampledFrom([]string{"web-1", "web-2", "web-3"}).Draw(t, "on")
				w := Wish{Incident: incidents.ID(1000 + next), Scope: incidents.Scope{Service: service}, Plan: low(on)}
				a, word := tr.Start(w, b, now)
				if a == nil {
					if (word.Said == incidents.EventWithheld) != accepted[service] {
						t.Fatalf("%v, and it says %+v", accepted[service], word)
					}
					continue
				}
				if !accepted[service] || failures >= b.Failures {
					t.Fatalf("it began although accepted: %v, failures: %d", accepted[service], failures)
				}
				if a2, _ := tr.Start(w, b, now); a2 == nil || len(tr.Starts) > len(starts)+1 { // after a crash
					t.Fatalf("asked again it is not the same start: %v", tr.Starts)
				}
				if prev, ran := last[service]; ran && now.Sub(prev) < b.Cooldown-time.Second {
					t.Fatalf("%v after the last one", now.Sub(prev))
				}
				lately, daily, busy := 1, 1, map[string]bool{on: true}
				for _, at := range starts {
					if now.Sub(at) < time.Hour {
						lately++
					}
				}
				for _, at := range runs[service] {
					if now.Sub(at) < 24*time.Hour {
						daily++
					}
				}
				for _, f := range flights {
					if now.Before(f.until) {
						busy[f.on] = true
					}
				}
				if lately > b.PerHour || daily > b.ProblemRuns || len(busy) > b.Targets {
					t.Fatalf("%d within an hour, %d within a day, on %d targets: more than %+v", lately, daily, len(busy), b)
				}
				starts, last[service] = append(starts, now), now
				runs[service] = append(runs[service], now)
				flights = append(flights, flight{w.Incident, on, now.Add(w.Plan.UnderWay()), service, now})
			default:
				o := helped(next)
				o.Service, o.Started = service, now
				o.State = rapid.SampledFrom([]incidents.RunState{incidents.RunVerified, incidents.RunVerified, incidents.RunVerified, incidents.RunVerified, incidents.RunVerified, incidents.RunVerified, incidents.RunNotVerified, incidents.RunUnknown}).Draw(t, "state")
				if len(flights) > 0 && rapid.Bool().Draw(t, "its own") {
					f := flights[0]
					flights = flights[1:]
					o.Incident, o.Service, o.Itself, o.Clean = f.incident, f.service, true, true
					service = f.service
					if o.State == incidents.RunUnknown {
						flights = append(flights, f)
					}
				} else {
					last[service] = now
					runs[service] = append(runs[service], now)
				}
				word := tr.Judge(o, now)
				body, _ := json.Marshal(tr)
				if again := tr.Judge(o, now); again.Said != word.Said {
					t.Fatalf("told twice it says %+v and %+v", word, again)
				}
				if twice, _ := json.Marshal(tr); string(twice) != string(body) || len(body) > incidents.MaxSetting {
					t.Fatalf("counted twice, or too large:\n%s\n%s", body, twice)
				}
				if o.State != incidents.RunVerified {
					if (word.Said == incidents.EventDemoted) != accepted[service] {
						t.Fatalf("%s says %+v", o.State, word)
					}
					row[service], accepted[service] = 0, false
					failures++
					continue
				}
				failures = 0
				if !accepted[service] {
					row[service]++
				}
				if want := row[service] >= PromoteAfter && !accepted[service]; (word.Said == incidents.EventProposed) != want {
					t.Fatalf("a row of %d says %+v", row[service], word)
				}
			}
			for _, s := range services {
				if (tr.Of(s).Accepted != nil) != accepted[s] {
					t.Fatalf("%q is trusted: %+v", s, tr.Of(s))
				}
			}
		}
	})
}

// TestTheDocumentStaysSmall: with more services than it remembers, it forgets those
// that nobody has touched for longest, and none that is trusted.
func TestTheDocumentStaysSmall(t *testing.T) {
	t.Parallel()
	tr := climbed(t)
	for n := range 20 * maxServices {
		o := helped(100 + n)
		o.Service = strings.Repeat("\"\u0000", 40) + fmt.Sprint(n%(3*maxServices))
		tr.Judge(o, minute(100+n))
	}
	body, err := json.Marshal(tr)
	if err != nil || len(body) > incidents.MaxSetting {
		t.Fatalf("%d bytes, %v", len(body), err)
	}
	if len(tr.Services) != maxServices || tr.Of("checkout").Accepted == nil {
		t.Errorf("it keeps %d services, and of checkout %+v", len(tr.Services), tr.Of("checkout"))
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	step := func(kind, url string, argv ...string) incidents.Step {
		return incidents.Step{Kind: kind, URL: url, Argv: argv}
	}
	for name, c := range map[string]struct {
		steps []incidents.Step
		want  int
	}{
		"nothing named":      {[]incidents.Step{step("command", "", "systemctl", "restart", "web")}, 1},
		"two hosts":          {[]incidents.Step{step("ssh", "ssh://web-1", "x"), step("ssh", "ssh://web-2", "x"), step("http", "http://u:p@web-1/x?y")}, 2},
		"the same playbook":  {[]incidents.Step{step("ansible", "site.yml", "web"), step("ansible", "site.yml", "web")}, 1},
		"for another limit":  {[]incidents.Step{step("ansible", "site.yml", "web"), step("ansible", "site.yml", "db")}, 2},
		"a job and its host": {[]incidents.Step{step("rundeck", "0f3c"), step("ssh", "ssh://web-1")}, 2},
	} {
		p := &incidents.Plan{Recover: c.steps}
		if got := Targets(p); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if a, b := Targets(&incidents.Plan{Params: map[string]string{"on": "a"}}), Targets(&incidents.Plan{Params: map[string]string{"on": "b"}}); slices.Equal(a, b) {
		t.Error("two values are one target")
	}
}
