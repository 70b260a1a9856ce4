package incidents

import (
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	st := repaired(t)
	got := TimesOf(st.s, st.log)
	want := Times{Began: noon, Detected: minute(2), Acknowledged: minute(4), Mitigated: minute(7), Resolved: minute(9)}
	if got != want {
		t.Errorf("times = %+v\n want %+v", got, want)
	}
	for what, d := range map[string]struct{ got, want Duration }{
		"TTD": {got.TTD(), Duration{true, 2 * time.Minute}}, "TTA": {got.TTA(), Duration{true, 2 * time.Minute}},
		"TTM": {got.TTM(), Duration{true, 7 * time.Minute}}, "TTR": {got.TTR(), Duration{true, 9 * time.Minute}},
	} {
		if d.got != d.want {
			t.Errorf("%s = %+v, want %+v", what, d.got, d.want)
		}
	}

	// A relapse takes mitigation and resolution back, until the next ones.
	again := firing("HighErrorRate", "critical", minute(20))
	st.must(receive(again), minute(20))
	if got := TimesOf(st.s, st.log); !got.Mitigated.IsZero() || !got.Resolved.IsZero() || got.TTR().Known {
		t.Errorf("while it fires again: %+v", got)
	}
	st.must(receive(ended(again, minute(25))), minute(26))
	st.must(Resolve{By: bea}, minute(28))
	if got := TimesOf(st.s, st.log); !got.Mitigated.Equal(minute(25)) || !got.Resolved.Equal(minute(28)) || !got.Acknowledged.Equal(minute(4)) {
		t.Errorf("after the relapse: %+v", got)
	}
}

// What begins after a resolution is told as what it is, in the timeline and among the
// postmortem's decisions; and an alert that ends with other words is heard.
func TestARelapseAndItsEndAreTold(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	for i, what := range []string{"timeline.alerts.reopened.back.one", "timeline.alerts.back.one", "timeline.alerts.reopened.firing.one"} {
		begin := minute(10 + 20*i)
		a := firing("HighErrorRate", "warning", begin)
		if i == 2 {
			a = firing("Other", "warning", begin)
		}
		end := ended(firing("HighErrorRate", "warning", st.s.latestStart()), begin.Add(-5*time.Minute))
		end.Annotations = LabelsFromMap(map[string]string{"summary": "nobody watches it any more"})
		cleared := Timeline(st.s, st.must(receive(end), begin.Add(-5*time.Minute)))
		if cleared[0].Phrase.Phrase != "timeline.alerts.cleared.one" || cleared[0].Said != "nobody watches it any more" {
			t.Errorf("%+v", cleared[0])
		}
		if i != 1 {
			st.must(Resolve{By: bea}, begin.Add(-time.Minute))
		}
		line := Timeline(st.s, st.must(receive(a), begin))[0]
		if line.Phrase.Phrase != what || line.Reopens() != (i != 1) || line.Said != "" {
			t.Errorf("%+v, want %s", line.Phrase, what)
		}
		decisions := Postmortem(st.s, st.log).Decisions
		if last := decisions[len(decisions)-1]; i != 1 && (last.Phrase.Phrase != what || !st.s.Status().Open()) {
			t.Errorf("the decisions end at %+v", last.Phrase)
		}
	}
}

// TestAFlapTakesMitigationBack: within one episode, without any resolution.
func TestAFlapTakesMitigationBack(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	a, again := firing("HighErrorRate", "warning", noon), firing("HighErrorRate", "warning", minute(5))
	st.must(receive(ended(a, minute(3))), minute(3))
	if got := TimesOf(st.s, st.log).Mitigated; !got.Equal(minute(3)) {
		t.Errorf("mitigated at %s, want 12:03", got)
	}
	st.must(receive(again), minute(5))
	if got := TimesOf(st.s, st.log).Mitigated; !got.IsZero() {
		t.Errorf("mitigated at %s while it fires", got)
	}
	st.must(receive(ended(again, minute(9))), minute(9))
	if got := TimesOf(st.s, st.log).Mitigated; !got.Equal(minute(9)) {
		t.Errorf("mitigated at %s, want 12:09", got)
	}
}

func TestTimesThatAreNotKnown(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	got := TimesOf(st.s, st.log)
	if got.TTA().Known || got.TTM().Known || got.TTR().Known || !got.TTD().Known {
		t.Errorf("times of an incident that has just begun: %+v", got)
	}
	st.must(Resolve{By: bea}, minute(3)) // although it still fires
	if got := TimesOf(st.s, st.log); !got.Mitigated.Equal(minute(3)) {
		t.Errorf("mitigated at %s: whoever resolves it says so at the latest", got.Mitigated)
	}
	st = newStory(t)
	st.must(Declare{ID: 42, Title: "checkout is slow", By: bea}, noon)
	st.must(Ack{By: bea, At: minute(-1)}, minute(1)) // her clock is behind
	if d := TimesOf(st.s, st.log).TTA(); d != (Duration{Known: true}) {
		t.Errorf("TTA = %+v, want none at all", d)
	}
}
