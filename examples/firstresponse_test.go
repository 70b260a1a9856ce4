package examples_test

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

var (
	policy = incidents.Policy{Chats: []string{"console"}, RemindAck: 5 * time.Minute, Look: 10 * time.Second}
	bea    = incidents.Actor{ID: "console:bea", Name: "bea"}
)

// A duty is one incident that a monitored alert has opened, as a worker leads it: it
// is told what happens, and does what follows.
type duty struct {
	*host
	s   *incidents.Incident
	now time.Time
}

// alert is what the monitoring says of the site.
func (d *duty) alert(resolved bool) incidents.Alert {
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "WebsiteDown", "instance": "web-1:80", "severity": "critical"}), StartsAt: d.now}
	if resolved {
		a.Resolved, a.EndsAt = true, d.now
	}
	return a
}

// onDuty opens the incident for the alert and looks at the host, as happens by itself.
func (h *host) onDuty() *duty {
	h.t.Helper()
	d := &duty{host: h, s: &incidents.Incident{}, now: time.Now().UTC()}
	a := d.alert(false)
	effects := d.tell(incidents.Open{
		ID: 7, Source: "monitoring", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()},
		Grouping: incidents.Grouping{Key: incidents.KeyOf("web-1"), Because: incidents.Because("because.rule_all", "rule", "all")},
	})
	if !slices.ContainsFunc(effects, func(e incidents.Effect) bool { return e.Kind == incidents.DoDiagnose }) {
		h.t.Fatalf("nobody looks: %+v", effects)
	}
	d.tell(incidents.Diagnosed{Findings: h.runner.Diagnose(h.t.Context(), d.s)})
	return d
}

// tell says a thing to the incident and returns what must follow.
func (d *duty) tell(c incidents.Command) []incidents.Effect {
	d.t.Helper()
	_, effects, err := incidents.Advance(d.s, c, d.now, policy)
	if err != nil {
		d.t.Fatalf("%T: %v", c, err)
	}
	return effects
}

// approved suggests the plan, has it approved and claims its run.
func (d *duty) approved() (incidents.Plan, string) {
	d.t.Helper()
	plan, err := d.rb.Plan(d.s, nil)
	if err != nil {
		d.t.Fatalf("%v\n%+v", err, d.s.Findings)
	}
	d.tell(incidents.Ranked{Suggestions: []incidents.Suggestion{{Rank: 1, Action: plan.Runbook, Title: plan.Title, Plan: plan}}})
	d.tell(incidents.Approve{By: bea, Action: plan.Runbook, Digest: plan.Digest})
	run := d.s.Runs[len(d.s.Runs)-1].ID
	d.tell(incidents.StartRun{Run: run, Owner: "p"})
	return plan, run
}

// carryOut runs the approved plan for real.
func (d *duty) carryOut(plan incidents.Plan, run string) *incidents.Run {
	d.t.Helper()
	before, done := d.runner.Run(d.t.Context(), plan, run)
	d.tell(incidents.FinishRun{Run: run, Owner: "p", Before: before, Steps: done})
	return d.s.Run(run)
}

// Apache has stopped: an alert comes, it is found, started by the runbook that is
// called, the URL answers, and the incident is over when all stays well.
func TestFirstResponseStartsARealApache(t *testing.T) {
	d := newHost(t, "web-first-response").onDuty()
	plan, run := d.approved()
	var lines []string
	for _, step := range plan.Recover {
		lines = append(lines, runbooks.StepLine(step))
	}
	want := []string{"ssh web-1 apachectl configtest", "ssh web-1 systemctl start apache2.service", "ssh web-1 ps -o pid,etime,args -C apache2", "GET " + d.url + "/"}
	if plan.Branch.ID != "start" || !slices.Equal(lines, want) {
		t.Fatalf("branch %s: %q", plan.Branch.ID, lines)
	}
	if r := d.carryOut(plan, run); r.State != incidents.RunVerifying || !incidents.AllOK(r.Steps) || incidents.AllOK(r.Before) {
		t.Fatalf("%+v", r)
	}
	look := func() incidents.RunState {
		d.tell(incidents.Looked{Run: run, After: d.runner.Look(t.Context(), plan, run)})
		return d.s.Run(run).State
	}
	if state := look(); state != incidents.RunVerifying {
		t.Fatalf("the alert has not cleared, and the run is %s", state)
	}
	a := d.alert(true)
	d.tell(incidents.Receive{Source: "monitoring", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}})
	d.now = d.now.Add(plan.Verify.Stable)
	if state := look(); state != incidents.RunVerified || d.s.Status().Open() {
		t.Errorf("the run is %s, the incident %s: %+v", state, d.s.Status(), d.s.Run(run).After)
	}

	d.restarts()
}

// restarts breaks this Apache in a way that only a restart mends, and has it mended: it
// runs with a configuration whose mistake somebody has put right in the file since.
func (h *host) restarts() {
	t := h.t
	t.Helper()
	good, err := os.ReadFile(h.config)
	if err != nil {
		t.Fatal(err)
	}
	h.write("apache2.conf", string(good)+"RedirectMatch 503 ^/\n", 0o644)
	h.runs(h.dir+"/bin/systemctl", "restart", "apache2.service")
	h.write("apache2.conf", string(good), 0o644)
	before := h.pid()

	d := h.onDuty()
	plan, run := d.approved()
	lines := []string{runbooks.StepLine(plan.Recover[0]), runbooks.StepLine(plan.Recover[1])}
	if want := []string{"ssh web-1 systemctl restart apache2.service", "GET " + h.url + "/"}; plan.Branch.ID != "restart" || len(plan.Recover) != 2 || !slices.Equal(lines, want) {
		t.Fatalf("branch %s: %q", plan.Branch.ID, lines)
	}
	r := d.carryOut(plan, run)
	if r.State != incidents.RunVerifying || !incidents.AllOK(r.Steps) || len(r.Before) != 1 || r.Before[0].Value != "HTTP 503" {
		t.Fatalf("%+v", r)
	}
	if after := h.pid(); after == before || after == 0 {
		t.Errorf("Apache was %d and is %d: it was not restarted", before, after)
	}
	if after := h.runner.Look(t.Context(), plan, run); !incidents.AllOK(after) {
		t.Errorf("%+v", after)
	}
	if _, done := h.runner.Run(t.Context(), plan, run); len(done) != 1 || done[0].Because.Phrase != "runbook.branch_changed" {
		t.Errorf("it answers again, and was restarted all the same: %+v", done)
	}
}

// Apache cannot be started: the run fails, and a person is called.
func TestFirstResponseCallsAPerson(t *testing.T) {
	d := newHost(t, "web-first-response").onDuty()
	plan, run := d.approved()
	taken, err := net.Listen("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	go func() {
		for c, err := taken.Accept(); err == nil; c, err = taken.Accept() {
			c.Close()
		}
	}()
	r := d.carryOut(plan, run)
	if failed := r.Steps[len(r.Steps)-1]; r.State != incidents.RunFailed || failed.Step != "apache.start" || !strings.Contains(failed.Output, "could not bind") {
		t.Errorf("%+v", r)
	}
	if len(d.s.Escalated) != 1 || !strings.Contains(plan.Escalate.EN, "web team") || !d.s.Status().Open() {
		t.Errorf("nobody is called: %+v", d.s.Escalated)
	}

	// A configuration that is broken is found before anybody approves anything.
	d.write("apache2.conf", "NoSuchDirective on\n", 0o644)
	next := d.onDuty()
	if _, err := d.rb.Plan(next.s, nil); err == nil {
		t.Error("there is something to approve")
	}
	at := slices.IndexFunc(next.s.Findings, func(f incidents.Finding) bool { return f.Check == "web-first-response:rest" })
	if at < 0 || next.s.Findings[at].OK || !strings.Contains(next.s.Findings[at].Title.JA, "Webチーム") {
		t.Errorf("nobody is called: %+v", next.s.Findings)
	}
}
