package incidents

import (
	"testing"
	"time"
)

// A report that has nothing but the sender's key finds the incident that the
// full report opened, whatever rules there are.
func TestTheSendersKeyAloneFindsItsIncident(t *testing.T) {
	t.Parallel()
	match, err := ParseMatcher(`service="db"`)
	if err != nil {
		t.Fatal(err)
	}
	full := Alert{Labels: LabelsFromMap(map[string]string{"alertname": "Disk", "service": "db", "dedup_key": "k", "source": "cron"})}
	bare := Alert{Resolved: true, Labels: LabelsFromMap(map[string]string{"dedup_key": "k", "source": "cron"})}
	other := Alert{Labels: LabelsFromMap(map[string]string{"dedup_key": "k", "source": "another"})}
	for name, rules := range map[string]Rules{
		"no rules": nil,
		"a rule":   {{Name: "db", Match: []Matcher{match}, GroupBy: []string{"service"}, Hold: time.Minute}},
	} {
		g := rules.Group("", &full)
		if g.Key != rules.Group("group of the sender", &bare).Key || full.Fingerprint() != bare.Fingerprint() {
			t.Errorf("%s: the bare report goes elsewhere", name)
		}
		if g.Key == rules.Group("", &other).Key || full.Fingerprint() == other.Fingerprint() {
			t.Errorf("%s: two sources share a key", name)
		}
		if len(rules) > 0 && g.Rule.Hold != time.Minute {
			t.Errorf("%s: the rule does not time it: %+v", name, g.Rule)
		}
	}
}

// A pattern cannot break out of its anchors.
func TestAMatcherStaysAnchored(t *testing.T) {
	t.Parallel()
	if m, err := ParseMatcher(`service=~"a)|(b"`); err == nil {
		t.Errorf("accepted %v", m)
	}
}
