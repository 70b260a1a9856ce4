package commands

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The memory keeps a freeze without a store.

func (m *memory) Latest(context.Context) (incidents.Freeze, error) { return m.freeze, nil }

func (m *memory) Freeze(_ context.Context, _ string, f incidents.Freeze) (incidents.Freeze, error) {
	if !m.freeze.Holds(m.now) || f.Outlasts(&m.freeze) {
		f.At = m.now
		m.freeze = f
	}
	return m.freeze, nil
}

func (m *memory) Thaw(_ context.Context, _ string, by incidents.Actor) (incidents.Freeze, error) {
	if m.freeze.Holds(m.now) {
		m.freeze.Lifted = &incidents.Mark{At: m.now, By: by}
	}
	return m.freeze, nil
}

func TestFreeze(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.now = h.now.Add(time.Minute)
	h.must(bea, "run restart-web")
	said := h.must(bea, "freeze for 2h reason we move the <b>racks</b>")
	if h.freeze.By != bea || !h.freeze.Until.Equal(h.now.Add(2*time.Hour)) || h.freeze.Text != "we move the <b>racks</b>" {
		t.Fatalf("frozen: %+v", h.freeze)
	}
	contains(t, said.Text, "Frozen by bea", "16:04", "racks", "told: 1")
	if last := h.log[42][len(h.log[42])-1]; last.Kind != incidents.EventNoted || last.By != bea || !strings.Contains(last.Text, "All remediation is frozen") {
		t.Errorf("the incident was told %+v", last)
	}
	contains(t, h.must(cho, "freeze for 5m").Title, "frozen already")
	contains(t, h.must(cho, "freeze status").Title, "is frozen")
	h.now = h.now.Add(time.Minute)
	said = h.must(cho, "freeze off")
	contains(t, said.Title, "no longer frozen")
	contains(t, said.Text, "Lifted by Cho")
	contains(t, h.must(cho, "freeze status").Title, "not frozen")
	contains(t, h.must(cho, "freeze").Text, "until somebody lifts it")
	contains(t, h.must(cho, "freeze 状態").Title, "is frozen")
}

func TestFreezeListsWhatGoesOn(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.now = h.now.Add(time.Minute)
	h.must(bea, "approve restart-web")
	h.move(incidents.StartRun{Run: "INC-42/1", Owner: "me"})
	said := h.must(bea, "freeze")
	if len(said.Fields) != 1 || !strings.Contains(said.Fields[0].Name, "INC-42/1") || !strings.Contains(said.Fields[0].Value, "goes on") {
		t.Errorf("under way: %+v", said.Fields)
	}
}

func TestFreezeIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for _, line := range []string{"freeze for", "freeze for ever", "freeze for 5s", "freeze 10000h", "freeze off now", "freeze status all"} {
		h.refused(bea, line, incidents.Invalid)
	}
	if !h.freeze.At.IsZero() {
		t.Errorf("frozen: %+v", h.freeze)
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}
