package slack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// maxAnswer bounds what is read of an answer, in bytes. A page of 200 messages
// with their blocks stays below it.
const maxAnswer = 4 << 20

// door is what every request goes out through: it bounds answers, follows no
// redirect, which could carry the token elsewhere, and reads a refusal's
// Retry-After as it was written. It sends nothing twice.
type door struct{ client *http.Client }

func newDoor(transport http.RoundTripper) door {
	return door{&http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// tooMany is a 429, with its Retry-After as it came.
type tooMany struct{ after string }

func (e *tooMany) Error() string { return "slack answered 429, Retry-After " + e.after }

// badAnswer is one that says nothing about whether the request was carried out.
type badAnswer struct{ what string }

func (e *badAnswer) Error() string { return "slack answered with " + e.what }

// Do sends a request.
func (d door) Do(req *http.Request) (*http.Response, error) {
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); {
	case resp.StatusCode == http.StatusTooManyRequests:
		return nil, &tooMany{resp.Header.Get("Retry-After")}
	case err != nil:
		return nil, err
	case len(body) > maxAnswer:
		return nil, &badAnswer{fmt.Sprintf("more than %d bytes", maxAnswer)}
	case resp.StatusCode != http.StatusOK:
		return nil, &badAnswer{"status " + resp.Status}
	case kind != "application/json" && kind != "text/plain": // an upload's answer is plain text
		return nil, &badAnswer{"content of type " + kind}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// asTooMany finds a 429 in an error.
func asTooMany(err error) (*tooMany, bool) { return errors.AsType[*tooMany](err) }
