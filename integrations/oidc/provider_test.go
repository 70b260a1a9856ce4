package oidc

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/oidc"
)

const redirect = "http://localhost:8080/login/callback"

func provider(t *testing.T) (*Provider, *fake.Issuer) {
	t.Helper()
	issuer, err := fake.New("hikeshi", "the-secret-of-hikeshi", redirect)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	p, err := New(Config{Issuer: issuer.URL, ClientID: issuer.ClientID, Secret: issuer.Secret, RedirectURL: redirect, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p, issuer
}

// visit is what a browser does at the issuer: it comes back with the answer.
func visit(t *testing.T, address string) url.Values {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil || !strings.HasPrefix(back.String(), redirect+"?") {
		t.Fatalf("the issuer answers %s: %v", resp.Status, err)
	}
	return back.Query()
}

// begin goes to the issuer and back.
func begin(t *testing.T, p *Provider, nonce, verifier string, fresh bool) url.Values {
	t.Helper()
	address, err := p.Address(t.Context(), "the-state", nonce, verifier, fresh)
	if err != nil {
		t.Fatal(err)
	}
	return visit(t, address)
}

func TestSomebodySignsIn(t *testing.T) {
	t.Parallel()
	p, issuer := provider(t)
	proved := time.Now().Add(-time.Minute).Truncate(time.Second)
	for _, at := range []time.Time{{}, proved} {
		issuer.AuthTime = at
		verifier := oauth2.GenerateVerifier()
		answer := begin(t, p, "n1", verifier, !at.IsZero())
		who, when, err := p.Finish(t.Context(), answer, "n1", verifier)
		if err != nil || who != (incidents.Actor{ID: "oidc:" + issuer.URL + "#248", Name: "Bea"}) || !when.Equal(at) {
			t.Fatalf("%+v at %s: %v", who, when, err)
		}
		if answer.Get("state") != "the-state" {
			t.Errorf("state %q", answer.Get("state"))
		}
		if _, _, err := p.Finish(t.Context(), answer, "n1", verifier); incidents.CodeOf(err) != incidents.Unauthenticated {
			t.Errorf("the same code again: %v", err)
		}
	}
	if asked := issuer.Asked[1]; issuer.Asked[0].Has("max_age") || asked.Get("max_age") == "" || asked.Get("code_challenge_method") != "S256" {
		t.Errorf("asked %v", issuer.Asked)
	}
}

// TestLies: whatever the issuer, or somebody in its place, does wrong, nobody is
// signed in.
func TestLies(t *testing.T) {
	t.Parallel()
	p, issuer := provider(t)
	for _, lie := range []fake.Lie{
		fake.WrongNonce, fake.NoNonce, fake.WrongAudience, fake.TwoAudiences, fake.WrongParty, fake.WrongIssuer, fake.Expired, fake.FromTomorrow,
		fake.ProvedLater, fake.AlgNone, fake.AlgHMAC, fake.AlgHMACKey, fake.OtherKey, fake.Tampered, fake.NoSubject, fake.NoToken, fake.OtherIss, fake.Redirects,
	} {
		issuer.Lie = lie
		verifier := oauth2.GenerateVerifier()
		who, when, err := p.Finish(t.Context(), begin(t, p, "n1", verifier, true), "n1", verifier)
		if err == nil || who.ID != "" || !when.IsZero() {
			t.Errorf("%s: %+v, %v", lie, who, err)
		}
		if err != nil && strings.Contains(err.Error(), issuer.Secret) {
			t.Errorf("%s: the error tells the secret", lie)
		}
	}
	issuer.Lie = ""
	verifier := oauth2.GenerateVerifier()
	if _, _, err := p.Finish(t.Context(), begin(t, p, "n1", verifier, true), "n1", verifier); err != nil {
		t.Errorf("an honest one: %v", err)
	}
}

// TestTheAnswerOfAnotherAttempt: a code is for one browser's verifier, and an
// answer without the issuer's name, with two codes or with an error is none.
func TestTheAnswerOfAnotherAttempt(t *testing.T) {
	t.Parallel()
	p, _ := provider(t)
	verifier := oauth2.GenerateVerifier()
	for name, change := range map[string]func(url.Values) (nonce, verifier string){
		"another verifier": func(url.Values) (string, string) { return "n1", oauth2.GenerateVerifier() },
		"another nonce":    func(url.Values) (string, string) { return "n2", verifier },
		"no nonce":         func(url.Values) (string, string) { return "", verifier },
		"no issuer":        func(q url.Values) (string, string) { q.Del("iss"); return "n1", verifier },
		"two issuers":      func(q url.Values) (string, string) { q.Add("iss", q.Get("iss")); return "n1", verifier },
		"no code":          func(q url.Values) (string, string) { q.Del("code"); return "n1", verifier },
		"two codes":        func(q url.Values) (string, string) { q.Add("code", "x"); return "n1", verifier },
		"an error too":     func(q url.Values) (string, string) { q.Set("error", "access_denied"); return "n1", verifier },
	} {
		answer := begin(t, p, "n1", verifier, false)
		nonce, v := change(answer)
		if who, _, err := p.Finish(t.Context(), answer, nonce, v); err == nil || who.ID != "" {
			t.Errorf("%s: %+v", name, who)
		}
	}
}

func TestAnIssuerThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	p, issuer := provider(t)
	whole := p.config.Issuer
	p.config.Issuer += "/elsewhere"
	if _, err := p.Address(t.Context(), "s", "n", "v", false); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("%v", err)
	}
	p.config.Issuer = whole
	if _, err := p.Address(t.Context(), "s", "n", oauth2.GenerateVerifier(), false); err != nil || issuer.URL != whole {
		t.Errorf("%v", err)
	}
}

func TestEverythingIsEncrypted(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "http://id.example.com", "id.example.com", "https://", "https://a:b@id.example.com", "https://id.example.com/?x=1", "ftp://localhost", "http://localhost.evil.example"} {
		if err := (Config{Issuer: address, RedirectURL: redirect}).Validate(); err == nil {
			t.Errorf("issuer %q", address)
		}
		if err := (Config{Issuer: "https://id.example.com", RedirectURL: address}).Validate(); err == nil {
			t.Errorf("redirect %q", address)
		}
	}
}
