package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Limiter is the pace of what is asked, shared between replicas.
type Limiter interface {
	Wait(ctx context.Context, class, key string, lane limit.Lane) error
	Close(ctx context.Context, class, key string, d time.Duration)
}

// The classes of requests.
const (
	ClassRead   = "read"
	ClassWrite  = "write"
	ClassSearch = "search"
)

const (
	maxAnswer   = 1 << 20 // bytes that are read of an answer
	callTimeout = 12 * time.Second
)

// System is what there is to know of one kind of tracker.
type System struct {
	Name   string // as its maker writes it: "GitLab"
	Doctor string // what looks for mistakes: "hikeshi gitlab doctor"
	// Words are what the tracker says in the body of a refusal.
	Words func(body []byte) string
	// Wait is how long a 429 asks to wait.
	Wait func(h http.Header, now time.Time) time.Duration
}

// Client asks things of one tracker.
type Client struct {
	System
	Base      string      // what all paths begin with: "https://gitlab.example.com/api/v4/"
	Header    http.Header // on each request: who asks
	Pace      Limiter
	Transport http.RoundTripper // nil: the default one
	Now       func() time.Time
}

// Ask is one request.
type Ask struct {
	Method, Path string
	Query        url.Values
	Form         url.Values // the body, as a form
	JSON         any        // the body, as JSON
	Body         *tracker.Body
	Class        string // "" is ClassRead, or ClassWrite where there is a body
	Lane         limit.Lane
}

func (a Ask) class() string {
	switch {
	case a.Class != "":
		return a.Class
	case a.Method == http.MethodGet:
		return ClassRead
	default:
		return ClassWrite
	}
}

func (a Ask) name() string { return a.Method + " " + a.Path }

// Unsent is a failure before anything was sent.
type Unsent struct{ err error }

func (u *Unsent) Error() string { return u.err.Error() }
func (u *Unsent) Unwrap() error { return u.err }

// NotSent says of a failure that came before the request was sent.
func NotSent(err error) error { return &Unsent{err} }

// Do sends it once and reads the answer into out, which may be nil.
func (c *Client) Do(ctx context.Context, a Ask, out any) error {
	body, err := c.Raw(ctx, a, maxAnswer)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return c.notThem(a, "")
	}
	return nil
}

// Raw sends it once; the answer may have up to most bytes.
func (c *Client) Raw(ctx context.Context, a Ask, most int64) ([]byte, error) {
	if err := c.Pace.Wait(ctx, a.class(), "", a.Lane); err != nil {
		return nil, &Unsent{err}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := c.request(ctx, a)
	if err != nil {
		return nil, &Unsent{fmt.Errorf("make %s: %w", a.name(), err)}
	}
	client := http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // never with the token
	resp, err := client.Do(req)
	if err != nil {
		return nil, c.unanswered(a, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	_ = resp.Body.Close()
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("the answer has more than %d MiB", most>>20)
	}
	switch good := resp.StatusCode >= 200 && resp.StatusCode < 300; {
	case !good: // of a refusal the beginning is enough
		return nil, c.refused(ctx, a, resp, body)
	case err != nil:
		return nil, c.unanswered(a, err)
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return nil, c.notThem(a, resp.Header.Get("Content-Type"))
	}
	return body, nil
}

func (c *Client) request(ctx context.Context, a Ask) (*http.Request, error) {
	var body io.Reader
	kind := ""
	switch {
	case a.Form != nil:
		body, kind = strings.NewReader(a.Form.Encode()), "application/x-www-form-urlencoded"
	case a.Body != nil:
		body, kind = bytes.NewReader(a.Body.Bytes), a.Body.Kind
	case a.JSON != nil:
		b, err := json.Marshal(a.JSON)
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(b), "application/json"
	}
	address := c.Base + a.Path
	if len(a.Query) > 0 {
		address += "?" + a.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, a.Method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header = c.Header.Clone()
	req.Header.Set("Accept", "application/json")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

func (c *Client) unanswered(a Ask, err error) error {
	inner := err
	if u, ok := errors.AsType[*url.Error](err); ok {
		inner = u.Err // the address is said already
	}
	away := fmt.Errorf("%w: %s: %w", c.passing("error.tracker_unreachable", c.Name+" cannot be reached: "+inner.Error(), "error", short(inner.Error())), a.name(), inner)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return &Unsent{away}
	}
	return away
}
