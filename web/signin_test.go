package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/oidc"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/oidc"
)

// house is a console that people sign in to at a provider.
type house struct {
	t      *testing.T
	w      *world
	s      *Server
	issuer *fake.Issuer
	c      *clock
}

func signInHouse(t *testing.T) *house {
	t.Helper()
	const redirect = "http://localhost:8080/login/callback"
	h := &house{t: t, c: &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}}
	var err error
	if h.issuer, err = fake.New("hikeshi", "the-secret-of-hikeshi", redirect); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.issuer.Close)
	h.issuer.Now = h.c.now
	provider, err := oidc.New(oidc.Config{Issuer: h.issuer.URL, ClientID: "hikeshi", Secret: h.issuer.Secret, RedirectURL: redirect, Now: h.c.now})
	if err != nil {
		t.Fatal(err)
	}
	roster, err := bot.NewRoster([]bot.Member{{Name: "bea", Accounts: []string{"oidc:" + h.issuer.URL + "#248"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}}}}})
	if err != nil {
		t.Fatal(err)
	}
	h.w, h.s = handler(t, func(o *Options) { o.SignIn, o.Config.SignInName, o.Rights = provider, "Example ID", roster })
	h.s.Now = h.c.now
	return h
}

// cookieOf is a cookie that an answer sets; nil where it does not.
func cookieOf(got *httptest.ResponseRecorder, name string) *http.Cookie {
	for _, c := range got.Result().Cookies() {
		if c.Name == name && c.MaxAge >= 0 {
			return c
		}
	}
	return nil
}

func with(cookies ...*http.Cookie) func(*http.Request) {
	return func(r *http.Request) {
		for _, c := range cookies {
			if c != nil {
				r.AddCookie(c)
			}
		}
	}
}

// begin goes to the provider and comes back with its answer, not yet told.
func (h *house) begin(next string, session *http.Cookie) (attempt *http.Cookie, callback string) {
	h.t.Helper()
	got := ask(h.s, http.MethodGet, "/login/oidc?next="+url.QueryEscape(next), "", with(session))
	attempt = cookieOf(got, attemptCookie)
	if got.Code != http.StatusSeeOther || attempt == nil || !attempt.HttpOnly || attempt.SameSite != http.SameSiteLaxMode {
		h.t.Fatalf("%d %v", got.Code, got.Header())
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, got.Header().Get("Location"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		h.t.Fatalf("the issuer answers %s", resp.Status)
	}
	return attempt, back.RequestURI()
}

func TestSigningInAtAProvider(t *testing.T) {
	t.Parallel()
	h := signInHouse(t)
	page := ask(h.s, http.MethodGet, "/login?next=/incidents/1", "").Body.String()
	if !strings.Contains(page, "Sign in with Example ID") || !strings.Contains(page, `/login/oidc?next=%2Fincidents%2F1`) || strings.Contains(page, `name="token"`) {
		t.Errorf("the page: %s", page)
	}
	attempt, callback := h.begin("/incidents/1", nil)
	got := ask(h.s, http.MethodGet, callback, "", with(attempt))
	session := cookieOf(got, sessionCookie)
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/incidents/1" || session == nil || !session.HttpOnly || session.SameSite != http.SameSiteLaxMode {
		t.Fatalf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	if got.Header().Get("Referrer-Policy") != "no-referrer" || cookieOf(got, attemptCookie) != nil {
		t.Errorf("the code may leak, or the attempt go on: %v", got.Header())
	}
	if got := ask(h.s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"ack"}`, with(session)); got.Code != http.StatusOK || h.w.pressed[0].Person.ID != "person:bea" {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if !h.w.pressed[0].SignedIn.IsZero() {
		t.Error("the issuer did not say when, and it passes for fresh")
	}
	if got := ask(h.s, http.MethodGet, callback, "", with(attempt)); got.Code != http.StatusUnauthorized || cookieOf(got, sessionCookie) != nil {
		t.Errorf("the same answer again: %d", got.Code)
	}

	// To approve what is risky she shows once more who she is, in a new session.
	proved := h.c.now().Add(-time.Minute)
	h.issuer.AuthTime = proved
	attempt, callback = h.begin("//evil.example", session)
	if last := h.issuer.Asked[len(h.issuer.Asked)-1]; last.Get("max_age") == "" {
		t.Errorf("asked %v", last)
	}
	got = ask(h.s, http.MethodGet, callback, "", with(attempt, session))
	next := cookieOf(got, sessionCookie)
	if next == nil || next.Value == session.Value || got.Header().Get("Location") != "/" {
		t.Fatalf("%d %v", got.Code, got.Header())
	}
	if got := ask(h.s, http.MethodGet, "/api/v1/incidents", "", with(session)); got.Code != http.StatusUnauthorized {
		t.Errorf("the session before: %d", got.Code)
	}
	ask(h.s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"note hello"}`, with(next))
	if n := len(h.w.pressed); n != 2 || !h.w.pressed[1].SignedIn.Equal(proved) {
		t.Errorf("signed in at %v", h.w.pressed[n-1].SignedIn)
	}
	ask(h.s, http.MethodPost, "/logout", "", with(next))
	if got := ask(h.s, http.MethodGet, "/api/v1/incidents", "", with(next)); got.Code != http.StatusUnauthorized {
		t.Errorf("after signing out: %d", got.Code)
	}
}

// TestAnAnswerWorksInTheBrowserThatAskedOnly: otherwise a stranger could have
// somebody work under the stranger's account, or under a stolen code.
func TestAnAnswerWorksInTheBrowserThatAskedOnly(t *testing.T) {
	t.Parallel()
	h := signInHouse(t)
	for name, try := range map[string]func(attempt *http.Cookie, callback string) (*http.Cookie, string){
		"no cookie": func(_ *http.Cookie, callback string) (*http.Cookie, string) { return nil, callback },
		"another browser's": func(_ *http.Cookie, callback string) (*http.Cookie, string) {
			other, _ := h.begin("/", nil)
			return other, callback
		},
		"another state": func(a *http.Cookie, callback string) (*http.Cookie, string) {
			return a, strings.Replace(callback, "state=", "state=x", 1)
		},
		"two states": func(a *http.Cookie, callback string) (*http.Cookie, string) { return a, callback + "&state=x" },
		"no state": func(a *http.Cookie, callback string) (*http.Cookie, string) {
			return a, strings.Replace(callback, "state=", "stat=", 1)
		},
		"a cookie made up": func(a *http.Cookie, callback string) (*http.Cookie, string) {
			return &http.Cookie{Name: a.Name, Value: "eyJzdGF0ZSI6IiJ9"}, callback
		},
		"a cookie changed": func(a *http.Cookie, callback string) (*http.Cookie, string) {
			return &http.Cookie{Name: a.Name, Value: a.Value[:len(a.Value)-2] + "AA"}, callback
		},
		"eleven minutes late": func(a *http.Cookie, callback string) (*http.Cookie, string) {
			h.c.after(11 * time.Minute)
			return a, callback
		},
		"a lying issuer": func(a *http.Cookie, callback string) (*http.Cookie, string) {
			h.issuer.Lie = fake.WrongNonce
			return a, callback
		},
	} {
		attempt, callback := h.begin("/", nil)
		attempt, callback = try(attempt, callback)
		got := ask(h.s, http.MethodGet, callback, "", with(attempt))
		if got.Code != http.StatusUnauthorized || cookieOf(got, sessionCookie) != nil || !strings.Contains(got.Body.String(), "did not hold") {
			t.Errorf("%s: %d %v", name, got.Code, got.Header())
		}
		h.issuer.Lie = ""
	}
}

// TestSomebodyWithoutAnEntryIsSignedInToNothing.
func TestSomebodyWithoutAnEntryIsSignedInToNothing(t *testing.T) {
	t.Parallel()
	h := signInHouse(t)
	h.issuer.Subject = "249"
	attempt, callback := h.begin("/", nil)
	session := cookieOf(ask(h.s, http.MethodGet, callback, "", with(attempt)), sessionCookie)
	for _, path := range []string{"/", "/incidents/1", "/api/v1/incidents", "/api/v1/events"} {
		got := ask(h.s, http.MethodGet, path, "", with(session))
		if got.Code != http.StatusForbidden || strings.Contains(got.Body.String(), "CheckoutErrors") {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := ask(h.s, http.MethodGet, "/", "", with(&http.Cookie{Name: nameCookie, Value: "bea"})); got.Code != http.StatusSeeOther {
		t.Errorf("a name alone: %d", got.Code)
	}
	if got := ask(h.s, http.MethodPost, "/logout", "", with(session)); got.Code != http.StatusSeeOther {
		t.Errorf("signing out: %d", got.Code)
	}
}

// TestBeginningCostsNothing: strangers may begin as often as they like.
func TestBeginningCostsNothing(t *testing.T) {
	t.Parallel()
	h := signInHouse(t)
	for range 2000 {
		if got := ask(h.s, http.MethodGet, "/login/oidc", ""); got.Code != http.StatusSeeOther {
			t.Fatal(got.Code)
		}
	}
	if len(h.s.sessions.all) > 0 || len(h.issuer.Asked) > 0 {
		t.Errorf("%d sessions, %d questions", len(h.s.sessions.all), len(h.issuer.Asked))
	}
	_, s := handler(t, nil)
	for _, path := range []string{"/login/oidc", "/login/callback?code=x&state=y"} {
		if got := ask(s, http.MethodGet, path, ""); got.Code != http.StatusNotFound {
			t.Errorf("%s without a provider: %d", path, got.Code)
		}
	}
}
