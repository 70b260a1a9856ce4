package jira

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	jira "github.com/andygrunwald/go-jira"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// refusal is an answer that is no success.
type refusal struct {
	status int
	fields map[string]string // what Jira says of single fields
	said   string            // all of it, one line
	asked  string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: jira says %d %s", r.asked, r.status, cmp.Or(r.said, http.StatusText(r.status)))
}

// maxSaid bounds what people are shown of Jira's own words.
const maxSaid = 300

func short(s string) string { return bot.Line(s, maxSaid) }

// fail is a failure that passes.
func fail(phrase, message string, args ...string) *incidents.Error {
	return incidents.Fail(incidents.Unavailable, phrase, message, args...).WithHint("hikeshi jira doctor")
}

// undone says that what was asked for has surely not happened.
func undone(err error) bool {
	if _, ok := errors.AsType[*unsent](err); ok {
		return true
	}
	r, ok := errors.AsType[*refusal](err)
	return ok && r.status >= 300 && r.status < 500 && r.status != http.StatusRequestTimeout
}

// hopeless are the answers that asking again does not change.
var hopeless = map[int]struct {
	code   incidents.Code
	phrase string
}{
	http.StatusBadRequest:            {incidents.Invalid, "error.jira_refused"},
	http.StatusUnauthorized:          {incidents.Unauthenticated, "error.jira_unauthenticated"},
	http.StatusForbidden:             {incidents.Forbidden, "error.jira_forbidden"},
	http.StatusNotFound:              {incidents.NotFound, "error.jira_not_found"},
	http.StatusMethodNotAllowed:      {incidents.Invalid, "error.jira_removed"},
	http.StatusGone:                  {incidents.Invalid, "error.jira_removed"},
	http.StatusRequestEntityTooLarge: {incidents.TooLarge, "error.jira_too_large"},
	http.StatusUnprocessableEntity:   {incidents.Invalid, "error.jira_refused"},
}

// refused makes the error of an answer, with what to do about it.
func (c *client) refused(ctx context.Context, a ask, resp *jira.Response, cause error) error {
	r := &refusal{status: resp.StatusCode, asked: a.name()}
	if said, ok := errors.AsType[*jira.Error](jira.NewJiraError(resp, cause)); ok {
		r.fields = said.Errors
		r.said = words(said)
	}
	h, known := hopeless[resp.StatusCode]
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return c.tooFast(ctx, a, resp.Header, r)
	case resp.StatusCode == http.StatusConflict: // somebody edits the issue at the same moment
		return &incidents.Later{After: 3 * time.Second, Alone: true, Err: fmt.Errorf("%w: %w", fail("error.jira_edited", "jira is changing the issue for somebody else"), r)}
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e := incidents.Fail(incidents.Invalid, "error.jira_redirect", "jira sends us to another address", "to", place(resp.Header.Get("Location")))
		return fmt.Errorf("%w: %w", e.WithHint("hikeshi jira doctor"), r)
	case known:
		e := incidents.Fail(h.code, h.phrase, r.Error(), "why", cmp.Or(r.said, strconv.Itoa(resp.StatusCode)), "what", a.path)
		return fmt.Errorf("%w: %w", e.WithHint("hikeshi jira doctor"), r)
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		d := limit.RetryAfter(c.now(), resp.Header.Get("Retry-After"))
		return &incidents.Later{After: d, Err: fmt.Errorf("%w: %w", away(resp.StatusCode), r)}
	}
	return fmt.Errorf("%w: %w", away(resp.StatusCode), r)
}

func away(status int) *incidents.Error {
	return fail("error.jira_away", "jira answers "+strconv.Itoa(status), "status", strconv.Itoa(status))
}

// words are all that Jira says, on one line.
func words(e *jira.Error) string {
	all := slices.Clone(e.ErrorMessages)
	for _, field := range slices.Sorted(maps.Keys(e.Errors)) {
		all = append(all, field+": "+e.Errors[field])
	}
	return short(strings.Join(all, " "))
}

// place is the host of an address, which is all that is shown of it.
func place(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "?"
	}
	return short(u.Scheme + "://" + u.Host)
}

// tooFast closes the window that a 429 means: of one issue, or of everything.
func (c *client) tooFast(ctx context.Context, a ask, h http.Header, r *refusal) error {
	d := limit.RetryAfter(c.now(), h.Get("Retry-After"))
	busy := fmt.Errorf("%w: %w", incidents.Fail(incidents.Overloaded, "error.jira_busy", "jira asks us to wait "+d.String(), "for", d.Round(time.Second).String()), r)
	if strings.Contains(h.Get("RateLimit-Reason"), "per-issue") {
		c.pace.Close(ctx, a.class(), a.key, d)
		return &incidents.Later{After: d, Alone: true, Err: busy}
	}
	c.pace.Close(ctx, "", "", d)
	return &incidents.Later{After: d, Err: busy}
}

// notJSON is a success that says nothing: a proxy's page, or a log-in.
func notJSON(a ask, resp *jira.Response) error {
	return fmt.Errorf("%w: %s: %d %s", fail("error.jira_no_json", "what answers is no Jira"), a.name(), resp.StatusCode, short(resp.Header.Get("Content-Type")))
}

func asError(err error) (*incidents.Error, bool) { return errors.AsType[*incidents.Error](err) }
