// Package ask is what the sources of the first investigation that are behind an
// HTTP API have in common: one request and its answer (Client), several questions
// at the same time (Each), points sorted into series (Gather), lines of a log
// compared with before (Trends), and a page to look at (Link).
//
// It promises that an answer is bounded, in bytes, series and points; that what
// did not fit is counted; that credentials go to the configured server and no
// other; and that an error has no address in it. Start with Client.
package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	mostBody = 8 << 20          // of one answer, in bytes, unpacked
	longest  = 15 * time.Second // of one question, where whoever asks has no deadline
)

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	name   string
	base   *url.URL
	header http.Header
	http   *http.Client
}

// New makes one for the server at address; header has the credentials.
func New(name, address string, header http.Header) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("%q is no address of a server: https://host:port, without a user", address)
	}
	return &Client{name: name, base: base, header: header, http: &http.Client{
		// Investigations are minutes apart: a connection that is kept is one more to find dead.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("it redirects elsewhere") // the credentials are for this server
		},
	}}, nil
}

// Address is the server's, without a slash at its end.
func (c *Client) Address() string { return c.base.String() }

// Get asks; path begins with a slash and is escaped.
func (c *Client) Get(ctx context.Context, path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

// Form asks by POST, as queries that are too long for an address are.
func (c *Client) Form(ctx context.Context, path string, form url.Values, into any) error {
	return c.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", []byte(form.Encode()), into)
}

// JSON asks by POST with body as JSON.
func (c *Client) JSON(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.name, err)
	}
	return c.do(ctx, http.MethodPost, path, "application/json", b, into)
}

func (c *Client) do(ctx context.Context, method, path, kind string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.name, err)
	}
	if c.header != nil {
		req.Header = c.header.Clone()
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	req.Header.Set("User-Agent", "hikeshi")
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.name, withoutAddress(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostBody+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of %s: %w", c.name, err)
	case len(answer) > mostBody:
		return fmt.Errorf("the answer of %s is larger than %d MiB", c.name, mostBody>>20)
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted:
		return &Refused{Name: c.name, Code: resp.StatusCode, Reason: reason(answer)}
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s answered no JSON that is expected (%s): %w", c.name, mediaType(resp), err)
	}
	return nil
}

// Refused is an answer that says no.
type Refused struct {
	Name   string
	Code   int
	Reason string // in the server's words, "" where it has none
}

func (r *Refused) Error() string {
	text := fmt.Sprintf("%s answered %d %s", r.Name, r.Code, http.StatusText(r.Code))
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	return text
}

// withoutAddress leaves out the address, which people know by its name.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func mediaType(resp *http.Response) string {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return Cut(kind)
}

// reason is what the server said was wrong, where it said so in one of the usual
// forms: a field "error" or "message", a list "errors" of such, or a line of text.
func reason(body []byte) string {
	var said struct {
		Error, Message json.RawMessage
		Errors         []struct{ Message string }
	}
	if json.Unmarshal(body, &said) != nil {
		if line := strings.TrimSpace(string(body)); !strings.ContainsAny(line, "<\n") {
			return Cut(line)
		}
		return ""
	}
	for _, raw := range []json.RawMessage{said.Error, said.Message} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return Cut(text)
		}
	}
	if len(said.Errors) > 0 {
		return Cut(said.Errors[0].Message)
	}
	return ""
}

// Cut shortens what somebody else wrote to what a sentence can hold.
func Cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), incidents.MaxValue)], "")
}
