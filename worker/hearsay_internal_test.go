package worker

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func copyOf(t *testing.T, s *incidents.Incident) *incidents.Incident {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var c incidents.Incident
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// What the folder hears from the engine leads to the state that the engine
// has; what it hears too late, twice or in part changes nothing.
func TestHearsay(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &incidents.Incident{}
	if _, _, err := incidents.Advance(s, incidents.Declare{ID: 7, Title: "slow", By: incidents.Actor{ID: "console:bea"}}, now, incidents.Policy{}); err != nil {
		t.Fatal(err)
	}
	c, h := newCache(), &hearsay{}
	c.put(copyOf(t, s))
	note := func(text string) incidents.Change {
		expect := s.Version
		events, _, err := incidents.Advance(s, incidents.Note{By: incidents.Actor{ID: "console:bea"}, Text: text}, now, incidents.Policy{})
		if err != nil || len(events) == 0 {
			t.Fatalf("%v, %v", events, err)
		}
		return incidents.Change{Expect: expect, Events: events, State: s}
	}
	first, second, third := note("one"), note("two"), note("three")
	want := s.Version
	for _, step := range []struct {
		changes []incidents.Change
		version int64
	}{
		{[]incidents.Change{second}, want - 3}, // the one before it is missing
		{[]incidents.Change{first, first, second}, want - 1},
		{[]incidents.Change{first}, want - 1},
		{[]incidents.Change{third}, want},
	} {
		for i := range step.changes {
			h.tell(&step.changes[i])
		}
		c.learn(h.take())
		if got := c.get(7).Version; got != step.version {
			t.Fatalf("after hearing %d changes at version %d, want %d", len(step.changes), got, step.version)
		}
	}
	got, err := json.Marshal(c.get(7))
	if err != nil {
		t.Fatal(err)
	}
	engine, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(engine) {
		t.Errorf("the folder has %s\nthe engine %s", got, engine)
	}

	for range 3 * maxHearsay {
		h.tell(&first)
	}
	if n := len(h.take()); n > maxHearsay {
		t.Errorf("%d changes are kept for nobody", n)
	}
	c.learn([]heard{{id: 8}}) // an incident that it does not follow
}
