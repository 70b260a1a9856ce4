package chat_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

type memory struct {
	mu    sync.Mutex
	docs  map[string]incidents.Document
	reads int
	away  error
}

func (m *memory) Setting(_ context.Context, name string) (incidents.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	return m.docs[name], m.away
}

func (m *memory) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.docs[name].Version != expect {
		return incidents.ErrConflict
	}
	m.docs[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return m.away
}

func TestAChannelBelongsToOneIncidentForGood(t *testing.T) {
	store := &memory{docs: map[string]incidents.Document{}}
	here, there := chat.NewDirectory(store, "slack"), chat.NewDirectory(store, "slack")
	ctx := t.Context()
	if _, ok, err := here.Incident(ctx, "C1"); ok || err != nil {
		t.Fatalf("an unknown channel: %v %v", ok, err)
	}
	for range 2 {
		if err := here.Put(ctx, "C1", 42); err != nil {
			t.Fatal(err)
		}
	}
	if err := there.Put(ctx, "C1", 42); err != nil {
		t.Errorf("the other replica, the same thing: %v", err)
	}
	if err := there.Put(ctx, "C1", 43); incidents.CodeOf(err) != incidents.Conflict {
		t.Errorf("given to another incident: %v", err)
	}
	reads := store.reads
	for _, d := range []*chat.Directory{here, there} {
		if id, ok, err := d.Incident(ctx, "C1"); id != 42 || !ok || err != nil {
			t.Errorf("%v %v %v", id, ok, err)
		}
	}
	if store.reads != reads {
		t.Errorf("%d reads of what is known", store.reads-reads)
	}
	if _, ok, _ := chat.NewDirectory(store, "discord").Incident(ctx, "C1"); ok {
		t.Error("another chat's channel of the same id")
	}
}

func TestNamesFromOutsideStayOutOfTheStore(t *testing.T) {
	store := &memory{docs: map[string]incidents.Document{}}
	d := chat.NewDirectory(store, "slack")
	evil := "../freeze\x00" + strings.Repeat("x", 1<<16)
	if _, _, err := d.Incident(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), evil[:200], 1); err != nil {
		t.Fatal(err)
	}
	for name := range store.docs {
		if strings.Contains(name, "freeze") || len(name) > 80 {
			t.Errorf("a setting is called %q", name)
		}
	}
	if err := d.Put(t.Context(), "", 1); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("no channel: %v", err)
	}
}

func TestAStoreThatIsAwayIsNoAnswer(t *testing.T) {
	store := &memory{docs: map[string]incidents.Document{}, away: errors.New("away")}
	d := chat.NewDirectory(store, "slack")
	if _, _, err := d.Incident(t.Context(), "C1"); !errors.Is(err, store.away) {
		t.Errorf("%v", err)
	}
	store.away = nil
	if err := d.Put(t.Context(), "C1", 7); err != nil {
		t.Fatal(err)
	}
	if id, ok, err := d.Incident(t.Context(), "C1"); id != 7 || !ok || err != nil {
		t.Errorf("after it came back: %v %v %v", id, ok, err)
	}
}

func TestKeyOf(t *testing.T) {
	room := incidents.Room{Posted: map[string]incidents.Posted{"card": {ID: "17.1"}, "run-r1": {ID: "17.2"}}}
	for id, want := range map[string]string{"17.1": "card", "17.2": "run-r1", "17.3": "", "": ""} {
		if got := chat.KeyOf(room, id); got != want {
			t.Errorf("%q: %q", id, got)
		}
	}
}
