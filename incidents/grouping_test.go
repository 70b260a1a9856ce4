package incidents

import (
	"reflect"
	"testing"
	"time"
)

func matcher(t *testing.T, s string) Matcher {
	t.Helper()
	m, err := ParseMatcher(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func labelled(pairs ...string) *Alert {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return &Alert{Labels: LabelsFromMap(m), StartsAt: noon}
}

func TestGroupingAndItsBecause(t *testing.T) {
	t.Parallel()
	rules := Rules{
		{Name: "databases", Match: []Matcher{matcher(t, `tier="db"`), matcher(t, `env!="test"`)}, GroupBy: []string{"cluster", "alertname"}, Quiet: time.Minute, Reopen: time.Hour},
		{Name: "noise", Match: []Matcher{matcher(t, `alertname=~"Watchdog|Info.*"`)}},
		{Name: "absent", Match: []Matcher{matcher(t, `region=""`), matcher(t, `service!~"check.*"`)}, GroupBy: []string{"region"}},
	}
	for name, tc := range map[string]struct {
		alert     *Alert
		sender    string
		same, not *Alert // in the same group, in another one
		because   Reason
		rule      string
		reopen    time.Duration
	}{
		"a rule's labels": {
			alert: labelled("tier", "db", "cluster", "eu-1", "alertname", "Lag", "pod", "a"),
			same:  labelled("tier", "db", "cluster", "eu-1", "alertname", "Lag", "pod", "b", "severity", "critical"),
			not:   labelled("tier", "db", "cluster", "eu-2", "alertname", "Lag"),
			rule:  "databases", reopen: time.Hour,
			because: Because("because.rule", "rule", "databases", "labels", "cluster=eu-1, alertname=Lag"),
		},
		"a label that is absent": {
			alert: labelled("tier", "db", "alertname", "Lag"),
			same:  labelled("tier", "db", "alertname", "Lag", "cluster", ""),
			not:   labelled("tier", "db", "cluster", "eu-1", "alertname", "Lag"),
			rule:  "databases", reopen: time.Hour,
			because: Because("because.rule", "rule", "databases", "labels", "cluster=, alertname=Lag"),
		},
		"a rule that puts all together": {
			alert: labelled("alertname", "InfoInhibitor", "service", "a"),
			same:  labelled("alertname", "Watchdog", "service", "b"),
			not:   labelled("alertname", "MyInfo", "service", "checkout"),
			rule:  "noise", reopen: DefaultReopen,
			because: Because("because.rule_all", "rule", "noise"),
		},
		"the first rule that matches": {
			alert: labelled("tier", "db", "cluster", "c", "alertname", "Watchdog"),
			same:  labelled("tier", "db", "cluster", "c", "alertname", "Watchdog", "x", "y"),
			not:   labelled("alertname", "Watchdog"),
			rule:  "databases", reopen: time.Hour,
			because: Because("because.rule", "rule", "databases", "labels", "cluster=c, alertname=Watchdog"),
		},
		"all matchers must hold": {
			alert:  labelled("tier", "db", "env", "test", "service", "checkout", "alertname", "Lag", "cluster", "c"),
			sender: "{}:{alertname=\"Lag\"}",
			same:   labelled("service", "checkout", "alertname", "Other"),
			not:    labelled("tier", "db", "cluster", "c", "alertname", "Lag"),
			reopen: DefaultReopen, because: Because("because.sender_group"),
		},
		"service and name where nobody else decides": {
			alert:  labelled("service", "checkout", "alertname", "Lag", "pod", "a"),
			same:   labelled("service", "checkout", "alertname", "Lag", "pod", "b"),
			not:    labelled("service", "checkout", "alertname", "Down"),
			reopen: DefaultReopen, because: Because("because.service_and_name", "service", "checkout", "name", "Lag"),
		},
		"job stands in for service": {
			alert:  labelled("job", "checkout", "alertname", "Lag"),
			same:   labelled("app", "checkout", "alertname", "Lag"),
			not:    labelled("job", "check", "alertname", "outLag"),
			reopen: DefaultReopen, because: Because("because.service_and_name", "service", "checkout", "name", "Lag"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := rules
			if name == "job stands in for service" {
				mine = mine[:2]
			}
			got := mine.Group(tc.sender, tc.alert)
			if !reflect.DeepEqual(got.Because, tc.because) {
				t.Errorf("because %+v, want %+v", got.Because, tc.because)
			}
			if got.Rule.Name != tc.rule || got.Rule.Reopen != tc.reopen {
				t.Errorf("rule %q reopens within %s, want %q, %s", got.Rule.Name, got.Rule.Reopen, tc.rule, tc.reopen)
			}
			if same := mine.Group(tc.sender, tc.same); same.Key != got.Key {
				t.Errorf("%v is in another group than %v: because %+v", tc.same.Labels, tc.alert.Labels, same.Because)
			}
			if other := mine.Group("another sender's group", tc.not); other.Key == got.Key {
				t.Errorf("%v is in one group with %v: because %+v", tc.not.Labels, tc.alert.Labels, other.Because)
			}
		})
	}
}

// TestGroupsOfDifferentOriginNeverMeet: a sender cannot name its group so that
// it falls together with a rule's.
func TestGroupsOfDifferentOriginNeverMeet(t *testing.T) {
	t.Parallel()
	a := labelled("service", "s", "alertname", "n")
	keys := map[Key]string{}
	for what, g := range map[string]Grouping{
		"rule":           Rules{{Name: "x", GroupBy: []string{"service"}}}.Group("", a),
		"rule, no label": Rules{{Name: "x"}}.Group("", a),
		"other rule":     Rules{{Name: "xservice"}}.Group("", a),
		"sender":         Rules{}.Group("s", a),
		"sender 2":       Rules{}.Group("rulexservices", a),
		"service":        Rules{}.Group("", a),
	} {
		if other, taken := keys[g.Key]; taken {
			t.Errorf("%s and %s share a key", what, other)
		}
		keys[g.Key] = what
	}
}

func TestMatchers(t *testing.T) {
	t.Parallel()
	l := LabelsFromMap(map[string]string{"env": "prod", "path": "/a\nb"})
	for s, want := range map[string]bool{
		`env="prod"`: true, `env=prod`: true, `env="pro"`: false, `env!="prod"`: false, `env!="test"`: true,
		`env=~"pr.d"`: true, `env=~"pr"`: false, `env=~"x|prod"`: true, `env!~"x|prod"`: false,
		`gone=""`: true, `gone!=""`: false, `gone=~".*"`: true, `gone!~".+"`: true, `path=~"/a.b"`: false, ` env = "prod" `: true,
	} {
		if got := matcher(t, s).Matches(l); got != want {
			t.Errorf("%s matches: %v, want %v", s, got, want)
		}
	}
	long := make([]byte, maxPattern+1)
	for i := range long {
		long[i] = 'a'
	}
	for _, s := range []string{``, `env`, `="x"`, `1env="x"`, `env=~"("`, `env=="x"y"`, `env=~"` + string(long) + `"`} {
		if m, err := ParseMatcher(s); err == nil {
			t.Errorf("ParseMatcher(%q) = %v", s, m)
		}
	}
}
