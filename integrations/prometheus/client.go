// Package prometheus asks a Prometheus, or anything that speaks its HTTP API,
// for numbers: instant and range queries, nothing else.
//
// API: https://prometheus.io/docs/prometheus/latest/querying/api/
//
// It promises to follow no redirect and no proxy of the environment, to read
// no more than MaxReply, to end within its timeout, and that its errors are
// *incidents.Error: Invalid where the query is wrong, Unavailable where the
// server is, TooLarge where the answer is. Start with New.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// MaxReply is the largest answer that is read, in bytes.
const MaxReply = 1 << 20

// DefaultTimeout is how long a query may take where Options do not say.
const DefaultTimeout = 10 * time.Second

// Options of a Client.
type Options struct {
	URL     string        // http://prometheus:9090, or with a path prefix
	Bearer  string        // a token for the header Authorization; "" for none
	Timeout time.Duration // for one query, connection included; 0: DefaultTimeout
}

// Client is safe for use by several goroutines.
type Client struct {
	base    *url.URL
	bearer  string
	timeout time.Duration
	http    *http.Client
}

// New checks the options; it does not connect.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	switch {
	case err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "":
		return nil, fail(incidents.Invalid, "the URL of prometheus is not of the form http://prometheus:9090", "")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fail(incidents.Invalid, "the URL of prometheus holds more than an address and a path", "give a token in its own setting")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	return &Client{base: base, bearer: o.Bearer, timeout: o.Timeout, http: &http.Client{
		Transport:     &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Query evaluates query at one moment; the zero time is the server's now.
func (c *Client) Query(ctx context.Context, query string, at time.Time) ([]Sample, error) {
	v := url.Values{"query": {query}}
	if !at.IsZero() {
		v.Set("time", seconds(at))
	}
	return c.get(ctx, "api/v1/query", v)
}

// QueryRange evaluates query at start, start+step, … up to end. The samples
// come series by series, each in order of time.
func (c *Client) QueryRange(ctx context.Context, query string, start, end time.Time, step time.Duration) ([]Sample, error) {
	if step <= 0 || end.Before(start) {
		return nil, fail(incidents.Invalid, "a range query needs a step above zero and an end after its start", "")
	}
	return c.get(ctx, "api/v1/query_range", url.Values{
		"query": {query}, "start": {seconds(start)}, "end": {seconds(end)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	})
}

// seconds since 1970, to the millisecond that Prometheus keeps.
func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

func (c *Client) get(ctx context.Context, path string, v url.Values) ([]Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	v.Set("timeout", c.timeout.String()) // so that the server stops too
	u := c.base.JoinPath(path)
	u.RawQuery = v.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask prometheus: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxReply+1))
	if err != nil {
		return nil, c.unreachable(err)
	}
	if len(body) > MaxReply {
		return nil, fail(incidents.TooLarge, fmt.Sprintf("prometheus answered with more than %d bytes", MaxReply), "ask for fewer series, a shorter range or a longer step")
	}
	return decode(resp.StatusCode, body)
}

// unreachable explains a failed exchange without the URL, which holds the query.
func (c *Client) unreachable(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fail(incidents.Unavailable, fmt.Sprintf("prometheus did not answer within %s", c.timeout), "try again, or make the query cheaper")
	}
	return fail(incidents.Unavailable, "prometheus cannot be reached: "+err.Error(), "check its address: curl "+c.base.JoinPath("-/ready").String())
}

func fail(code incidents.Code, message, hint string) error {
	return &incidents.Error{Code: code, Message: message, Hint: hint}
}
