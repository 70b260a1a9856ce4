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
		if err := h.tracker.note(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	const tickets = drawers*maxDrawer + 500
	for n := range tickets {
		h.wait(time.Second)
		if err := h.tracker.note(t.Context(), &intent{Marker: fmt.Sprint("m", n), Key: fmt.Sprint("OPS-", n+10), At: h.clock(), Tries: 1}); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for name, d := range h.store.docs {
		if size += len(d.Body); len(d.Body) > incidents.MaxSetting/2 {
			t.Errorf("%s has %d bytes", name, len(d.Body))
		}
	}
	if n := len(h.store.docs); n > drawers || size > drawers*(maxDrawer+len(open))*300 {
		t.Errorf("%d documents of %d bytes together", n, size)
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
	if !knows(fmt.Sprint("m", tickets-1)) || knows("m0") && knows("m1") && knows("m2") && knows("m3") {
		t.Error("the latest is kept, the oldest are not")
	}
	// What was noted by somebody else meanwhile is not written over.
	mine, _ := h.tracker.intent(t.Context(), "unknown end")
	theirs, _ := h.another(Cloud).intent(t.Context(), "unknown end")
	theirs.Key = "OPS-9"
	if err := h.another(Cloud).note(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	if err := h.tracker.note(t.Context(), mine); err == nil {
		t.Error("two replicas noted different things about one ticket")
	}
}
