package jira

import (
	"fmt"
	"testing"
	"time"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

// A ticket that cannot be read keeps nobody from the others, and is heard, once,
// when it can.
func TestABadTicketBlocksNobody(t *testing.T) {
	t.Parallel()
	for name, ill := range map[string]func(h *house){
		"403":                  func(h *house) { h.jira.Lies(fake.Status, 3, "GET", "OPS-1", "403") },
		"500":                  func(h *house) { h.jira.Lies(fake.Fail, 3, "GET", "OPS-1", "") },
		"no JSON":              func(h *house) { h.jira.Lies(fake.HTML, 3, "GET", "OPS-1", "") },
		"its comments":         func(h *house) { h.jira.Lies(fake.Cut, 3, "GET", "OPS-1/comment", "") },
		"garbled in a search":  func(h *house) { h.jira.Garbled = []string{"OPS-1"}; h.jira.Lies(fake.HTML, 3, "GET", "OPS-1", "") },
		"deleted, and undone":  func(h *house) { h.jira.Lies(fake.Status, 3, "GET", "OPS-1", "404") },
		"a twin that is stuck": func(h *house) { h.jira.Clone(fake.Bot, "OPS-2"); h.jira.Lies(fake.Status, 99, "GET", "OPS-4", "403") },
	} {
		h := newHouse(t, Cloud)
		to := &listener{}
		poll := func() {
			t.Helper()
			if err := h.tracker.Poll(t.Context(), to); err != nil {
				t.Fatal(name, err)
			}
		}
		for n := range 3 {
			h.open(h.tracker, ticketOf(fmt.Sprint("hikeshi-inc-", n)))
		}
		poll()
		h.wait(time.Minute)
		for n := range 3 {
			h.jira.Move(fake.Joe, fmt.Sprint("OPS-", n+1), "In Progress")
		}
		ill(h)
		h.wait(time.Minute)
		poll()
		heard := func() map[string]int {
			all := map[string]int{}
			for _, c := range to.all {
				all[c.Key+" "+c.ID]++
			}
			return all
		}
		if all := heard(); len(all) < 2 {
			t.Errorf("%s: only %v", name, all)
		}
		if name == "deleted, and undone" { // nobody looks for what is gone
			continue
		}
		for range 4 { // it is tried after one minute, two, four …
			h.wait(4 * time.Minute)
			poll()
		}
		all := map[string]bool{}
		for _, c := range to.all {
			all[c.Key] = true
		}
		for n := range 3 {
			if key := fmt.Sprint("OPS-", n+1); !all[key] {
				t.Errorf("%s: %s was never heard", name, key)
			}
		}
	}
}

// Where nothing can be read it is Jira that is ill: the look ends and says so,
// and what it did not hear is heard later.
func TestAnIllJiraEndsTheLook(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Cloud)
	const tickets = 12
	for n := range tickets {
		h.open(h.tracker, ticketOf(fmt.Sprint("hikeshi-inc-", n)))
	}
	to := &listener{}
	_ = h.tracker.Poll(t.Context(), to)
	h.wait(time.Minute)
	for n := range tickets {
		h.jira.Move(fake.Joe, fmt.Sprint("OPS-", n+1), "In Progress")
	}
	before := h.jira.Counts()["GET issue/{}"]
	for n := range tickets {
		h.jira.Lies(fake.Fail, 1, "GET", fmt.Sprint("OPS-", n+1), "")
	}
	if err := h.tracker.Poll(t.Context(), to); err == nil {
		t.Error("nothing could be read, and all was well")
	}
	if n := h.jira.Counts()["GET issue/{}"] - before; n != 0 || len(to.all) != 0 {
		t.Errorf("%d read, %d heard", n, len(to.all))
	}
	for range 4 {
		h.wait(4 * time.Minute)
		_ = h.tracker.Poll(t.Context(), to)
	}
	all := map[string]bool{}
	for _, c := range to.all {
		all[c.Key] = true
	}
	if len(all) != tickets {
		t.Errorf("%d of %d tickets were heard", len(all), tickets)
	}
}
