package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Config is one provider.
type Config struct {
	Issuer      string // exactly as the provider names itself
	ClientID    string
	Secret      string
	RedirectURL string // exactly as it is registered there
	Now         func() time.Time
}

// Validate says what is wrong with the addresses: everything must be encrypted,
// but on this machine.
func (c Config) Validate() error {
	for _, part := range []struct{ key, address string }{{"issuer", c.Issuer}, {"redirect", c.RedirectURL}} {
		if u, err := url.Parse(part.address); err != nil || !safe(u) || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return incidents.Fail(incidents.Invalid, "config.oidc_address", part.address+" is no address for signing in: https, or http on this machine",
				"key", part.key, "value", part.address)
		}
	}
	return nil
}

func safe(u *url.URL) bool {
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host != "" && (u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || ip != nil && ip.IsLoopback()))
}

// algorithms are those that a provider may sign with: asymmetric ones. None of
// them is "none", and none takes the client's secret or a public key for a key.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// Provider signs people in. It asks the issuer about itself when it is first
// needed, so that Hikeshi starts without it.
type Provider struct {
	config Config
	client *http.Client
	mu     sync.Mutex
	known  *discovered
}

// discovered is what the issuer says about itself.
type discovered struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	namesIss bool // it names itself in its answers (RFC 9207)
}

// The bounds of what an issuer may answer.
const (
	askTime   = 10 * time.Second
	maxAnswer = 1 << 20
	skew      = time.Minute // between its clock and ours
)

// New makes a provider; nothing is asked yet.
func New(c Config) (*Provider, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	client := &http.Client{
		Timeout: askTime, Transport: bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the code and the secret go nowhere else
	}
	return &Provider{config: c, client: client}, nil
}

// bounded cuts answers at maxAnswer.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// discover asks the issuer about itself, once it answers.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	// Keys are fetched later with the context given here: it must outlive the request.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", incidents.Fail(incidents.Unavailable, "error.oidc_away", "the provider for signing in does not answer as it should"), err)
	}
	var more struct {
		JWKS     string `json:"jwks_uri"`
		NamesIss bool   `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, fmt.Errorf("read what the issuer says of itself: %w", err)
	}
	for _, address := range []string{found.Endpoint().AuthURL, found.Endpoint().TokenURL, more.JWKS} {
		if u, err := url.Parse(address); err != nil || !safe(u) {
			return nil, refused("the issuer names the address " + address + ", which is not encrypted")
		}
	}
	p.known = &discovered{
		oauth: oauth2.Config{ClientID: p.config.ClientID, ClientSecret: p.config.Secret, Endpoint: found.Endpoint(),
			RedirectURL: p.config.RedirectURL, Scopes: []string{oidc.ScopeOpenID, "profile"}},
		verifier: found.Verifier(&oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: algorithms, Now: p.config.Now}),
		namesIss: more.NamesIss,
	}
	return p.known, nil
}

// Address is where a browser is sent to sign in. fresh asks the issuer to have
// them show who they are, unless they have just done so.
func (p *Provider) Address(ctx context.Context, state, nonce, verifier string, fresh bool) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	if fresh {
		options = append(options, oauth2.SetAuthURLParam("max_age", "60"))
	}
	return d.oauth.AuthCodeURL(state, options...), nil
}

// Finish reads the issuer's answer, as it came back through the browser, and
// says who signed in and when they showed who they are; zero where the issuer
// does not say. The state was compared by whoever began the attempt.
func (p *Provider) Finish(ctx context.Context, answer url.Values, nonce, verifier string) (incidents.Actor, time.Time, error) {
	none := func(err error) (incidents.Actor, time.Time, error) { return incidents.Actor{}, time.Time{}, err }
	d, err := p.discover(ctx)
	if err != nil {
		return none(err)
	}
	if iss, named := answer["iss"]; named && (len(iss) != 1 || iss[0] != p.config.Issuer) || !named && d.namesIss {
		return none(refused("the answer is another issuer's"))
	}
	if answer.Has("error") || len(answer["code"]) != 1 {
		return none(refused("the issuer answers " + clip(answer.Get("error")+" "+answer.Get("error_description"))))
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := d.oauth.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		if failed, ok := errors.AsType[*oauth2.RetrieveError](err); ok { // the whole error holds the issuer's words, and perhaps more
			return none(refused("the issuer refuses the code: " + clip(failed.ErrorCode)))
		}
		return none(fmt.Errorf("%w: %w", incidents.Fail(incidents.Unavailable, "error.oidc_away", "the provider for signing in does not answer as it should"), err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return none(refused("the issuer gives no id_token"))
	}
	id, err := d.verifier.Verify(ctx, raw)
	if err != nil {
		return none(refused("the id_token does not hold: " + clip(err.Error())))
	}
	return p.claims(id, nonce)
}

// claims checks what the signature alone does not say.
func (p *Provider) claims(id *oidc.IDToken, nonce string) (incidents.Actor, time.Time, error) {
	var more struct {
		AZP      string  `json:"azp"`
		AuthTime float64 `json:"auth_time"`
		Name     string  `json:"name"`
	}
	err := id.Claims(&more)
	now, proved := p.config.Now(), time.Time{}
	if more.AuthTime > 0 && more.AuthTime < 1<<40 {
		proved = time.Unix(int64(more.AuthTime), 0)
	}
	switch {
	case err != nil:
		err = refused("the id_token cannot be read")
	case nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		err = refused("the id_token is for another attempt")
	case more.AZP != "" && more.AZP != p.config.ClientID, len(id.Audience) > 1 && more.AZP == "":
		err = refused("the id_token is for another client too")
	case id.IssuedAt.After(now.Add(skew)), proved.After(now.Add(skew)):
		err = refused("the id_token is from the future")
	case id.Subject == "" || !slices.Contains(id.Audience, p.config.ClientID):
		err = refused("the id_token names nobody")
	}
	if err != nil {
		return incidents.Actor{}, time.Time{}, err
	}
	if proved.After(now) {
		proved = now // its clock is a little ahead
	}
	return incidents.Actor{ID: "oidc:" + p.config.Issuer + "#" + id.Subject, Name: clip(more.Name)}, proved, nil
}

func refused(why string) error {
	return incidents.Fail(incidents.Unauthenticated, "error.oidc_refused", why)
}

func clip(s string) string { return s[:min(len(s), 200)] }
