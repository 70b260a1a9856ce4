package slack

import (
	"context"
	"errors"
	"strconv"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Post posts a message under its key, or edits it in place. See history.go for
// why posting a key twice shows it once.
func (c *Chat) Post(ctx context.Context, room incidents.Room, key string, m bot.LocalMessage, previous incidents.Posted) (incidents.Posted, error) {
	message := m.In(c.config.language())
	out := render(message, c.config.language())
	id := previous.ID
	if id == "" {
		var err error
		if id, err = c.find(ctx, room, key); err != nil {
			return previous, err
		}
	}
	switch err := c.update(ctx, room.ID, id, out, laneOf(message)); {
	case refused(err) == "message_not_found" && message.Live: // the next sync posts it, and writes down where
		return previous, bot.ErrGone
	case id == "" || refused(err) == "message_not_found": // the second: somebody deleted it
		if id, err = c.post(ctx, room, key, out, laneOf(message)); err != nil {
			return previous, err
		}
	case err != nil:
		return previous, explain(chatUpdate, err)
	}
	if message.Pinned && previous.ID != id {
		if err := c.pin(ctx, room.ID, id); err != nil {
			return previous, err // the next attempt finds the message by its key
		}
	}
	if err := c.overflow(ctx, room, id, key, out.long); err != nil {
		return previous, err
	}
	c.pictureLater(ctx, room, id, &message)
	return incidents.Posted{ID: id}, nil
}

// laneOf says what goes first when Slack lets us send little.
func laneOf(m bot.Message) limit.Lane {
	switch {
	case m.Live:
		return limit.Idle
	case m.Kind == bot.KindApproval, m.Kind == bot.KindCard, m.Kind == bot.KindRun, m.Tone == bot.ToneBad:
		return limit.Urgent
	case m.Kind == bot.KindDiagnostics, m.Kind == bot.KindSuggestions:
		return limit.Idle
	}
	return limit.Normal
}

// find looks for a message that an earlier attempt may have posted.
func (c *Chat) find(ctx context.Context, room incidents.Room, key string) (string, error) {
	if id, certain := c.memory.knows(room.ID, key, c.now()); certain {
		return id, nil
	}
	began := c.now()
	ids, err := c.search(ctx, room.ID, "", room.OpenedAt)
	if err != nil {
		return "", explain(conversationHistory, err)
	}
	c.memory.learn(room.ID, ids, began)
	return ids[key], nil
}

// quiet are the options of everything we say: no previews, no names made into
// mentions, nothing parsed.
func quiet(out rendered) []api.MsgOption {
	return []api.MsgOption{api.MsgOptionText(out.text, false), api.MsgOptionBlocks(out.blocks...), api.MsgOptionParse(false), api.MsgOptionLinkNames(false)}
}

func (c *Chat) update(ctx context.Context, channel, id string, out rendered, lane limit.Lane) error {
	if id == "" {
		return nil
	}
	return c.call(ctx, chatUpdate, "", lane, func(ctx context.Context) error {
		_, _, _, err := c.api.UpdateMessageContext(ctx, channel, id, quiet(out)...)
		return err
	})
}

var errNoID = errors.New("slack took a message and did not say its id")

// post posts a message that is not there. After an attempt whose end nobody
// knows it looks whether the message came to stand there before it gives up.
func (c *Chat) post(ctx context.Context, room incidents.Room, key string, out rendered, lane limit.Lane) (string, error) {
	id, err := c.say(ctx, room.ID, "", key, out, lane)
	if err == nil {
		c.memory.posted(room.ID, key, id, c.now())
		return id, nil
	}
	if ambiguous(err) {
		c.memory.doubt(room.ID)
		if found, searchErr := c.find(context.WithoutCancel(ctx), room, key); searchErr == nil && found != "" {
			return found, nil
		}
		c.memory.doubt(room.ID) // it may yet arrive
	}
	return "", explain(chatPostMessage, err)
}

// say posts a message, in a thread where one is named.
func (c *Chat) say(ctx context.Context, channel, thread, key string, out rendered, lane limit.Lane) (id string, err error) {
	options := append(quiet(out), api.MsgOptionDisableLinkUnfurl(), api.MsgOptionDisableMediaUnfurl(), metadata(key))
	if thread != "" {
		options = append(options, api.MsgOptionTS(thread))
	}
	failpoint.Hit("slack.post.before_send")
	err = c.call(ctx, chatPostMessage, channel, lane, func(ctx context.Context) (err error) {
		_, id, err = c.api.PostMessageContext(ctx, channel, options...)
		if err == nil && id == "" {
			err = errNoID
		}
		return err
	})
	failpoint.Hit("slack.post.after_send")
	return id, err
}

// pin puts a message on top. The room is of use without, so a refusal is only
// logged; what never got an answer is tried again, for nobody else ever would.
func (c *Chat) pin(ctx context.Context, channel, id string) error {
	err := c.call(ctx, pinsAdd, "", limit.Urgent, func(ctx context.Context) error {
		return c.api.AddPinContext(ctx, channel, api.NewRefToMessage(channel, id))
	})
	failpoint.Hit("slack.post.pinned")
	switch word := refused(err); {
	case err == nil || word == "already_pinned":
		return nil
	case word == "" || ambiguous(err):
		return explain(pinsAdd, err)
	}
	c.log.WarnContext(ctx, "slack: could not pin the card", "channel", channel, "error", explain(pinsAdd, err))
	return nil
}

// stamp is a moment as Slack writes it.
func stamp(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10) + "." + "000000"
}
