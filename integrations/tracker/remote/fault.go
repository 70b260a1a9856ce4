package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// Refusal is an answer that is no success.
type Refusal struct {
	Status int
	Said   string // by the tracker, one line
	asked  string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %d %s", r.asked, r.Status, cmp.Or(r.Said, http.StatusText(r.Status)))
}

// Undone says that what was asked for has surely not happened.
func Undone(err error) bool {
	if _, ok := errors.AsType[*Unsent](err); ok {
		return true
	}
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Status >= 300 && r.Status < 500 && r.Status != http.StatusRequestTimeout
}

func short(s string) string { return bot.Line(s, 300) }

// Fail is an error that names the tracker and its doctor.
func (s System) Fail(code incidents.Code, phrase, message string, args ...string) *incidents.Error {
	return incidents.Fail(code, phrase, message, append(args, "system", s.Name, "doctor", s.Doctor)...).WithHint(s.Doctor)
}

func (s System) passing(phrase, message string, args ...string) *incidents.Error {
	return s.Fail(incidents.Unavailable, phrase, message, args...)
}

// NotThem is an answer that says too little to be the tracker's own.
func (s System) NotThem(why string) error {
	return s.passing("error.tracker_no_json", "what answers is not "+s.Name+": "+why)
}

func (c *Client) notThem(a Ask, kind string) error {
	return fmt.Errorf("%w: %s", c.NotThem(short(kind)), a.name())
}

// hopeless are the answers that asking again does not change.
var hopeless = map[int]struct {
	code   incidents.Code
	phrase string
}{
	http.StatusBadRequest:            {incidents.Invalid, "error.tracker_refused"},
	http.StatusUnauthorized:          {incidents.Unauthenticated, "error.tracker_unauthenticated"},
	http.StatusForbidden:             {incidents.Forbidden, "error.tracker_forbidden"},
	http.StatusNotFound:              {incidents.NotFound, "error.tracker_not_found"},
	http.StatusMethodNotAllowed:      {incidents.Invalid, "error.tracker_refused"},
	http.StatusGone:                  {incidents.NotFound, "error.tracker_not_found"},
	http.StatusRequestEntityTooLarge: {incidents.TooLarge, "error.tracker_too_large"},
	http.StatusUnsupportedMediaType:  {incidents.Invalid, "error.tracker_refused"}, // of a file
	http.StatusUnprocessableEntity:   {incidents.Invalid, "error.tracker_refused"},
}

// refused makes the error of an answer, with what to do about it.
func (c *Client) refused(ctx context.Context, a Ask, resp *http.Response, body []byte) error {
	r := &Refusal{Status: resp.StatusCode, Said: short(c.Words(body)), asked: a.name()}
	h, known := hopeless[resp.StatusCode]
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return c.tooFast(ctx, a, resp.Header, r)
	case resp.StatusCode == http.StatusConflict: // somebody edits the ticket at the same moment
		return &incidents.Later{After: 3 * time.Second, Alone: true, Err: fmt.Errorf("%w: %w", c.passing("error.tracker_edited", "the ticket is being changed"), r)}
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fmt.Errorf("%w: %w", c.Fail(incidents.Invalid, "error.tracker_redirect", "sent to another address", "to", place(resp.Header.Get("Location"))), r)
	case known:
		return fmt.Errorf("%w: %w", c.Fail(h.code, h.phrase, r.Error(), "why", cmp.Or(r.Said, strconv.Itoa(r.Status)), "what", a.Path), r)
	}
	away := fmt.Errorf("%w: %w", c.passing("error.tracker_away", r.Error(), "status", strconv.Itoa(r.Status)), r)
	if again := resp.Header.Get("Retry-After"); again != "" && resp.StatusCode == http.StatusServiceUnavailable {
		return &incidents.Later{After: limit.RetryAfter(c.Now(), again), Err: away}
	}
	return away
}

// place is the host of an address, which is all that is shown of it.
func place(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "?"
	}
	return short(u.Scheme + "://" + u.Host)
}

// tooFast closes the window that a 429 means.
func (c *Client) tooFast(ctx context.Context, a Ask, h http.Header, r *Refusal) error {
	d := c.Wait(h, c.Now())
	c.Pace.Close(ctx, a.class(), "", d)
	e := c.Fail(incidents.Overloaded, "error.tracker_busy", "asked to wait "+d.String(), "for", d.Round(time.Second).String())
	return &incidents.Later{After: d, Err: fmt.Errorf("%w: %w", e, r)}
}

// Until is how long it is until a moment that a header names in seconds since
// 1970, within the bounds that a Retry-After has; 0 where it names none.
func Until(now time.Time, header string) time.Duration {
	s, err := strconv.ParseInt(header, 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Unix(s, 0).Sub(now), time.Second), time.Hour)
}
