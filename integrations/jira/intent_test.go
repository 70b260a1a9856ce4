package jira

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// However many tickets there ever were: the store keeps a bounded number of
// intents, and of those that may still matter every one, until nobody can ask.
func TestIntentsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Cloud)
	open := []*intent{
		{Marker: "unknown end", At: noon}, {Marker: "a twin to close", At: noon, Key: "OPS-1", Close: []string{"OPS-2"}},
		{Marker: "to be linked", At: noon, Key: "OPS-3", Link: "OPS-1"}, {Marker: "not looked for twins yet", At: noon, Key: "OPS-4", Tries: 2},
	}
	for _, in := range open {
		for home := h.tracker.drawer("m0"); h.tracker.drawer(in.Marker) != home; {
			in.Marker += "." // so that all are in one drawer
		}
		if err := h.tracker.note(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	const tickets = maxDrawer + 20
	all := make([]string, 0, tickets)
	for n := 0; len(all) < tickets; n++ {
		if m := fmt.Sprint("m", n); h.tracker.drawer(m) == h.tracker.drawer(open[0].Marker) {
			all = append(all, m)
		}
	}
	for n, m := range all {
		h.wait(time.Second)
		if err := h.tracker.note(t.Context(), &intent{Marker: m, Key: fmt.Sprint("OPS-", n+10), At: h.clock(), Tries: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if size := len(h.store.docs[h.tracker.drawer(all[0])].Body); size > (maxDrawer+len(open))*300 || size > incidents.MaxSetting/2 {
		t.Errorf("%d bytes", size)
	}
	knows := func(marker string) bool {
		in, err := h.tracker.intent(t.Context(), marker)
		if err != nil {
			t.Fatal(err)
		}
		return in.Rev > 0
	}
	for _, in := range open {
		if !knows(in.Marker) {
			t.Errorf("%s was dropped", in.Marker)
		}
	}
	for n, m := range all {
		if knows(m) != (n >= tickets-maxDrawer) {
			t.Errorf("%d of %d, the oldest first: kept is %v", n, tickets, knows(m))
		}
	}
	// What was noted by somebody else meanwhile is not written over.
	mine, _ := h.tracker.intent(t.Context(), open[0].Marker)
	theirs, _ := h.another(Cloud).intent(t.Context(), open[0].Marker)
	theirs.Key = "OPS-9"
	if err := h.another(Cloud).note(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	if err := h.tracker.note(t.Context(), mine); err == nil {
		t.Error("two replicas noted different things about one ticket")
	}
}
