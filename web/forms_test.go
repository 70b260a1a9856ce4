package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

func posted(t *testing.T, s *Server, path, form string, change ...func(*http.Request)) string {
	t.Helper()
	got := ask(s, http.MethodPost, path, form, change...)
	if got.Code != http.StatusSeeOther {
		t.Fatalf("POST %s: %d %s", path, got.Code, got.Body)
	}
	return got.Header().Get("Location")
}

var buttonOf = regexp.MustCompile(`<button name="button" value="([^"]+)" class="(\w*)"`)

// Without a script every page can be read and every form works: post, then
// back to where it came from.
func TestThePagesWorkWithoutAScript(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	if to := posted(t, s, "/incidents/1/say", "text=hello+there&once=a"); to != "/incidents/INC-1#composer" {
		t.Error(to)
	}
	posted(t, s, "/incidents/1/say", "text=hello+there&once=a") // sent twice
	page := ask(s, http.MethodGet, "/incidents/1", "").Body.String()
	if strings.Count(page, "hello there") != 1 {
		t.Errorf("it stands there %d times", strings.Count(page, "hello there"))
	}
	posted(t, s, "/incidents/1/say", "text=%2Finc+note+from+a+form")
	if w.pressed[0].Line != "note from a form" || w.pressed[0].Origin != bot.Typed || w.pressed[0].Chat != chat || w.pressed[0].Incident != 1 {
		t.Errorf("%+v", w.pressed[0])
	}
	// Approve is the button of the request, as the page has it.
	at := strings.Index(page, "m-approval")
	approve := buttonOf.FindStringSubmatch(page[at:])
	if approve == nil || approve[2] != "primary" {
		t.Fatalf("no button to approve with: %v", approve)
	}
	posted(t, s, "/incidents/1/press", "button="+queryEscape(approve[1]), named("kenji"))
	if state := w.state(1); len(state.Runs) != 1 || state.Approvals[0].Decided.By.ID != "console:kenji" {
		t.Error("it was not approved")
	}
	if to := posted(t, s, "/commands", "text=%2Fdeclare+something+else"); to != "/incidents/INC-2" {
		t.Errorf("declaring leads to %s", to)
	}
	got := ask(s, http.MethodPost, "/incidents/1/say", "text=%2Fstatus")
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "Only you see this") || !strings.Contains(got.Body.String(), `href="/incidents/INC-1#composer"`) {
		t.Errorf("a private answer: %d %.300s", got.Code, got.Body)
	}
	if got := ask(s, http.MethodPost, "/incidents/1/say", "text=%2Fnosuchverb"); got.Code < 400 || !strings.Contains(got.Body.String(), "<!DOCTYPE html>") {
		t.Errorf("an unknown command: %d", got.Code)
	}
	if got := ask(s, http.MethodPost, "/language", "lang=ja&back=/incidents/1"); got.Header().Get("Location") != "/incidents/1" || !strings.Contains(got.Header().Get("Set-Cookie"), "ja") {
		t.Errorf("%v", got.Header())
	}
}

func TestOurScriptGetsPieces(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	script := header("Hikeshi-Fragment", "1")
	send := func(path, form string) (int, string) {
		got := ask(s, http.MethodPost, path, form, script)
		if strings.Contains(got.Body.String(), "<html") {
			t.Errorf("POST %s %s: a whole page", path, form)
		}
		return got.Code, got.Body.String()
	}
	if code, body := send("/incidents/1/say", "text=hello"); code != http.StatusNoContent || body != "" {
		t.Errorf("%d %s", code, body)
	}
	if code, body := send("/incidents/1/say", "text=/status"); code != http.StatusOK || !strings.Contains(body, "m-reply") || !strings.Contains(body, "private") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := send("/incidents/1/say", "text=/nosuch"); code < 400 || !strings.Contains(body, `role="alert"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, body := send("/incidents/1/say", "text=+"); code != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
		t.Errorf("%d %s", code, body)
	}
	got := ask(s, http.MethodPost, "/commands", "text=/declare+x", script)
	if got.Code != http.StatusNoContent || got.Header().Get("Hikeshi-Location") != "/incidents/INC-2" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
}

// An answer for everybody stands in the room, once, under the asker's name.
func TestAPublicAnswerIsPostedToTheRoom(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	room := roomOf(w.state(1))
	before := len(w.said(t, room))
	for range 2 {
		posted(t, s, "/incidents/1/say", "text=/help+aloud&once=k", named("aiko"))
	}
	all := w.said(t, room)
	if len(all) != before+1 {
		t.Fatalf("%d messages more", len(all)-before)
	}
	if m := all[before].In["en"]; m.Text != "for everybody" || m.By != "aiko" {
		t.Errorf("%+v", m)
	}
}

func TestCommandsAndWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/ack": "ack", "/inc ack": "ack", "/incident ack": "ack", " /inc  note a b ": "note a b", "/inc": "help", "/": "help",
		"/include": "include", "/incidentally": "incidentally", "/inc\tack": "ack",
	} {
		if line, is := command(text); !is || line != want {
			t.Errorf("%q is %q, %v", text, line, is)
		}
	}
	for _, text := range []string{"hello", "// not a command", "", "a /ack"} {
		if line, is := command(text); is {
			t.Errorf("%q is the command %q", text, line)
		}
	}
	w, s := handler(t, nil)
	posted(t, s, "/incidents/1/say", "text=//etc/passwd+is+fine")
	all := w.said(t, roomOf(w.state(1)))
	if got := all[len(all)-1].Said.Text; got != "/etc/passwd is fine" {
		t.Errorf("said %q", got)
	}
}

// Whoever may only look can ask and cannot speak.
type lookOnly struct{ bot.Open }

func (lookOnly) May(_ incidents.Actor, right bot.Right, _ bot.Where) error {
	if right == bot.View {
		return nil
	}
	return incidents.Fail(incidents.Forbidden, "error.right", "you may not do this", "right", string(right))
}

// only lets people see one service.
type only string

func (only) Who(p incidents.Actor) incidents.Actor { return p }

func (o only) May(p incidents.Actor, right bot.Right, where bot.Where) error {
	if where == bot.InGeneral || where == bot.Of(incidents.Scope{Service: string(o)}) {
		return nil
	}
	return noRights{}.May(p, right, where)
}

func TestRightsMayDifferByService(t *testing.T) {
	t.Parallel()
	w, s := handler(t, func(o *Options) { o.Rights = only("search") })
	w.open(t, "slow", w.now(), "alertname=SearchSlow,service=search")
	for path, status := range map[string]int{
		"/api/v1/incidents/1": 404, "/api/v1/incidents/1/timeline": 404, "/api/v1/incidents/1/messages": 404, "/api/v1/incidents/1/postmortem": 404,
		"/incidents/1": 404, "/incidents/1/timeline": 404, "/api/v1/events?incident=1": 404, "/api/v1/incidents/2": 200, "/incidents/2": 200,
	} {
		if got := ask(s, http.MethodGet, path, ""); got.Code != status {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := ask(s, http.MethodPost, "/api/v1/incidents/1/messages", `{"text":"hello"}`); got.Code != http.StatusNotFound {
		t.Errorf("saying something: %d", got.Code)
	}
	for _, path := range []string{"/", "/?show=all", "/api/v1/incidents"} {
		if list := ask(s, http.MethodGet, path, "").Body.String(); strings.Contains(list, "CheckoutErrors") || !strings.Contains(list, "SearchSlow") {
			t.Errorf("%s shows another service's incidents", path)
		}
	}
}

func TestWhoMayOnlyLookCannotSpeak(t *testing.T) {
	t.Parallel()
	w, s := handler(t, func(o *Options) { o.Rights = lookOnly{} })
	room := roomOf(w.state(1))
	before := len(w.said(t, room))
	if got := ask(s, http.MethodPost, "/incidents/1/say", "text=hello"); got.Code != http.StatusForbidden {
		t.Errorf("a form: %d", got.Code)
	}
	fails(t, ask(s, http.MethodPost, "/api/v1/incidents/1/messages", `{"text":"hello"}`), http.StatusForbidden, incidents.Forbidden)
	fails(t, ask(s, http.MethodPost, "/api/v1/dead-letters/redrive", `{"key":"x"}`), http.StatusForbidden, incidents.Forbidden)
	if len(w.said(t, room)) != before {
		t.Error("it was said")
	}
	if got := ask(s, http.MethodPost, "/incidents/1/say", "text=/status"); got.Code != http.StatusOK {
		t.Errorf("asking: %d", got.Code)
	}
}
