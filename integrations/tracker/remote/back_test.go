package remote_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// post hands a webhook to a handler. The name of the tracker and what stands
// behind it in the address are as the router gives them.
func post(k adapter, to tracker.Changer, r *http.Request) int {
	w := httptest.NewRecorder()
	if parts := strings.Split(r.URL.Path, "/"); len(parts) > 4 {
		r.SetPathValue("secret", parts[4])
	}
	k.Handler(to).ServeHTTP(w, r)
	return w.Code
}

// What a person does is told by webhooks and by asking, under the same name,
// and what we do is not told.
func TestWhatPeopleDo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		h := newHouse(t, sys, 0)
		ref := h.open(h.k, quiet("hikeshi-inc-42-eeeeeeeeeeee"))
		h.wait(time.Minute)
		for _, a := range []act{{state: bot.TicketDoing}, {severity: incidents.Sev3}, {assignee: "bea"}, {say: "on it {code}"}} {
			h.act("joe", ref.Key, a)
			h.wait(2 * time.Second)
		}
		if err := h.k.Comment(t.Context(), ref.Key, bot.TicketComment{Key: "ev-9", At: noon, Text: "ours"}); err != nil {
			t.Fatal(err)
		}
		heard, polled, after := &listener{}, &listener{}, &listener{}
		for _, r := range h.deliveries() {
			if got := post(h.k, heard, r); got != http.StatusNoContent {
				t.Error(got)
			}
		}
		for range 2 {
			if err := h.another(nil).Poll(t.Context(), polled); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.k.Poll(t.Context(), after); err != nil || len(after.all) != 0 {
			t.Errorf("told twice: %+v %v", after.all, err)
		}
		ids := map[string]bool{}
		var state, severity, assignee, comment bool
		for _, c := range heard.all {
			ids[c.ID] = true
			state = state || c.State == bot.TicketDoing && c.StatusWord != ""
			severity = severity || c.Severity == incidents.Sev3
			assignee = assignee || c.Assignee == "bea"
			comment = comment || c.Comment != nil && c.Comment.Text == "on it {code}"
			if c.By.Name != "joe" || !strings.HasPrefix(c.By.ID, sys.name+":") || c.Key != ref.Key || c.At.Before(noon.Add(time.Minute)) {
				t.Errorf("%+v", c)
			}
		}
		if !state || !severity || !assignee || !comment {
			t.Errorf("not all was heard: %+v", heard.all)
		}
		if len(polled.all) != 2*len(heard.all) { // two replicas, each of which asked
			t.Errorf("%d polled, %d heard", len(polled.all), len(heard.all))
		}
		for _, c := range polled.all {
			if !ids[c.ID] {
				t.Errorf("by asking it has another name, and would work twice: %+v", c)
			}
		}
	})
}

// Nobody but the tracker is heard, and what is not durable yet is not answered for.
func TestWhoIsHeard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		h := newHouse(t, sys, 0)
		ref := h.open(h.k, quiet("hikeshi-inc-42-eeeeeeeeeeee"))
		h.act("joe", ref.Key, act{state: bot.TicketDone})
		good := h.deliveries()[0]
		body, err := io.ReadAll(good.Body)
		if err != nil {
			t.Fatal(err)
		}
		request := func(token, body string) *http.Request {
			r := httptest.NewRequest(http.MethodPost, strings.ReplaceAll(good.URL.Path, hookToken, token), bytes.NewReader([]byte(body)))
			r.Header.Set("X-Gitlab-Token", token)
			r.Header.Set("X-Hikeshi-Token", token)
			return r
		}
		deaf := h.another(func(c *remote.Config) { c.Hook = "" })
		for _, c := range []struct {
			name  string
			k     adapter
			token string
			body  string
			want  int
			heard bool
		}{
			{"nothing configured", deaf, hookToken, string(body), 404, false},
			{"another token", h.k, "what-webhooks-show-themselves-witx", string(body), 401, false},
			{"the beginning of the token", h.k, hookToken[:10], string(body), 401, false},
			{"no event", h.k, hookToken, "<html>", 400, false},
			{"an event of nothing", h.k, hookToken, `{"object_kind":"push","type":12,"content":{}}`, 204, false},
			{"too large", h.k, hookToken, strings.Repeat(" ", 1<<20+1), 413, false},
			{"the token", h.k, hookToken, string(body), 204, true},
		} {
			to := &listener{}
			if got := post(c.k, to, request(c.token, c.body)); got != c.want {
				t.Errorf("%s: %d, want %d", c.name, got, c.want)
			}
			if (len(to.all) > 0) != c.heard {
				t.Errorf("%s: %+v", c.name, to.all)
			}
		}
		for _, c := range []struct {
			err  error
			want int
		}{
			{errors.New("the store is away"), 503},
			{incidents.Fail(incidents.Unavailable, "x", "away"), 503},
			{incidents.Fail(incidents.Forbidden, "error.forbidden", "may not"), 204},
			{incidents.Fail(incidents.Conflict, "error.approve_late", "too late"), 204},
		} {
			if got := post(h.another(nil), &listener{away: c.err}, request(hookToken, string(body))); got != c.want {
				t.Errorf("%v: %d, want %d", c.err, got, c.want)
			}
		}
	})
}
