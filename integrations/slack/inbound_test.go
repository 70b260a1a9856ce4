package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

type object = map[string]any

func form(c map[string]string) string {
	v := url.Values{}
	for k, s := range c {
		v.Set(k, s)
	}
	return v.Encode()
}

func slash(user string) map[string]string {
	return map[string]string{"command": "/inc", "text": "ack", "team_id": fake.Team, "api_app_id": fake.App, "channel_id": "C1", "user_id": user, "trigger_id": "t1"}
}

const formType = "application/x-www-form-urlencoded"

func TestOnlySignedFreshBytesOfOurWorkspaceCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	good := form(slash("U1"))
	other := slash("U1")
	other["team_id"] = "T0OTHER"
	app := slash("U1")
	app["api_app_id"] = "A0OTHER"
	for name, tc := range map[string]struct {
		body   string
		header http.Header
		status int
	}{
		"unsigned":            {good, http.Header{"X-Slack-Signature": {""}}, 401},
		"another secret":      {good, fake.Sign("another-secret-for-tests", good, now), 401},
		"an empty secret":     {good, fake.Sign("", good, now), 401},
		"another body":        {good, fake.Sign(fake.Secret, good+"&x=1", now), 401},
		"six minutes old":     {good, fake.Sign(fake.Secret, good, now.Add(-6*time.Minute)), 401},
		"six minutes ahead":   {good, fake.Sign(fake.Secret, good, now.Add(6*time.Minute)), 401},
		"too large":           {strings.Repeat("x", maxRequest+1), nil, 413},
		"another workspace's": {form(other), nil, 200},
		"another app's":       {form(app), nil, 200},
	} {
		if got := w.fake.Post(CommandsPath, formType, tc.body, tc.header); got.Status != tc.status {
			t.Errorf("%s: %d %s, want %d", name, got.Status, got.Body, tc.status)
		}
	}
	if got := w.fake.Post(CommandsPath+"?payload=x&text=resolve&user_id=U2", formType, good, nil); got.Status != 200 {
		t.Errorf("with a query: %+v", got)
	}
	if got := w.fake.Post(CommandsPath, "text/plain", good+"&x=2", nil); got.Status != http.StatusUnsupportedMediaType {
		t.Errorf("as text: %+v", got)
	}
	if did := w.desk.requests(); len(did) != 1 || did[0].Line != "ack" || did[0].Person.ID != "slack:"+fake.Team+"/U1" {
		t.Errorf("done: %+v", did)
	}
}

func TestASecretThatIsBeingChangedStillCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config, _ *fake.Options) {
		c.SigningSecrets = append(c.SigningSecrets, "the-next-signing-secret")
	})
	for i, secret := range []string{fake.Secret, "the-next-signing-secret"} {
		c := slash("U1")
		c["trigger_id"] = strconv.Itoa(i)
		if got := w.fake.Post(CommandsPath, formType, form(c), fake.Sign(secret, form(c), time.Now())); got.Status != 200 {
			t.Errorf("%s: %+v", secret, got)
		}
	}
	if n := len(w.desk.requests()); n != 2 {
		t.Errorf("%d done", n)
	}
}

// The same event a hundred times, over two replicas at once: one effect.
func TestAHundredDeliveriesAreOneEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	second := w.replica(w.config)
	d, err := json.Marshal(object{"type": "event_callback", "team_id": fake.Team, "api_app_id": fake.App, "event_id": "Ev1",
		"event": object{"type": "app_mention", "user": "U1", "channel": r.ID, "text": "<@" + fake.BotUser + "> ack", "ts": "1.2"}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 100 {
		c := w.Chat
		if i%2 == 1 {
			c = second
		}
		all.Go(func() {
			for { // busy means: again, as Slack does
				if _, err := c.within(t.Context(), happening{kindEvent, d, i % 4}); err == nil {
					return
				}
			}
		})
	}
	all.Wait()
	if did := w.desk.requests(); len(did) != 1 || did[0].Once != "slack/Ev1" || did[0].Incident != 7 || did[0].Line != "ack" {
		t.Errorf("%+v", did)
	}
}

func TestTheSameSignedPressTwiceIsOnePress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	payload, err := json.Marshal(w.fake.PressPayload("U1", r.ID, "1.2", "h1.7.ack.."))
	if err != nil {
		t.Fatal(err)
	}
	body := url.Values{"payload": {string(payload)}}.Encode()
	header := fake.Sign(fake.Secret, body, time.Now())
	for range 3 {
		if got := w.fake.Post(InteractionsPath, formType, body, header.Clone()); got.Status != 200 {
			t.Errorf("%+v", got)
		}
	}
	if did := w.desk.requests(); len(did) != 1 || did[0].Incident != 7 || w.desk.presses[0] != "h1.7.ack.." {
		t.Errorf("%+v", did)
	}
}

func TestAPressElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	p := w.fake.PressPayload("U1", r.ID, "1.2", "h1.7.ack..")
	p["container"] = object{"type": "message", "message_ts": "1.2", "channel_id": "C0OTHER"}
	w.fake.Interact(p)
	eventually(t, "the refusal", func() bool { return len(w.fake.Ephemerals()) == 1 })
	if n := len(w.desk.requests()); n != 0 {
		t.Errorf("%d done", n)
	}
}

func TestStrangersAreRefusedInWords(t *testing.T) {
	t.Parallel()
	for name, u := range map[string]fake.User{
		"guest": {ID: "U9", Name: "bea", Guest: true}, "bot": {ID: "U9", Bot: true}, "outsider": {ID: "U9", Team: "T0OTHER"},
		"stranger": {ID: "U9", Stranger: true}, "deactivated": {ID: "U9", Deleted: true}, "unknown": {ID: "U8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fake.Add(u)
			r := w.room(incident(7, "x"))
			w.fake.Command("U9", r.ID, "ack")
			w.fake.Press("U9", r.ID, "1.2", "h1.7.ack..")
			w.fake.Event("Ev1", object{"type": "app_mention", "user": "U9", "channel": r.ID, "text": "<@" + fake.BotUser + "> ack", "ts": "1.2"}, 0)
			eventually(t, "three refusals", func() bool { return len(w.fake.Ephemerals()) == 3 })
			for _, e := range w.fake.Ephemerals() {
				if e.User != "U9" || len(e.Text) < 20 {
					t.Errorf("%+v", e)
				}
			}
			w.fake.Say("U9", r.ID, "hello")
			w.fake.Event("Ev2", object{"type": "reaction_added", "user": "U9", "reaction": "eyes", "item": object{"type": "message", "channel": r.ID, "ts": "1.2"}}, 0)
			if n, m := len(w.desk.requests()), len(w.talk.all()); n != 0 || m != 0 {
				t.Errorf("%d done, %d heard", n, m)
			}
		})
	}
}

// What bots say, ourselves first, is nobody's wish.
func TestBotsAreNotListenedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	text := "<@" + fake.BotUser + "> resolve"
	for i, e := range []object{
		{"type": "app_mention", "user": fake.BotUser, "channel": r.ID, "text": text, "ts": "1.1"},
		{"type": "app_mention", "user": "U1", "bot_id": "B9", "channel": r.ID, "text": text, "ts": "1.2"},
		{"type": "message", "subtype": "bot_message", "bot_id": "B9", "channel": r.ID, "text": text, "ts": "1.3"},
		{"type": "message", "user": fake.BotUser, "channel": r.ID, "text": "hello", "ts": "1.4"},
		{"type": "message", "subtype": "message_changed", "channel": r.ID, "message": object{"user": fake.BotUser, "bot_id": "B0BOT", "text": "card", "ts": "1.5"}},
		{"type": "message", "subtype": "channel_topic", "user": "U1", "channel": r.ID, "text": "topic", "ts": "1.6"},
		{"type": "message", "user": "U1", "channel": "C0NOROOM", "text": "elsewhere", "ts": "1.7"},
	} {
		if got := w.fake.Event("Ev"+strconv.Itoa(i), e, 0); got.Status != 200 {
			t.Errorf("%v: %+v", e, got)
		}
	}
	if n, m := len(w.desk.requests()), len(w.talk.all()); n != 0 || m != 0 {
		t.Errorf("%d done, %d heard: %+v", n, m, w.talk.all())
	}
}

func TestWhatPeopleSayIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	ts, _ := w.fake.Say("U2", r.ID, "決済 &lt;slow&gt; <https://x.example.com|graph>")
	w.fake.Event("Ev2", object{"type": "message", "subtype": "message_changed", "channel": r.ID, "ts": "9.9",
		"message": object{"user": "U2", "text": "better", "ts": ts}, "previous_message": object{"user": "U2", "text": "worse", "ts": ts}}, 0)
	w.fake.Event("Ev3", object{"type": "message", "subtype": "message_deleted", "channel": r.ID, "ts": "9.9", "deleted_ts": ts,
		"previous_message": object{"user": "U2", "text": "better", "ts": ts}}, 0)
	w.fake.Event("Ev4", object{"type": "reaction_added", "user": "U1", "reaction": "pushpin", "item": object{"type": "message", "channel": r.ID, "ts": ts}}, 0)
	got := w.talk.all()
	if len(got) != 3 || got[0].Text != "決済 <slow> graph" || got[0].By.Name != "千代" || got[0].At.IsZero() || !got[1].Edited || got[1].Text != "better" || !got[2].Deleted || got[2].MessageID != ts {
		t.Fatalf("%+v", got)
	}
	if len(w.desk.reacts) != 1 || w.desk.reacts[0].Said == nil || w.desk.reacts[0].Said.MessageID != ts || w.desk.reacts[0].Said.By.ID != "slack:"+fake.Team+"/U2" || !w.desk.reacts[0].Said.At.Equal(got[0].At) {
		t.Errorf("%+v", w.desk.reacts)
	}
}

// Whoever wrote it may be gone by the time it is deleted, and where a message has
// answers, Slack puts a tombstone in its place.
func TestADeletionIsAlwaysFollowed(t *testing.T) {
	t.Parallel()
	for what, gone := range map[string]func(w *world, room, ts string) object{
		"its author is deactivated": func(w *world, room, ts string) object {
			w.fake.Add(fake.User{ID: "U2", Name: "千代", Deleted: true})
			return object{"type": "message", "subtype": "message_deleted", "channel": room, "ts": "9.9", "deleted_ts": ts, "previous_message": object{"user": "U2", "text": "hunter2", "ts": ts}}
		},
		"slack does not say what it was": func(_ *world, room, ts string) object {
			return object{"type": "message", "subtype": "message_deleted", "channel": room, "ts": "9.9", "deleted_ts": ts}
		},
		"it has answers": func(_ *world, room, ts string) object {
			return object{"type": "message", "subtype": "message_changed", "channel": room, "ts": "9.9",
				"message":          object{"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.", "ts": ts},
				"previous_message": object{"user": "U2", "text": "hunter2", "ts": ts}}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.room(incident(7, "x"))
			ts, _ := w.fake.Say("U2", r.ID, "hunter2")
			event := gone(w, r.ID, ts)
			w.people.mu.Lock()
			clear(w.people.known) // five minutes later
			w.people.mu.Unlock()
			if got := w.fake.Event("Ev2", event, 0); got.Status != 200 {
				t.Errorf("%+v", got)
			}
			if all := w.talk.all(); len(all) != 2 || !w.talk.heard.Said[all[0].Key()].Deleted {
				t.Errorf("%+v", all)
			}
		})
	}
}

func TestReactionsOnOurMessagesReachTheirKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := incident(7, "x")
	r := w.room(s)
	posted, err := w.Post(t.Context(), r, "card", card("one"), incidents.Posted{})
	if err != nil {
		t.Fatal(err)
	}
	r.Posted = map[string]incidents.Posted{"card": posted}
	s.Rooms[Name] = r
	w.book.put(s)
	on := object{"type": "message", "channel": r.ID, "ts": posted.ID}
	w.fake.Event("Ev1", object{"type": "reaction_added", "user": "U1", "reaction": "eyes", "item": on}, 0)
	w.fake.Event("Ev2", object{"type": "reaction_removed", "user": "U1", "reaction": "+1::skin-tone-2", "item": on}, 0)
	if got := w.desk.reacts; len(got) != 2 || got[0] != (bot.Reaction{Key: "card", Emoji: "eyes"}) || got[1] != (bot.Reaction{Key: "card", Emoji: "+1::skin-tone-2", Taken: true}) {
		t.Errorf("%+v", got)
	}
}

// While the store is away an event is not acknowledged, so that Slack brings it
// again; the last time the person is told.
func TestAnEventThatFailedComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	w.desk.err = incidents.Fail(incidents.Unavailable, "error.too_slow", "away")
	e := object{"type": "app_mention", "user": "U1", "channel": r.ID, "text": "<@" + fake.BotUser + "> ack", "ts": "1.2"}
	for retry := range lastRetry {
		if got := w.fake.Event("Ev1", e, retry); got.Status != http.StatusServiceUnavailable {
			t.Errorf("delivery %d: %+v", retry, got)
		}
	}
	if n := len(w.fake.Ephemerals()); n != 0 {
		t.Errorf("%d answers before the last time", n)
	}
	if got := w.fake.Event("Ev1", e, lastRetry); got.Status != 200 {
		t.Errorf("the last delivery: %+v", got)
	}
	eventually(t, "the refusal", func() bool { return len(w.fake.Ephemerals()) == 1 })
}

// A slow store never makes Slack show an error for a press, and never makes an
// event look done that is not.
func TestTheAcknowledgementDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	if _, err := w.who(t.Context(), "U1"); err != nil {
		t.Fatal(err)
	}
	w.desk.slow, w.patience = make(chan struct{}), 50*time.Millisecond
	var all sync.WaitGroup
	all.Go(func() {
		if got := w.fake.Press("U1", r.ID, "1.2", "h1.7.ack.."); got.Status != 200 {
			t.Errorf("a press: %+v", got)
		}
	})
	all.Go(func() {
		e := object{"type": "app_mention", "user": "U1", "channel": r.ID, "text": "<@" + fake.BotUser + "> ack", "ts": "1.2"}
		if got := w.fake.Event("Ev1", e, 0); got.Status != http.StatusServiceUnavailable {
			t.Errorf("an event: %+v", got)
		}
	})
	all.Wait()
	close(w.desk.slow)
	eventually(t, "both", func() bool { return len(w.desk.requests()) == 2 })
}

func TestModalsGoTheWayOfTypedLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := incident(7, "x")
	s.Suggestions = []incidents.Suggestion{{Action: "restart-web", Title: incidents.Text{EN: "Restart"}}}
	r := w.room(s)
	for i, tc := range []struct {
		line   string
		values map[string]string
		want   string
	}{
		{"declare", map[string]string{fieldTitle: "checkout is\nslow", fieldSeverity: "SEV2"}, "declare SEV2 checkout is slow"},
		{"note", map[string]string{fieldText: "two\nlines"}, "note two\nlines"},
		{"run", map[string]string{fieldAction: "restart-web", fieldValues: "host=web 1\n\nwhy=load"}, `run restart-web "host=web 1" "why=load"`},
	} {
		w.fake.Command("U1", r.ID, tc.line)
		views := w.fake.Views()
		if len(views) != i+1 {
			t.Fatalf("%s: %d modals", tc.line, len(views))
		}
		if got := w.fake.Submit("U1", views[i], tc.values); got.Status != 200 || strings.TrimSpace(got.Body) != "" {
			t.Errorf("%s: %+v", tc.line, got)
		}
		did := w.desk.requests()
		if len(did) != i+1 || did[i].Line != tc.want || did[i].Incident != 7 {
			t.Fatalf("%s: %+v", tc.line, did)
		}
	}
	if got := w.fake.Submit("U1", w.fake.Views()[2], map[string]string{fieldAction: "restart-web", fieldValues: `why="x" "plan:1"`}); !strings.Contains(got.Body, `"errors"`) {
		t.Errorf("quotation marks: %+v", got)
	}
	w.desk.err = incidents.Fail(incidents.Invalid, "error.title", "a title is needed")
	if got := w.fake.Submit("U1", w.fake.Views()[0], nil); !strings.Contains(got.Body, "a title is needed") {
		t.Errorf("a refusal: %+v", got)
	}
}

func TestHomeShowsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := incident(7, "checkout <b>")
	s.Responders = []incidents.Mark{{By: incidents.Actor{ID: "slack:" + fake.Team + "/U2"}}}
	w.room(s)
	w.fake.Event("Ev1", object{"type": "app_home_opened", "user": "U2", "tab": "home"}, 0)
	eventually(t, "the Home tab", func() bool { return w.fake.Home("U2") != "" })
	if home := w.fake.Home("U2"); !strings.Contains(home, "自分のインシデント") || !strings.Contains(home, "INC-7") {
		t.Errorf("%s", home)
	}
}

func TestAnswersAreForTheAskerInTheirLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	w.fake.Command("U2", r.ID, "status")
	eventually(t, "the answer", func() bool { return len(w.fake.Ephemerals()) == 1 })
	if e := w.fake.Ephemerals()[0]; e.User != "U2" || !strings.Contains(e.Blocks, "did: status") {
		t.Errorf("%+v", e)
	}
	if did := w.desk.requests(); did[0].Lang != "ja" || did[0].Incident != 7 {
		t.Errorf("%+v", did)
	}
}

func TestAnswersGoToSlackOnly(t *testing.T) {
	t.Parallel()
	c := &Chat{}
	for to, want := range map[string]bool{
		"https://hooks.slack.com/commands/1/2": true, "https://hooks.slack-gov.com/x": true, "http://hooks.slack.com/x": false,
		"https://hooks.slack.com.evil.example.com/": false, "https://evil.example.com/?hooks.slack.com": false, "http://127.0.0.1/": false, "": false,
	} {
		if c.respondable(to) != want {
			t.Errorf("%s: %v", to, !want)
		}
	}
}
