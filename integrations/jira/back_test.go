package jira

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

// listener keeps what it is told, unless it is away.
type listener struct {
	all  []tracker.Change
	away error
}

func (l *listener) Changed(_ context.Context, c tracker.Change) error {
	if l.away == nil {
		l.all = append(l.all, c)
	}
	return l.away
}

const secret = "a secret of more than 16"

// post sends a webhook as Jira does.
func post(k *Tracker, to tracker.Changer, body []byte, sign func(r *http.Request, body []byte)) int {
	r := httptest.NewRequest(http.MethodPost, "/v1/jira/jira", bytes.NewReader(body))
	sign(r, body)
	w := httptest.NewRecorder()
	k.Handler(to).ServeHTTP(w, r)
	return w.Code
}

func signed(with string) func(*http.Request, []byte) {
	return func(r *http.Request, body []byte) {
		mac := hmac.New(sha256.New, []byte(with))
		mac.Write(body)
		r.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		r.Header.Set("X-Atlassian-Webhook-Identifier", "1")
	}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		h := newHouse(t, flavour)
		k := h.another(flavour, func(c *Config) { c.Secret = secret })
		ref := h.open(k, ticketOf("m"))
		h.jira.Move(fake.Joe, ref.Key, "In Progress")
		h.jira.SetPriority(fake.Joe, ref.Key, "Highest")
		h.jira.SetAssignee(fake.Joe, ref.Key, fake.Bea)
		h.jira.Say(fake.Joe, ref.Key, "on it {code}")
		if err := k.Comment(t.Context(), ref.Key, bot.TicketComment{Key: "ev-9", Text: "ours"}); err != nil {
			t.Fatal(err)
		}
		to := &listener{}
		deliveries := h.jira.Deliveries()
		for _, d := range deliveries {
			if got := post(k, to, d.Body, signed(secret)); got != http.StatusNoContent {
				t.Error(got)
			}
		}
		if len(deliveries) != 5 || len(to.all) != 4 {
			t.Fatalf("%d deliveries, %+v", len(deliveries), to.all)
		}
		joe := incidents.Actor{ID: "jira:" + h.jira.Account(fake.Joe), Name: "joe"}
		c := to.all
		if c[0].State != bot.TicketDoing || c[0].StatusWord != "In Progress" || c[0].By != joe || !c[0].At.Equal(noon) || c[0].Key != ref.Key ||
			c[1].Severity != incidents.Sev1 || c[2].Assignee != "bea" || c[3].Comment.Text != "on it {code}" || c[3].By != joe {
			t.Errorf("%+v", c)
		}
		// The same by asking.
		h.wait(time.Minute)
		polled := &listener{}
		for range 2 {
			if err := k.Poll(t.Context(), polled); err != nil {
				t.Fatal(err)
			}
		}
		ids := map[string]bool{}
		for _, x := range c {
			ids[x.ID] = true
		}
		if len(polled.all) != 4 {
			t.Errorf("%+v", polled.all)
		}
		for _, x := range polled.all {
			if !ids[x.ID] {
				t.Errorf("by asking it has another name, and would work twice: %+v", x)
			}
		}
	})
}

// Nobody but Jira is heard, and what is not durable yet is not answered for.
func TestWhoIsHeard(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Cloud)
	ref := h.open(h.tracker, ticketOf("m"))
	h.jira.Move(fake.Joe, ref.Key, "Closed")
	body := h.jira.Deliveries()[0].Body
	with := func(secret, hook string) *Tracker {
		return h.another(Cloud, func(c *Config) { c.Secret, c.Hook = secret, hook })
	}
	token := func(value string) func(*http.Request, []byte) {
		return func(r *http.Request, _ []byte) { r.Header.Set("Authorization", "Bearer "+value) }
	}
	nothing := func(*http.Request, []byte) {}
	for _, c := range []struct {
		name string
		k    *Tracker
		body []byte
		sign func(*http.Request, []byte)
		want int
	}{
		{"nothing configured", with("", ""), body, signed(""), 404},
		{"unsigned", with(secret, ""), body, nothing, 401},
		{"signed with another secret", with(secret, ""), body, signed("another secret, long"), 401},
		{"the token where there is a secret", with(secret, "a token of 16 or more"), body, token("a token of 16 or more"), 401},
		{"not hex", with(secret, ""), body, func(r *http.Request, _ []byte) { r.Header.Set("X-Hub-Signature", "sha256=zz") }, 401},
		{"no token", with("", "a token of 16 or more"), body, nothing, 401},
		{"another token", with("", "a token of 16 or more"), body, token("a token of 16 or mora"), 401},
		{"the token", with("", "a token of 16 or more"), body, token("a token of 16 or more"), 204},
		{"no event", with(secret, ""), []byte("<html>"), signed(secret), 400},
		{"an event of nothing", with(secret, ""), []byte(`{"webhookEvent":"x","issue":{"key":"../../admin"},"changelog":{"items":[{"field":"status"}]}}`), signed(secret), 204},
		{"too large", with(secret, ""), []byte(strings.Repeat(" ", maxHook+1)), signed(secret), 413},
	} {
		to := &listener{}
		if got := post(c.k, to, c.body, c.sign); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		if (len(to.all) > 0) != (c.name == "the token") {
			t.Errorf("%s: %+v", c.name, to.all)
		}
	}
	for err, want := range map[error]int{
		errors.New("the store is away"):                                      503,
		incidents.Fail(incidents.Unavailable, "x", "away"):                   503,
		incidents.Fail(incidents.Forbidden, "error.forbidden", "may not"):    204,
		incidents.Fail(incidents.Conflict, "error.approve_late", "too late"): 204,
	} {
		if got := post(with(secret, ""), &listener{away: err}, body, signed(secret)); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

// Who says nothing to be known by is not read, and of those whose bodies do not come only
// so many are waited for.
func TestStrangersAreNotRead(t *testing.T) {
	t.Parallel()
	for _, config := range []Config{{Secret: "a secret, long enough"}, {Hook: "a token of 16 or more"}} {
		w := httptest.NewRecorder()
		unread := httptest.NewRequest(http.MethodPost, "/v1/jira/jira", readerFunc(func([]byte) (int, error) {
			t.Error("a stranger's body is read")
			return 0, io.EOF
		}))
		k := &Tracker{config: config}
		if k.Handler(nil).ServeHTTP(w, unread); w.Code != http.StatusUnauthorized {
			t.Errorf("a stranger gets %d", w.Code)
		}
	}
	k := &Tracker{config: Config{Secret: "a secret, long enough"}}
	reading, release := make(chan struct{}), make(chan struct{})
	send := func() *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/v1/jira/jira", readerFunc(func([]byte) (int, error) {
			reading <- struct{}{}
			<-release
			return 0, io.EOF
		}))
		signed("another")(r, nil)
		w := httptest.NewRecorder()
		k.Handler(nil).ServeHTTP(w, r) // made for each request
		return w
	}
	var all sync.WaitGroup
	for range maxRead {
		all.Go(func() {
			if got := send().Code; got != http.StatusUnauthorized {
				t.Errorf("with a wrong signature: %d", got)
			}
		})
		<-reading
	}
	if w := send(); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many gets %d", w.Code)
	}
	close(release)
	all.Wait()
	go func() { <-reading }()
	if got := send().Code; got != http.StatusUnauthorized {
		t.Errorf("afterwards: %d", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
