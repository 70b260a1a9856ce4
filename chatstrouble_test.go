package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	discordfake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
	slackfake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// More incidents than rooms a minute: the rest is a table in one room, in each
// chat, and the console has a room for each.
func TestAStormInTwoChats(t *testing.T) {
	t.Parallel()
	w := serveEverywhere(t, func(c *config.Config) { c.Chats.Storm = config.Storm{PerMinute: 2, PerHour: 2} })
	for _, service := range []string{"api", "billing", "cart", "disk"} {
		w.alert(service)
	}
	tables := func() (slack, discord string) {
		for _, r := range w.slack.Rooms() {
			if strings.HasPrefix(r.Name, "storm-") && len(r.Messages) == 1 {
				slack = r.Messages[0].Blocks
			}
		}
		for _, c := range w.discord.Channels(0) {
			if all := w.discord.Messages(c.ID); strings.HasPrefix(c.Name, "storm-") && len(all) == 1 {
				raw, _ := json.Marshal(all[0].Embeds)
				discord = string(raw)
			}
		}
		return slack, discord
	}
	w.await("the tables", func() bool {
		slack, discord := tables()
		return rowsIn(slack) == 2 && rowsIn(discord) == 2
	})
	if s, d := len(w.slack.Rooms()), len(w.discord.Channels(0)); s != 3 || d != 3 {
		t.Errorf("%d rooms in Slack, %d in Discord, not two and a shared one", s, d)
	}
	for id := range incidents.ID(4) {
		if w.inConsole(id+1, "card") == "" {
			t.Errorf("%s has no room in the console", id+1)
		}
	}
	// A person wants a room for one of the table.
	var row incidents.ID
	w.await("a row in both", func() bool {
		for id := range incidents.ID(4) {
			if s := w.state(id + 1); s.Rooms["slack"].Row != 0 && s.Rooms["discord"].Row != 0 {
				row = id + 1
			}
		}
		return row != 0
	})
	w.send("POST", "/api/v1/incidents/"+row.String()+"/commands", map[string]string{"command": "room"})
	w.await("the room that was wanted", func() bool { return w.inSlack(row, "card") != "" && w.inDiscord(row, "card") != "" })
}

// rowsIn is how many incidents a table has.
func rowsIn(table string) int {
	n := 0
	for _, id := range []string{"INC-1 ", "INC-2 ", "INC-3 ", "INC-4 "} {
		if strings.Contains(table, id) || strings.Contains(table, strings.TrimSpace(id)+`"`) {
			n++
		}
	}
	return n
}

// With both chats away everything goes on in the console; when they are back
// the card is edited once, and what happened meanwhile stands there.
func TestChatsThatAreAway(t *testing.T) {
	t.Parallel()
	w := serveEverywhere(t)
	w.alert("api") // no runbook fits: nothing else goes on
	w.await("the rooms", func() bool { return w.inSlack(1, "suggestions") != "" && w.inDiscord(1, "suggestions") != "" })
	w.slack.Down(true)
	w.discord.Down(true)
	edits := w.slackMessage(1, "card").Edits
	for _, line := range []string{"ack", "severity SEV2", "note it is the pool", "severity SEV1", "lead me"} {
		w.send("POST", "/api/v1/incidents/1/commands", map[string]string{"command": line})
	}
	w.alert("billing") // its rooms are made when that is possible
	w.await("the console", func() bool {
		return strings.Contains(w.inConsole(1, "card"), "SEV1") && w.state(2).Rooms["console"].ID != ""
	})
	w.slack.Down(false)
	w.discord.Down(false)
	w.await("both caught up", func() bool {
		return strings.Contains(w.inSlack(1, "card"), "SEV1") && strings.Contains(w.inDiscord(1, "card"), "SEV1") &&
			w.inSlack(2, "card") != "" && w.inDiscord(2, "card") != ""
	})
	if n := w.slackMessage(1, "card").Edits - edits; n != 1 {
		t.Errorf("the card was edited %d times for what happened meanwhile", n)
	}
	if s, d := len(w.slack.Rooms()), len(w.discord.Channels(0)); s != 2 || d != 2 {
		t.Errorf("%d rooms in Slack, %d in Discord", s, d)
	}
	w.await("the chats hear again", func() bool { return w.slack.Sockets() == 2 && w.discord.Connected() == 1 })
	w.slack.Event("EvBack", map[string]any{"type": "app_mention", "user": "U1", "channel": w.state(1).Rooms["slack"].ID, "text": "<@" + slackfake.BotUser + "> severity SEV3", "ts": "1.2"}, 0)
	w.await("a wish from Slack", func() bool { return w.state(1).Severity() == incidents.Sev3 })
	// A room that people take away is not made again; the other rooms say so, and go on.
	w.discord.DeleteChannel(w.state(1).Rooms["discord"].ID)
	w.send("POST", "/api/v1/incidents/1/commands", map[string]string{"command": "note it is mended"})
	w.await("the console and Slack to say so", func() bool {
		return strings.Contains(w.inConsole(1, "card"), "was deleted in Discord") && strings.Contains(w.inSlack(1, "card"), "was deleted in Discord")
	})
	if n := len(w.discord.Channels(0)); n != 1 {
		t.Errorf("%d rooms in Discord, and one was taken away", n)
	}
}

// replica is a Hikeshi as far as chats go, over a store that others use too.
type replica struct{ chats []outside }

func newReplica(t *testing.T, c *config.Settled, store storage.Store, record *recorder) replica {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	engine := worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: incidents.Policy{Chats: chatNames(c)}, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}})
	router, err := bot.NewRouter(bot.RouterOptions{
		Commands: commands.All(commands.Deps{Incidents: desk{engine, store, record}, Again: engine, Now: time.Now}), Rights: c.Rights, Incidents: store, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	chats, err := makeChats(chatParts{c, store, auditedRouter{router, record}, talk{engine, true, record.redact.Clean}, bot.Links{Base: "https://hikeshi.example.com"}, time.Now, log, false, nil, nil})
	if err != nil {
		t.Fatal(err)
	}
	return replica{chats}
}

func (r replica) serve(pattern string, req *http.Request) int {
	out := httptest.NewRecorder()
	chatRoutes(r.chats)[pattern].ServeHTTP(out, req)
	return out.Code
}

// The same event a hundred times at once, over two replicas with one store:
// one effect. The same for an interaction of Discord.
func TestAHundredDeliveriesOverTwoReplicas(t *testing.T) {
	t.Parallel()
	sf, df := slackfake.New(t, slackfake.Options{}), discordfake.New(t)
	sf.Add(slackfake.User{ID: "U1", Name: "bea"})
	df.Hosts = []string{"hikeshi.example.com"}
	c := config.Default()
	c.Data, c.PublicURL = t.TempDir(), "https://hikeshi.example.com"
	c.Slack = config.Slack{BotToken: slackfake.Token, SigningSecret: slackfake.Secret, Team: slackfake.Team, App: slackfake.App, API: sf.URL}
	c.Discord = config.Discord{BotToken: discordfake.Token, App: discordfake.App, Guild: discordfake.Guild, Via: "http", PublicKey: df.PublicKey, API: df.URL}
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.Open(t.Context(), storage.Config{Dir: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	record, err := openAudit(s, store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	replicas := []replica{newReplica(t, s, store, record), newReplica(t, s, store, record)}
	engine := worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: incidents.Policy{}, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}})
	if _, err := engine.Declare(t.Context(), "", incidents.Declare{Title: "x", Severity: incidents.Sev3, By: incidents.Actor{ID: "slack:" + slackfake.Team + "/U1"}}); err != nil {
		t.Fatal(err)
	}
	for name, channel := range map[string]string{"slack": "C1", "discord": "500000000000000001"} {
		if err := chat.NewDirectory(store, name).Put(t.Context(), channel, 1); err != nil {
			t.Fatal(err)
		}
	}
	event, err := json.Marshal(map[string]any{"type": "event_callback", "team_id": slackfake.Team, "api_app_id": slackfake.App, "event_id": "Ev1",
		"event": map[string]any{"type": "app_mention", "user": "U1", "channel": "C1", "text": "<@" + slackfake.BotUser + "> note from Slack", "ts": "1.2"}})
	if err != nil {
		t.Fatal(err)
	}
	typed := df.Command(beaInDiscord, "500000000000000001", []string{"note"}, map[string]any{"text": "from Discord"})
	var all sync.WaitGroup
	for i := range 100 {
		to := replicas[i%2]
		all.Go(func() {
			for { // busy means: again, as Slack does
				req := httptest.NewRequest("POST", "/slack/events", bytes.NewReader(event))
				req.Header = slackfake.Sign(slackfake.Secret, string(event), time.Now())
				req.Header.Set("Content-Type", "application/json")
				if to.serve("POST /slack/events", req) == http.StatusOK {
					break
				}
				time.Sleep(50 * time.Millisecond) // those that are served need the processor
			}
			req := httptest.NewRequest("POST", "/discord/interactions", bytes.NewReader(typed.Body))
			ts, sig := df.Sign(time.Now().Add(time.Duration(i-50)*time.Second/2), typed.Body)
			req.Header.Set("X-Signature-Timestamp", ts)
			req.Header.Set("X-Signature-Ed25519", sig)
			to.serve("POST /discord/interactions", req)
		})
	}
	all.Wait()
	events, err := store.Events(t.Context(), 1, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, e := range events {
		if e.Kind == incidents.EventNoted {
			notes = append(notes, e.Text)
		}
	}
	slices.Sort(notes)
	if !slices.Equal(notes, []string{"from Discord", "from Slack"}) {
		t.Errorf("noted: %q", notes)
	}
}
