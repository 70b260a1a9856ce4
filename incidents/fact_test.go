package incidents

import "testing"

// lists are the facts of the events that are lists which were shown.
func lists(st *story, events []Event) []Fact {
	var found []Fact
	for _, f := range Facts(st.s, events) {
		if f.Kind == FactShown {
			found = append(found, f)
		}
	}
	return found
}

// A list is written down once for its places: when they change, or how probable they
// were. A list with other scores alone is the room's news, and no fact; what is
// chosen of it says which score it stood with.
func TestAListIsAFactWhenItsPlacesChange(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	list := func(second string, score, propensity float64) Ranked {
		r := suggestions(restart(1), restart(1), restart(1))
		for i, action := range []string{"restart-web", second, "scale-out"} {
			r.Suggestions[i].Action, r.Suggestions[i].Rank = action, i+1
		}
		r.Suggestions[0].Plan.Runbook = "restart-web"
		r.Suggestions[0].Score, r.Suggestions[0].Evidence.Tried = score, int(score*100)
		r.Suggestions[2].Propensity = propensity
		return r
	}
	for i, step := range []struct {
		says  string
		shown Ranked
		facts int
	}{
		{"the first", list("flush-cache", .5, 0), 1},
		{"with another score", list("flush-cache", .6, 0), 0},
		{"said to be certain", list("flush-cache", .7, 1), 0},
		{"drawn", list("flush-cache", .71, .1), 1},
		{"another action", list("free-space", .72, .1), 1},
		{"no action", Ranked{None: Because("why.none.declared")}, 0},
		{"and again", list("free-space", .73, .1), 1},
		{"with another score", list("free-space", .81234567, .1), 0},
	} {
		events := st.must(step.shown, minute(i+1))
		if len(events) != 1 || events[0].Kind != EventRanked {
			t.Fatalf("%s: %v", step.says, kinds(events))
		}
		if got := lists(st, events); len(got) != step.facts {
			t.Errorf("%s: %d lists are written down, want %d", step.says, len(got), step.facts)
		} else if len(got) == 1 && (got[0].Shown[0].Action != "restart-web" || len(got[0].Shown) != 3) {
			t.Errorf("%s: wrote down %+v", step.says, got[0].Shown)
		}
	}
}
