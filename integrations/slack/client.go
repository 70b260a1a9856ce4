package slack

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// Limiter gives turns for requests.
type Limiter interface {
	Wait(ctx context.Context, class, key string, lane limit.Lane) error
	Close(ctx context.Context, class, key string, d time.Duration)
}

// callTime bounds one request. An effect has 20 s.
const callTime = 8 * time.Second

// client sends requests to Slack: each waits for its turn, none is sent twice,
// and a refusal closes the window for everybody.
type client struct {
	api    *api.Client
	limits Limiter
	now    func() time.Time
	log    *slog.Logger
	team   string

	mu   sync.Mutex
	self *api.AuthTestResponse // once it is known
}

func newClient(c Config, limits Limiter, transport http.RoundTripper, now func() time.Time, log *slog.Logger) *client {
	options := []api.Option{api.OptionAPIURL(c.api()), api.OptionHTTPClient(newDoor(transport))}
	if c.AppToken != "" {
		options = append(options, api.OptionAppLevelToken(c.AppToken))
	}
	return &client{api: api.New(c.Token, options...), limits: limits, now: now, log: log, team: c.Team}
}

// call sends one request of method. key tells the channels apart where Slack
// counts by channel. Its error is Slack's own; explain puts it into words.
func (c *client) call(ctx context.Context, method, key string, lane limit.Lane, send func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return c.callWithin(ctx, callTime, method, key, lane, send)
}

// soon is how long making a room waits for its turn before it is given back:
// in a storm the slots of the worker are for the rooms that there are, and of
// those that wait the most severe one is to come next.
const soon = 250 * time.Millisecond

// callWithin is call with another bound of the wait for a turn.
func (c *client) callWithin(ctx context.Context, bound time.Duration, method, key string, lane limit.Lane, send func(ctx context.Context) error) error {
	waiting, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	if err := c.limits.Wait(waiting, method, key, lane); err != nil {
		return &unsentError{err}
	}
	return c.sent(ctx, method, key, send)
}

// sent sends a request whose turn it is.
func (c *client) sent(ctx context.Context, method, key string, send func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := send(ctx)
	if err == nil {
		return nil
	}
	if e, ok := asTooMany(err); ok {
		after := limit.RetryAfter(c.now(), e.after)
		c.limits.Close(ctx, method, key, after)
		return later(method, after, err)
	}
	if word := refused(err); word == "ratelimited" || word == "rate_limited" || word == "message_limit_exceeded" {
		after := limit.RetryAfter(c.now(), "")
		c.limits.Close(ctx, method, key, after)
		return later(method, after, err)
	}
	return fmt.Errorf("%s: %w", method, err)
}

// me is who the token belongs to. A token of another workspace is refused: its
// rooms would be made where nobody looks for them.
func (c *client) me(ctx context.Context) (*api.AuthTestResponse, error) {
	c.mu.Lock()
	self := c.self
	c.mu.Unlock()
	if self != nil {
		return self, nil
	}
	err := c.call(ctx, authTest, "", limit.Urgent, func(ctx context.Context) (err error) {
		self, err = c.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return nil, explain(authTest, err)
	}
	if self.TeamID != c.team {
		return nil, incidents.Fail(incidents.Forbidden, "slack.error.other_team", "the token is of workspace "+self.TeamID+", the configuration names "+c.team,
			"team", self.TeamID, "wanted", c.team).WithHint("hikeshi slack doctor")
	}
	if self.UserID == "" {
		return nil, incidents.Fail(incidents.Unavailable, "slack.error.away", "slack did not say who we are", "method", authTest, "error", "no user_id")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.self = self
	return self, nil
}
