package jira

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	jira "github.com/andygrunwald/go-jira"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Limiter is the pace of what is asked of Jira, shared between replicas.
type Limiter interface {
	Wait(ctx context.Context, class, key string, lane limit.Lane) error
	Close(ctx context.Context, class, key string, d time.Duration)
}

// The classes of requests. Writes to one issue have a limit of their own.
// https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
const (
	classRead  = "read"
	classWrite = "write"
)

// Rates are the limits that are kept. Jira's own for one issue are 20 writes in
// 2 seconds; for everything together it has bursts of about 100 a second.
func Rates() map[string]limit.Rate {
	return map[string]limit.Rate{
		classWrite:       {N: 10, Per: 2 * time.Second},
		limit.AllClasses: {N: 40, Per: time.Second},
	}
}

const (
	maxAnswer   = 1 << 20 // bytes that are read of an answer
	callTimeout = 12 * time.Second
)

// client asks things of one Jira. The library does not bound what it reads,
// follows redirects with the token and knows no 429: all that is done here.
type client struct {
	api     *jira.Client
	flavour Flavour
	pace    Limiter
	now     func() time.Time

	mu   sync.Mutex
	self *user
}

func newClient(c Config, pace Limiter, transport http.RoundTripper, now func() time.Time) (*client, error) {
	if transport == nil {
		transport = http.DefaultTransport
	}
	transport = bounded{transport}
	if c.Flavour == Cloud {
		transport = &jira.BasicAuthTransport{Username: c.User, Password: c.Token, Transport: transport}
	} else {
		transport = &jira.PATAuthTransport{Token: c.Token, Transport: transport}
	}
	api, err := jira.NewClient(&http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // never with the token
	}, c.URL)
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", c.Name, err)
	}
	return &client{api: api, flavour: c.Flavour, pace: pace, now: now}, nil
}

// bounded reads each answer whole, up to maxAnswer, so that nothing later can
// read for ever, and nothing is left open.
type bounded struct{ next http.RoundTripper }

var errTooMuch = errors.New("the answer has more than 1 MiB")

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	if err == nil && len(body) > maxAnswer {
		err = errTooMuch
	}
	if err != nil && resp.StatusCode < 300 { // of a refusal the beginning is enough
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body[:min(len(body), maxAnswer)]))
	return resp, nil
}

// ask is one request.
type ask struct {
	method, path string
	query        url.Values
	body         any
	form         *tracker.Body // instead of body: a file
	key          string        // the issue that is written to; "" for what is read
	lane         limit.Lane
}

func (a ask) class() string {
	if a.key == "" {
		return classRead
	}
	return classWrite
}

// do sends it once and reads the answer into out, which may be nil.
func (c *client) do(ctx context.Context, a ask, out any) error {
	if err := c.pace.Wait(ctx, a.class(), a.key, a.lane); err != nil {
		return &unsent{err}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout) // answers are read whole before it ends
	defer cancel()
	req, err := c.request(ctx, a)
	if err != nil {
		return &unsent{fmt.Errorf("make %s: %w", a.name(), err)}
	}
	resp, err := c.api.Do(req, out)
	if resp != nil {
		defer resp.Body.Close() // the library does not, where nothing is read of it
	}
	switch {
	case err == nil:
		return nil
	case resp == nil:
		return c.unanswered(a, err)
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return notJSON(a, resp)
	}
	return c.refused(ctx, a, resp, err)
}

func (c *client) request(ctx context.Context, a ask) (*http.Request, error) {
	path := "rest/api/2/" + a.path
	if len(a.query) > 0 {
		path += "?" + a.query.Encode()
	}
	if a.form == nil {
		req, err := c.api.NewRequestWithContext(ctx, a.method, path, a.body)
		if err == nil {
			req.Header.Set("Accept", "application/json")
		}
		return req, err
	}
	req, err := c.api.NewMultiPartRequestWithContext(ctx, a.method, path, bytes.NewBuffer(a.form.Bytes))
	if err == nil {
		req.Header.Set("Accept", "application/json")
		req.Header.Set("Content-Type", a.form.Kind)
		req.Header.Set("X-Atlassian-Token", "no-check") // Jira refuses forms that a page could make a browser send
	}
	return req, err
}

func (a ask) name() string { return a.method + " " + a.path }

// unsent is a failure before anything was sent.
type unsent struct{ err error }

func (u *unsent) Error() string { return u.err.Error() }
func (u *unsent) Unwrap() error { return u.err }

func (c *client) unanswered(a ask, err error) error {
	inner := err
	if u, ok := errors.AsType[*url.Error](err); ok {
		inner = u.Err // the address is said already
	}
	away := fmt.Errorf("%w: %s: %w", fail("error.jira_unreachable", "jira cannot be reached: "+inner.Error(), "error", short(inner.Error())), a.name(), inner)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return &unsent{away}
	}
	return away
}

// me is the account that the token belongs to, asked for once.
func (c *client) me(ctx context.Context) (*user, error) {
	c.mu.Lock()
	self := c.self
	c.mu.Unlock()
	if self != nil {
		return self, nil
	}
	var found user
	if err := c.do(ctx, ask{method: http.MethodGet, path: "myself"}, &found); err != nil {
		return nil, err
	}
	if found.account() == "" {
		return nil, fail("error.jira_no_json", "jira did not say who the account is")
	}
	c.mu.Lock()
	c.self = &found
	c.mu.Unlock()
	return &found, nil
}

// user is somebody in Jira.
type user struct {
	AccountID   string `json:"accountId,omitempty"`
	Name        string `json:"name,omitempty"`
	Key         string `json:"key,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
}

// account is what a person is known by: Cloud has no names, Data Center no ids.
func (u *user) account() string {
	if u == nil {
		return ""
	}
	if u.AccountID != "" {
		return u.AccountID
	}
	return u.Name
}

// assignment is an account in the form in which the flavour wants it.
func (c *client) assignment(account string) map[string]any {
	if c.flavour == Cloud {
		return map[string]any{"accountId": account}
	}
	return map[string]any{"name": account}
}

// esc makes one segment of a path of a key.
func esc(key string) string { return url.PathEscape(strings.TrimSpace(key)) }
