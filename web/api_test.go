package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

type answered struct {
	Incident *incidentView `json:"incident"`
	Message  *bot.Message  `json:"message"`
}

func TestTheAPIPlaysAWholeIncident(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	do := func(who, path, body string) answered {
		t.Helper()
		return into[answered](t, ask(s, http.MethodPost, path, body, named(who)))
	}
	got := into[answered](t, ask(s, http.MethodGet, "/api/v1/incidents/INC-1", ""))
	if got.Incident.Status != incidents.Investigating || got.Incident.Name != "INC-1" || len(got.Incident.Approvals) != 1 || len(got.Incident.Suggestions) != 3 {
		t.Fatalf("%+v", got.Incident)
	}
	got = do("aiko", "/api/v1/incidents/1/commands", `{"command":"/inc ack"}`)
	if len(got.Incident.Acks) != 2 || got.Incident.Acks[1].By.ID != "console:aiko" {
		t.Errorf("ack: %+v", got.Incident.Acks)
	}
	got = do("aiko", "/api/v1/incidents/1/commands", `{"command":"status"}`)
	if got.Message == nil || got.Message.Kind != bot.KindReply {
		t.Errorf("status: %+v", got.Message)
	}
	// The button is the one that the room shows.
	type listing struct {
		Messages []struct {
			Rev     int64       `json:"rev"`
			Message bot.Message `json:"message"`
		} `json:"messages"`
		After int64 `json:"after"`
	}
	room := into[listing](t, ask(s, http.MethodGet, "/api/v1/incidents/1/messages", ""))
	var approve string
	for _, m := range room.Messages {
		if m.Message.Kind == bot.KindApproval {
			approve = m.Message.Buttons[0].ID
		}
	}
	got = do("kenji", "/api/v1/incidents/1/buttons", `{"id":"`+approve+`"}`)
	if len(got.Incident.Runs) != 1 || got.Incident.Approvals[0].Decided.By.ID != "console:kenji" || got.Incident.Status != incidents.Remediating {
		t.Errorf("approve: %+v", got.Incident)
	}
	// The same button is of no use in another room.
	into[answered](t, ask(s, http.MethodPost, "/api/v1/commands", `{"command":"declare another one"}`))
	fails(t, ask(s, http.MethodPost, "/api/v1/incidents/2/buttons", `{"id":"`+approve+`"}`), http.StatusForbidden, incidents.Forbidden)
	more := into[listing](t, ask(s, http.MethodGet, fmt.Sprintf("/api/v1/incidents/1/messages?after=%d&lang=ja", room.After), ""))
	if len(more.Messages) == 0 || more.After <= room.After {
		t.Errorf("nothing new after the approval: %+v", more)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	for i := range 24 {
		id := incidents.ID(i + 2)
		w.must(t, id, incidents.Declare{ID: id, Title: fmt.Sprintf("number %d", id), By: bea})
		if i%2 == 0 {
			w.must(t, id, incidents.Resolve{By: bea})
		}
	}
	seen := map[incidents.ID]bool{}
	next := incidents.ID(0)
	for pages := 0; pages < 9; pages++ {
		page := into[incidents.Page](t, ask(s, http.MethodGet, fmt.Sprintf("/api/v1/incidents?limit=10&before=%d", next), ""))
		for _, sum := range page.Incidents {
			if seen[sum.ID] {
				t.Errorf("%s comes twice", sum.ID)
			}
			seen[sum.ID] = true
		}
		if next = page.Next; next == 0 {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d incidents in all pages", len(seen))
	}
	open := into[incidents.Page](t, ask(s, http.MethodGet, "/api/v1/incidents?open=true&limit=200", ""))
	if len(open.Incidents) != 13 || open.Open != 13 {
		t.Errorf("%d open, it says %d", len(open.Incidents), open.Open)
	}
	checkout := into[incidents.Page](t, ask(s, http.MethodGet, "/api/v1/incidents?service=checkout", ""))
	if len(checkout.Incidents) != 1 {
		t.Errorf("%d of checkout", len(checkout.Incidents))
	}
	page := ask(s, http.MethodGet, "/?show=all", "").Body.String()
	if n := strings.Count(page, "data-row"); n != 25 {
		t.Errorf("the page has %d rows", n)
	}
	overview := ask(s, http.MethodGet, "/", "").Body.String()
	if strings.Index(overview, "number 2<") < strings.Index(overview, "CheckoutErrors") {
		t.Error("a resolved one stands above an open one")
	}
}

func TestTimelineAndPostmortem(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w := newWorld(t, c.now)
	id := solved(t, w, c)
	s, err := New(w.options())
	if err != nil {
		t.Fatal(err)
	}
	type timeline struct {
		Lines []lineView `json:"lines"`
		Next  int64      `json:"next"`
	}
	all := into[timeline](t, ask(s, http.MethodGet, "/api/v1/incidents/1/timeline", ""))
	japanese := into[timeline](t, ask(s, http.MethodGet, "/api/v1/incidents/1/timeline", "", header("Accept-Language", "ja, en;q=0.5")))
	if len(all.Lines) < 10 || len(japanese.Lines) != len(all.Lines) || all.Lines[0].Text == japanese.Lines[0].Text {
		t.Errorf("%d and %d lines", len(all.Lines), len(japanese.Lines))
	}
	for i, l := range all.Lines {
		if l.Text == "" || strings.Contains(l.Text, "timeline.") || strings.Contains(l.Text, "{") {
			t.Errorf("line %d reads %q", i, l.Text)
		}
	}
	var events int64
	for after := int64(0); ; {
		part := into[timeline](t, ask(s, http.MethodGet, fmt.Sprintf("/api/v1/incidents/1/timeline?limit=5&after=%d", after), ""))
		if events++; part.Next == 0 {
			break
		}
		if part.Next <= after {
			t.Fatal("paging does not advance")
		}
		after = part.Next
	}
	if events < 4 {
		t.Errorf("only %d pages of 5 events", events)
	}
	md := ask(s, http.MethodGet, "/api/v1/incidents/1/postmortem?lang=ja&download=1", "")
	if md.Header().Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.Contains(md.Header().Get("Content-Disposition"), "inc-0001") || !strings.HasPrefix(md.Body.String(), "# ") {
		t.Errorf("%v %.80s", md.Header(), md.Body)
	}
	for _, page := range []string{"timeline", "postmortem"} {
		if got := ask(s, http.MethodGet, "/incidents/"+id.String()+"/"+page, ""); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "健二") {
			t.Errorf("%s: %d", page, got.Code)
		}
	}
}

func TestAnIdempotencyKeyWorksOncePerPerson(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	say := func(who, key string) int {
		return ask(s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"note hi"}`, named(who), header("Idempotency-Key", key)).Code
	}
	if a, b, c := say("aiko", "k1"), say("aiko", "k1"), say("kenji", "k1"); a != http.StatusOK || b != http.StatusConflict || c != http.StatusOK {
		t.Errorf("once: %d, again: %d, somebody else: %d", a, b, c)
	}
	room := roomOf(w.state(1))
	before := len(w.said(t, room))
	for range 3 {
		if got := ask(s, http.MethodPost, "/api/v1/incidents/1/messages", `{"text":"hello"}`, header("Idempotency-Key", "k2")); got.Code != http.StatusOK {
			t.Fatal(got.Code)
		}
	}
	if n := len(w.said(t, room)) - before; n != 1 {
		t.Errorf("said %d times", n)
	}
}

// What two readers could read differently is refused.
func TestControlMessagesAreStrict(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	for _, body := range []string{
		``, `null`, `[]`, `"ack"`, `{`, `{"command"}`, `{"command":"ack"`, `{"command":"ack"} x`, `{"command":"ack"}{"command":"ack"}`,
		`{"command":"ack","command":"resolve"}`, `{"Command":"ack"}`, `{"command":"ack","COMMAND":"resolve"}`, `{"command":"ack","x":"y"}`,
		`{"command":1}`, `{"command":null}`, `{"command":["ack"]}`, `{"command":{"command":"ack"}}`, `{"command":"a\u0000ck"}`, "{\"command\":\"a\x00ck\"}",
		"{\"command\":\"\xff\"}", `{"command":""}`, `{}`, strings.Repeat("[", 20000), `{"command":` + strings.Repeat("[", 20000),
		`{"command":"` + strings.Repeat("a", maxSaid+1) + `"}`,
	} {
		got := ask(s, http.MethodPost, "/api/v1/incidents/1/commands", body)
		if got.Code != http.StatusBadRequest {
			t.Errorf("%.60q: %d", body, got.Code)
		}
		fails(t, got, http.StatusBadRequest, incidents.Invalid)
	}
	if len(w.pressed) > 0 {
		t.Errorf("something was done: %+v", w.pressed)
	}
}

func FuzzReadControl(f *testing.F) {
	f.Add(`{"command":"ack"}`)
	f.Add(`{"command":"\ud800"}`)
	f.Add(`{"command":"ack","command":"x"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		r, _ := http.NewRequest(http.MethodPost, "/", strings.NewReader(raw))
		fields, err := readControl(r, "command")
		if err != nil {
			if incidents.CodeOf(err) != incidents.Invalid {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		var lax map[string]string
		if err := json.Unmarshal([]byte(raw), &lax); err != nil || lax["command"] != fields["command"] || len(lax) != len(fields) {
			t.Fatalf("%q: we read %q, others %q (%v)", raw, fields, lax, err)
		}
	})
}

func TestBounds(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	body := func(n int) string { return `{"command":"` + strings.Repeat(" ", n-len(`{"command":""}`)) + `"}` }
	fails(t, ask(s, http.MethodPost, "/api/v1/incidents/1/commands", body(maxBody)), http.StatusBadRequest, incidents.Invalid)
	fails(t, ask(s, http.MethodPost, "/api/v1/incidents/1/commands", body(maxBody+1)), http.StatusRequestEntityTooLarge, incidents.TooLarge)
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	fails(t, ask(s, http.MethodPost, "/api/v1/incidents/1/commands", body(maxBody+1), chunked), http.StatusRequestEntityTooLarge, incidents.TooLarge)
	form := "text=" + strings.Repeat("a", maxBody)
	for _, change := range []func(*http.Request){func(*http.Request) {}, chunked} {
		if got := ask(s, http.MethodPost, "/incidents/1/say", form, change); got.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("a large form: %d", got.Code)
		}
	}
	for text, want := range map[int]int{maxSaid: http.StatusOK, maxSaid + 1: http.StatusRequestEntityTooLarge} {
		if got := ask(s, http.MethodPost, "/api/v1/incidents/1/messages", `{"text":"`+strings.Repeat("a", text)+`"}`); got.Code != want {
			t.Errorf("saying %d bytes: %d", text, got.Code)
		}
	}
	for _, path := range []string{
		"/api/v1/incidents?limit=0", "/api/v1/incidents?limit=201", "/api/v1/incidents?limit=x", "/api/v1/incidents?before=-1", "/api/v1/incidents?open=maybe",
		"/api/v1/incidents?before=99999999999999999999", "/api/v1/incidents?show=some", "/api/v1/incidents/1/messages?after=-1", "/api/v1/incidents?service=%ff",
		"/api/v1/incidents/1/timeline?limit=100000", "/api/v1/dead-letters?limit=x",
	} {
		fails(t, ask(s, http.MethodGet, path, ""), http.StatusBadRequest, incidents.Invalid)
	}
	for _, id := range []string{"0", "-1", "x", "99", "INC-", "1e3", "%00", "9223372036854775808"} {
		fails(t, ask(s, http.MethodGet, "/api/v1/incidents/"+id, ""), http.StatusNotFound, incidents.NotFound)
		fails(t, ask(s, http.MethodPost, "/api/v1/incidents/"+id+"/commands", `{"command":"ack"}`), http.StatusNotFound, incidents.NotFound)
	}
	for range maxBusy {
		s.busy <- struct{}{}
	}
	got := ask(s, http.MethodGet, "/api/v1/incidents", "")
	fails(t, got, http.StatusServiceUnavailable, incidents.Overloaded)
	if got.Header().Get("Retry-After") == "" {
		t.Error("does not say when to try again")
	}
	_ = w
}

// The follow-ups of an incident are told, with who wrote them down and whether they are done.
func TestTheFollowUpsAreTold(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	w.must(t, 1, incidents.AddTodo{By: incidents.Actor{ID: "console:bea", Name: "bea"}, Text: "raise the limit"})
	w.must(t, 1, incidents.EndTodo{By: incidents.Actor{ID: "console:cho", Name: "cho"}, N: 1})
	got := ask(s, http.MethodGet, "/api/v1/incidents/1", "").Body.String()
	if !regexp.MustCompile(`"todos":\[{"n":1,"text":"raise the limit","added":{"at":"[^"]+","by":{"id":"console:bea","name":"bea"}},"done":{"at":"[^"]+","by":{"id":"console:cho",`).MatchString(got) {
		t.Error(got)
	}
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	want := map[incidents.Code]int{
		incidents.Invalid: 400, incidents.Unauthenticated: 401, incidents.Forbidden: 403, incidents.NotFound: 404, incidents.Conflict: 409,
		incidents.TooLarge: 413, incidents.Overloaded: 503, incidents.Unavailable: 503, incidents.Internal: 500,
	}
	for code, status := range want {
		w, s := handler(t, nil)
		w.fail = incidents.Fail(code, "no.such.phrase", "what it is", "a", "b").WithHint("do this")
		got := ask(s, http.MethodGet, "/api/v1/incidents/1", "")
		fails(t, got, status, code)
		if (got.Header().Get("Retry-After") != "") != (status == 503) || !strings.Contains(got.Body.String(), "do this") {
			t.Errorf("%s: %v %s", code, got.Header(), got.Body)
		}
	}
	if len(statusOf) != len(want) {
		t.Errorf("%d codes have a status, %d are known", len(statusOf), len(want))
	}
}

// What has no code stays inside: a stranger learns nothing from it.
// An error is told in the language that was asked for, in either way.
func TestErrorsInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	japanese := func(r *http.Request) { r.Header.Set("Accept-Language", "ja,en;q=0.5") }
	for _, c := range []struct {
		method, path, body, want string
		change                   func(*http.Request)
	}{
		{http.MethodGet, "/api/v1/incidents/999", "", "there is no such incident", func(*http.Request) {}},
		{http.MethodGet, "/api/v1/incidents/999?lang=ja", "", "インシデント", func(*http.Request) {}},
		{http.MethodPost, "/api/v1/commands", `{"command":"ackk"}`, "コマンド", japanese},
		{http.MethodPost, "/api/v1/commands", `{"nonsense":1}`, "この入力は使えません", japanese},
	} {
		got := ask(s, c.method, c.path, c.body, c.change)
		if got.Code < 400 || !strings.Contains(got.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.Code, got.Body)
		}
	}
}

func TestInternalErrorsAreNotTold(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w, s := handler(t, func(o *Options) { o.Log = textLog(&log) })
	w.fail = errAway
	for _, path := range []string{"/", "/incidents/1", "/api/v1/incidents", "/api/v1/incidents/1/timeline"} {
		got := ask(s, http.MethodGet, path, "")
		if got.Code != http.StatusInternalServerError || strings.Contains(got.Body.String(), "away") || !strings.Contains(got.Body.String(), got.Header().Get("X-Request-Id")) {
			t.Errorf("%s: %d %.300s", path, got.Code, got.Body)
		}
		if !strings.Contains(log.String(), got.Header().Get("X-Request-Id")) || !strings.Contains(log.String(), "the store is away") {
			t.Errorf("%s: the log does not have it", path)
		}
	}
}

// A panic in one request is one failed request.
func TestAPanicIsOneFailedRequest(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w, s := handler(t, func(o *Options) {
		o.Log = textLog(&log)
		o.Postmortem = func(string, *incidents.Incident, []incidents.Event) string { panic("oh \x1b[31m no") }
	})
	fails(t, ask(s, http.MethodGet, "/api/v1/incidents/1/postmortem", ""), http.StatusInternalServerError, incidents.Internal)
	if got := ask(s, http.MethodGet, "/incidents/1/postmortem", ""); got.Code != http.StatusInternalServerError {
		t.Error(got.Code)
	}
	if got := ask(s, http.MethodGet, "/api/v1/incidents/1", ""); got.Code != http.StatusOK {
		t.Errorf("afterwards: %d", got.Code)
	}
	if !strings.Contains(log.String(), "oh") || len(s.busy) != 0 {
		t.Errorf("%d still counted as busy; log %s", len(s.busy), log.String())
	}
	_ = w
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	type readiness struct {
		Ready bool     `json:"ready"`
		Said  []string `json:"said"`
		Notes []string `json:"notes"`
	}
	w.notes = []incidents.Reason{incidents.Because("ready.fold_elsewhere", "within", "6s")}
	if got := into[readiness](t, ask(s, http.MethodGet, "/readyz", "")); !got.Ready || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "within 6 s") {
		t.Errorf("is not ready, or does not say for whom it waits: %+v", got)
	}
	w.alarms = []incidents.Reason{incidents.Because("because.clock_off_behind", "by", "2m0s")}
	if got := into[readiness](t, ask(s, http.MethodGet, "/readyz", "")); !got.Ready || len(got.Notes) != 2 {
		t.Errorf("an alarm keeps traffic away, or is not said: %+v", got)
	}
	told := &trouble{ready: s.Ready}
	if said := told.say(t.Context(), "en", time.Now()); !strings.Contains(said, "clock") {
		t.Errorf("pages keep the alarm to themselves: %q", said)
	}
	w.reasons = []incidents.Reason{incidents.Because("because.quiet", "for", "5m0s")}
	got := ask(s, http.MethodGet, "/readyz", "")
	if got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "5 min") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask(s, http.MethodGet, "/healthz", ""); got.Code != http.StatusOK {
		t.Error("the process is said to be ill because it is not ready")
	}
}

func TestDeadLettersAreSeenAndSentAgain(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	w.dead = []incidents.DeadLetter{{Effect: incidents.Effect{Key: "1/room/slack", Incident: 1}, Reason: "<b>gone</b>", Attempt: 12}}
	page := ask(s, http.MethodGet, "/dead-letters", "").Body.String()
	if !strings.Contains(page, "1/room/slack") || !strings.Contains(page, "&lt;b&gt;gone") {
		t.Error("the page does not show it")
	}
	if got := ask(s, http.MethodGet, "/api/v1/dead-letters", ""); !strings.Contains(got.Body.String(), `"1/room/slack"`) {
		t.Error(got.Body)
	}
	fails(t, ask(s, http.MethodPost, "/api/v1/dead-letters/redrive", `{"key":"nope"}`), http.StatusNotFound, incidents.NotFound)
	fails(t, ask(s, http.MethodPost, "/api/v1/dead-letters/redrive", `{}`), http.StatusBadRequest, incidents.Invalid)
	if got := ask(s, http.MethodPost, "/dead-letters/redrive", "key=1%2Froom%2Fslack"); got.Code != http.StatusSeeOther || len(w.redriven) != 1 {
		t.Errorf("%d %v", got.Code, w.redriven)
	}
	if page := ask(s, http.MethodGet, "/dead-letters", "").Body.String(); strings.Contains(page, "1/room/slack") {
		t.Error("it is still there")
	}
}
