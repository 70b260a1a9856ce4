package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	discordfake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
	slackfake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// everywhere is a Hikeshi with rooms in Slack, in Discord and in the console.
type everywhere struct {
	*app
	t       testing.TB
	slack   *slackfake.Server
	discord *discordfake.Server
}

const beaToken = "token-of-bea-in-the-console-0001"

var beaInDiscord = discordfake.Person{ID: "400000000000000001", Name: "bea"}

func serveEverywhere(t testing.TB, change ...func(*config.Config)) *everywhere {
	t.Helper()
	return serveThere(t, false, change...)
}

// serveThere keeps to the chats' rates, or is free of them.
func serveThere(t testing.TB, free bool, change ...func(*config.Config)) *everywhere {
	t.Helper()
	w := &everywhere{t: t, slack: slackfake.New(t, slackfake.Options{}), discord: discordfake.New(t)}
	w.slack.Add(slackfake.User{ID: "U1", Name: "bea", Locale: "en-GB"})
	w.discord.Hosts = []string{"127.0.0.1"}
	c := auditedConfig(t)
	c.Slack = config.Slack{BotToken: slackfake.Token, AppToken: slackfake.AppToken, Team: slackfake.Team, App: slackfake.App, Invite: []string{"U1"}, API: w.slack.URL}
	c.Discord = config.Discord{BotToken: discordfake.Token, App: discordfake.App, Guild: discordfake.Guild, Messages: true, API: w.discord.URL}
	c.Console.People = []config.Person{{Name: "bea", Token: beaToken}}
	c.People = []config.Member{{Name: "bea", Roles: []string{"admin"}, Accounts: []string{
		"console:bea", "slack:" + slackfake.Team + "/U1", "discord:" + discordfake.Guild + "/" + beaInDiscord.ID,
	}}}
	for _, f := range change {
		f(&c)
	}
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.app = &app{config: s, log: slog.New(slog.DiscardHandler), free: free}
	if err := w.assemble(ctx); err != nil {
		stop()
		w.close()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	w.await("the chats", func() bool { return w.slack.Sockets() == 2 && w.discord.Connected() == 1 })
	return w
}

func (w *everywhere) await(what string, ok func() bool) {
	w.t.Helper()
	ctx := within(w.t)
	for look := time.NewTicker(20 * time.Millisecond); !ok(); {
		select {
		case <-look.C:
		case <-ctx.Done():
			w.t.Fatalf("it never came: %s\nslack: %+v\ndiscord: %+v", what, w.slack.Rooms(), w.discord.Channels(0))
		}
	}
}

func (w *everywhere) send(method, path string, body any) string {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(within(w.t), method, w.url()+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+beaToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, out, err)
	}
	return string(out)
}

func (w *everywhere) alert(service string) {
	w.t.Helper()
	w.send("POST", "/v1/alerts/generic", map[string]string{"title": "Down", "service": service})
}

func (w *everywhere) state(id incidents.ID) *incidents.Incident {
	w.t.Helper()
	s, err := w.store.Load(w.t.Context(), id)
	if err != nil || s == nil {
		return &incidents.Incident{}
	}
	return s
}

// inSlack, inDiscord and inConsole are the incident's message of that key, as
// JSON; "" where there is none.
func (w *everywhere) inSlack(id incidents.ID, key string) string {
	return w.slackMessage(id, key).Blocks
}

func (w *everywhere) slackMessage(id incidents.ID, key string) slackfake.Message {
	room := w.state(id).Rooms["slack"]
	for _, r := range w.slack.Rooms() {
		for _, m := range r.Messages {
			if r.ID == room.ID && m.Key == key {
				return m
			}
		}
	}
	return slackfake.Message{}
}

func (w *everywhere) inDiscord(id incidents.ID, key string) string {
	room := w.state(id).Rooms["discord"]
	for _, m := range w.discord.Messages(room.ID) {
		if m.ID == room.Posted[key].ID {
			raw, err := json.Marshal([]any{m.Embeds, m.Rows})
			if err != nil {
				w.t.Fatal(err)
			}
			return string(raw)
		}
	}
	return ""
}

func (w *everywhere) inConsole(id incidents.ID, key string) string {
	var page struct {
		Messages []json.RawMessage `json:"messages"`
	}
	raw := w.send("GET", "/api/v1/incidents/"+id.String()+"/messages", nil)
	if err := json.Unmarshal([]byte(raw), &page); err != nil {
		w.t.Fatal(err)
	}
	for _, m := range page.Messages {
		if strings.Contains(string(m), fmt.Sprintf(`"key":%q`, key)) {
			return string(m)
		}
	}
	return ""
}

var buttonID = regexp.MustCompile(`h1\.[a-z0-9]+\.[a-z]+\.[a-z0-9-]*\.[0-9a-f]*`)

func buttonsOf(message string) []string {
	all := buttonID.FindAllString(message, -1)
	slices.Sort(all)
	return slices.Compact(all)
}

// One incident from the alert to the end, lived in three chats at once.
func TestOneIncidentInThreeChats(t *testing.T) {
	t.Parallel()
	w := serveEverywhere(t)
	w.alert("shop")
	w.await("the suggestions everywhere", func() bool {
		return w.inSlack(1, "suggestions") != "" && w.inDiscord(1, "suggestions") != "" && len(w.state(1).Suggestions) == 1 &&
			len(buttonsOf(w.inSlack(1, "suggestions"))) > 3
	})
	card := buttonsOf(w.inSlack(1, "card"))
	if got, there := buttonsOf(w.inDiscord(1, "card")), buttonsOf(w.inConsole(1, "card")); len(card) < 3 || !slices.Equal(got, card) || !slices.Equal(there, card) {
		t.Errorf("the card has the buttons %v in Slack, %v in Discord, %v in the console", card, got, there)
	}
	for chat, message := range map[string]string{"slack": w.inSlack(1, "card"), "discord": w.inDiscord(1, "card"), "console": w.inConsole(1, "card")} {
		if !strings.Contains(message, "INC-1 Down") {
			t.Errorf("the card in %s is %s", chat, message)
		}
	}
	rooms := w.state(1).Rooms
	for chat, pins := range map[string]int{"slack": len(w.slack.Rooms()[0].Pins), "discord": len(w.discord.Channels(0)[0].Pins)} {
		if pins != 1 {
			t.Errorf("%d pins in %s", pins, chat)
		}
	}

	// The same person's thumb, twice: once.
	w.discord.React(beaInDiscord, rooms["discord"].ID, rooms["discord"].Posted["suggestions"].ID, "👍", false)
	w.await("the vote", func() bool { return len(w.state(1).Votes["fix"]) == 1 })
	ts := w.slackMessage(1, "suggestions").TS
	w.slack.Event("EvThumb", map[string]any{"type": "reaction_added", "user": "U1", "reaction": "+1", "item": map[string]any{"type": "message", "channel": rooms["slack"].ID, "ts": ts}}, 0)
	if votes := w.state(1).Votes["fix"]; len(votes) != 1 || votes["person:bea"] != 1 {
		t.Errorf("votes %v", votes)
	}

	w.saidIsMirrored(rooms)

	approve := buttonsOf(w.inSlack(1, "suggestions"))
	approve = slices.DeleteFunc(approve, func(b string) bool { return !strings.Contains(b, ".apa.") })
	if len(approve) != 1 {
		t.Fatalf("to approve there are %v", approve)
	}
	if got := w.slack.Press("U1", rooms["slack"].ID, ts, approve[0]); got.Status != http.StatusOK {
		t.Fatalf("pressed: %+v", got)
	}
	w.await("the end", func() bool { return w.state(1).Status() == incidents.Resolved })
	if runs := w.state(1).Runs; len(runs) != 1 || runs[0].State != incidents.RunVerified {
		t.Errorf("runs: %+v", runs)
	}
	w.await("the card's end everywhere", func() bool {
		for _, message := range []string{w.inSlack(1, "card"), w.inDiscord(1, "card"), w.inConsole(1, "card")} {
			if !strings.Contains(message, "h1.1.reo") || strings.Contains(message, "h1.1.ack") {
				return false
			}
		}
		return true
	})
}

// What is said in one chat stands in the others once, and where it was said no
// second time.
func (w *everywhere) saidIsMirrored(rooms map[string]incidents.Room) {
	w.t.Helper()
	w.slack.Say("U1", rooms["slack"].ID, "it is the pool")
	w.discord.Say(beaInDiscord, rooms["discord"].ID, "or the cache")
	count := func(words string) (slack, discord, console int) {
		for _, m := range w.slack.Rooms()[0].Messages {
			slack += strings.Count(m.Text, words)
		}
		for _, m := range w.discord.Messages(rooms["discord"].ID) {
			raw, _ := json.Marshal([]any{m.Content, m.Embeds})
			discord += strings.Count(string(raw), words)
		}
		return slack, discord, strings.Count(w.send("GET", "/api/v1/incidents/1/messages", nil), words)
	}
	for _, words := range []string{"it is the pool", "or the cache"} {
		w.await(words, func() bool { s, d, c := count(words); return s > 0 && d > 0 && c > 0 })
	}
	w.send("POST", "/api/v1/incidents/1/messages", map[string]string{"text": "the end"})
	w.await("the last words", func() bool { s, d, _ := count("the end"); return s > 0 && d > 0 })
	for _, words := range []string{"it is the pool", "or the cache", "the end"} {
		if s, d, c := count(words); s != 1 || d != 1 || c != 1 {
			w.t.Errorf("%q stands %d times in Slack, %d in Discord, %d in the console", words, s, d, c)
		}
	}
}
