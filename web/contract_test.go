package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
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

func newConsoleWorld(t *testing.T) consoleWorld {
	store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return consoleWorld{store}
}

func TestTheConsoleIsAChat(t *testing.T) {
	t.Parallel()
	contract.Run(t, func(t *testing.T) contract.World { return newConsoleWorld(t) })
}

// busyConsole is a console with people at its API.
type busyConsole struct {
	consoleWorld
	url  string
	acts int
}

func consoleToken(who contract.Who) string { return "token-of-" + string(who) + "-for-the-contract" }

// Act sends what somebody's program sends; sent again it has the same key.
func (w *busyConsole) Act(t *testing.T, a contract.Act) {
	t.Helper()
	w.acts++
	var path, field string
	switch a.Does {
	case contract.Types:
		path, field = "commands", "command"
	case contract.Clicks:
		path, field = "buttons", "id"
	case contract.Says:
		path, field = "messages", "text"
	default: // the console tells itself nothing
		return
	}
	body, err := json.Marshal(map[string]string{field: a.What})
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimLeft(strings.Split(a.Room.Name, "-")[1], "0")
	for range 1 + map[bool]int{true: 1}[a.Twice] {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/api/v1/incidents/"+id+"/"+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+consoleToken(a.By))
		req.Header.Set("Idempotency-Key", strconv.Itoa(w.acts))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
}

func TestPeopleInTheConsole(t *testing.T) {
	t.Parallel()
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	contract.RunPeople(t, contract.Party{
		Chat:     chat,
		Accounts: map[contract.Who]string{contract.Bea: "console:bea", contract.Eve: "console:eve"},
		NoThumbs: true,
		Open: func(t *testing.T, in contract.Inside) contract.Lively {
			w := &busyConsole{consoleWorld: newConsoleWorld(t)}
			o := newWorld(t, time.Now).options()
			o.Incidents, o.Rooms, o.Router, o.Talk, o.Rights = in.Incidents, w.store, in.Desk, in.Talk, in.Rights
			for _, who := range []contract.Who{contract.Bea, contract.Eve} {
				o.Config.People = append(o.Config.People, Person{Name: string(who), Token: consoleToken(who)})
			}
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s.Handler())
			t.Cleanup(server.Close)
			w.url = server.URL
			return w
		},
	})
}
