package discord

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// refusal is an answer that is no success.
type refusal struct {
	status int
	code   int
	what   string // Discord's words
	asked  string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: discord says %d %s (code %d)", r.asked, r.status, cmp.Or(r.what, http.StatusText(r.status)), r.code)
}

// codeOf is Discord's error code in err; 0 where there is none.
func codeOf(err error) int {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code
	}
	return 0
}

// refused makes the error of an answer.
func (c *Client) refused(ctx context.Context, a ask, resp *http.Response, body []byte) error {
	var said struct {
		Code       int     `json:"code"`
		Message    string  `json:"message"`
		RetryAfter float64 `json:"retry_after"`
		Global     bool    `json:"global"`
	}
	_ = json.Unmarshal(body, &said) // HTML where Cloudflare answers: then the status has to do
	r := &refusal{status: resp.StatusCode, code: said.Code, what: bot.Line(said.Message, 200), asked: a.name()}
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		if resp.Header.Get("X-RateLimit-Scope") != "shared" {
			c.spent.spend()
		}
		return c.tooFast(ctx, a, resp.Header, said.RetryAfter, said.Global || said.RetryAfter <= 0, r)
	case http.StatusUnauthorized:
		if a.bare { // an interaction's token has run out, not ours
			return r
		}
		c.spent.spend()
		return fmt.Errorf("%w: %w", incidents.Fail(incidents.Unavailable, "error.discord_revoked", "discord does not accept the bot's token any more").WithHint("hikeshi discord doctor"), r)
	case http.StatusForbidden:
		c.spent.spend()
	}
	return r
}

// tooFast closes the window that a 429 names. Without a number in it somebody in
// front of Discord answered, and everything is closed.
func (c *Client) tooFast(ctx context.Context, a ask, h http.Header, after float64, global bool, r *refusal) error {
	d := seconds(strconv.FormatFloat(after, 'f', -1, 64))
	if d == 0 {
		d = limit.RetryAfter(c.now(), h.Get("Retry-After"))
	}
	d = min(max(d, time.Second/4), maxWindow)
	if global || h.Get("X-RateLimit-Global") == "true" || h.Get("X-RateLimit-Scope") == "global" {
		c.pace.Close(ctx, "", "", d)
	} else {
		c.pace.Close(ctx, a.class, a.key, d)
	}
	busy := incidents.Fail(incidents.Overloaded, "error.discord_busy", "discord asks us to wait "+d.String(), "for", d.Round(time.Second).String())
	return &incidents.Later{After: d, Err: fmt.Errorf("%w: %w", busy, r)}
}

func tooManyRefusals(wait time.Duration) error {
	return &incidents.Later{After: wait, Err: incidents.Fail(incidents.Overloaded, "error.discord_refusals",
		"discord refused "+strconv.Itoa(maxRefusals)+" requests in ten minutes; nothing is asked until fewer are", "n", strconv.Itoa(maxRefusals)).WithHint("hikeshi discord doctor")}
}

// missing says which permission is missing, where that is what err is about.
func missing(err error, names string) error {
	if code := codeOf(err); code != codeMissingPermission && code != codeMissingAccess {
		return err
	}
	return fmt.Errorf("%w: %w", incidents.Fail(incidents.Forbidden, "error.discord_permission",
		"the bot lacks a permission in Discord: "+names, "permission", names).WithHint("hikeshi discord invite"), err)
}

// gone says that a room is no longer there.
func gone(room incidents.Room, err error) error {
	return fmt.Errorf("%w: %w", incidents.Fail(incidents.NotFound, "error.discord_room_gone",
		"the channel #"+room.Name+" was deleted in Discord", "room", room.Name), err)
}
