package chat_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
)

func TestAChannelBelongsToOneIncidentForGood(t *testing.T) {
	store := &contract.Settings{}
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
	reads := store.Reads()
	for _, d := range []*chat.Directory{here, there} {
		if id, ok, err := d.Incident(ctx, "C1"); id != 42 || !ok || err != nil {
			t.Errorf("%v %v %v", id, ok, err)
		}
	}
	if store.Reads() != reads {
		t.Errorf("%d reads of what is known", store.Reads()-reads)
	}
	if _, ok, _ := chat.NewDirectory(store, "discord").Incident(ctx, "C1"); ok {
		t.Error("another chat's channel of the same id")
	}
}

func TestNamesFromOutsideStayOutOfTheStore(t *testing.T) {
	store := &contract.Settings{}
	d := chat.NewDirectory(store, "slack")
	evil := "../freeze\x00" + strings.Repeat("x", 1<<16)
	if _, _, err := d.Incident(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), evil[:200], 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range store.Names() {
		if strings.Contains(name, "freeze") || len(name) > 80 {
			t.Errorf("a setting is called %q", name)
		}
	}
	if err := d.Put(t.Context(), "", 1); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("no channel: %v", err)
	}
}

func TestAStoreThatIsAwayIsNoAnswer(t *testing.T) {
	store, away := &contract.Settings{}, errors.New("away")
	store.Away(away)
	d := chat.NewDirectory(store, "slack")
	if _, _, err := d.Incident(t.Context(), "C1"); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
	store.Away(nil)
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
