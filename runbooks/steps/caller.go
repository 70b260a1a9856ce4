package steps

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Caller talks to one system's HTTP API, whose address is the operator's: no
// redirects, no proxy, no connection used twice, answers of 1 MiB at most.
type Caller struct {
	base   *url.URL
	header http.Header
	client *http.Client
}

// NewCaller makes one for the base URL; header has the credentials.
func NewCaller(base string, header http.Header) (*Caller, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the URL is not of the form https://host:port, without a user")
	}
	return &Caller{base: u, header: header, client: &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, TLSHandshakeTimeout: dialTimeout,
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// A StatusError is an answer that is a refusal.
type StatusError struct {
	Code int
	Body []byte
}

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP %d", e.Code) }

const askTime = 15 * time.Second // for one question; there will be another

// Get asks; path begins with a slash and is escaped.
func (c *Caller) Get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	code, body, err := c.do(ctx, http.MethodGet, path, query, nil)
	if err == nil && code != http.StatusOK {
		err = &StatusError{code, body}
	}
	return body, err
}

// Post sends once. An error is an [ErrUnsure] unless it is certain that nothing
// was done: nobody was reached, or the answer is a refusal (4xx).
func (c *Caller) Post(ctx context.Context, path string, body []byte) ([]byte, error) {
	code, answer, err := c.do(ctx, http.MethodPost, path, nil, body)
	switch {
	case err != nil && neverSent(err):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnsure, err)
	case code >= 200 && code < 300:
		return answer, nil
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout:
		return nil, &StatusError{code, answer}
	}
	return nil, fmt.Errorf("%w: HTTP %d", ErrUnsure, code)
}

// do makes one request. It has no Idempotency-Key, for which net/http would send it
// again by itself.
func (c *Caller) do(ctx context.Context, method, path string, query url.Values, body []byte) (int, []byte, error) {
	u, err := c.base.Parse(strings.TrimRight(c.base.EscapedPath(), "/") + path)
	if err != nil {
		return 0, nil, fmt.Errorf("make the URL: %w", err)
	}
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("make the request: %w", err)
	}
	req.GetBody = nil
	req.Header = c.header.Clone()
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	code, answer, err := fetch(c.client, req)
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // the URL is ours
	}
	return code, answer, err
}

// neverSent says that the request did not leave: no name, no connection, no TLS.
func neverSent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	return certificate
}
