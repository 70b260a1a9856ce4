package web

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// consoleWorld is the console as a chat, over a real store.
type consoleWorld struct{ store storage.Store }

func (w consoleWorld) Poster(*testing.T) bot.Poster {
	return Rooms{Store: w.store, Now: time.Now}
}

func (w consoleWorld) Shown(t *testing.T, room incidents.Room) []contract.Shown {
	t.Helper()
	postings, err := w.store.LastPostings(t.Context(), room.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all []contract.Shown
	for i := range postings {
		b, err := decodeBody(&postings[i])
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(cleaned(b.message(&postings[i], "en")))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, contract.Shown{ID: postings[i].Key, Text: strings.ReplaceAll(string(raw), `\"`, `"`)})
	}
	return all
}

func TestTheConsoleIsAChat(t *testing.T) {
	t.Parallel()
	contract.Run(t, func(t *testing.T) contract.World {
		store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return consoleWorld{store}
	})
}
