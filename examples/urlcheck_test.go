package examples_test

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// investigate is an incident with what the checks find now.
func (h *host) investigate() *incidents.Incident {
	s := &incidents.Incident{ID: 7, Version: 1, Common: incidents.LabelsFromMap(map[string]string{"alertname": "URLCheckFailed", "instance": "web-1:80"})}
	s.Findings = h.runner.Diagnose(h.t.Context(), s)
	return s
}

// Stopped, found, started, verified; and where it cannot be started, a person.
func TestURLCheckMendsARealApache(t *testing.T) {
	h := newHost(t, "url-check")
	s := h.investigate()
	plan, err := h.rb.Plan(s, nil)
	if err != nil {
		t.Fatalf("%v\n%+v", err, s.Findings)
	}
	if plan.Branch.ID != "apache" || runbooks.StepLine(plan.Recover[0]) != "ssh web-1 systemctl start apache2.service" {
		t.Fatalf("it would %+v", plan.Recover)
	}
	if _, done := h.runner.Run(t.Context(), plan, "INC-7/1"); !incidents.AllOK(done) {
		t.Fatalf("%+v", done)
	}
	if after := h.runner.Look(t.Context(), plan, "INC-7/1"); !incidents.AllOK(after) {
		t.Fatalf("%+v", after)
	}
	if _, err := h.rb.Plan(h.investigate(), nil); err == nil {
		t.Error("there is still something to mend")
	}

	h.stop()
	plan, err = h.rb.Plan(h.investigate(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.write("apache2.conf", "NoSuchDirective on\n", 0o644)
	_, done := h.runner.Run(t.Context(), plan, "INC-7/2")
	if incidents.AllOK(done) || done[0].Code != 1 || !strings.Contains(done[0].Output, "Configuration error") {
		t.Errorf("%+v", done)
	}
	if !strings.Contains(plan.Escalate.EN, "web team") {
		t.Errorf("nobody is called: %+v", plan.Escalate)
	}
}
