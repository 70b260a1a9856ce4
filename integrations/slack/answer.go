package slack

import (
	"context"
	"net/url"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// answer tells somebody what came of their wish: them alone, unless the reply
// is for the room. Slack's own address for answers works in every channel;
// where there is none, or it is used up, the channel has to do.
func (c *Chat) answer(ctx context.Context, a *asker, reply bot.Reply) {
	lang := a.lang
	if lang == "" {
		lang = c.config.language()
	}
	out := render(*reply.Message, lang)
	if !reply.Private && a.channel != "" && a.once != "" {
		if _, err := c.say(ctx, a.channel, a.thread, a.once, out, limit.Urgent); err != nil {
			c.unanswered(ctx, a, err)
		}
		return
	}
	if c.respondable(a.respond) {
		err := c.sent(ctx, "response_url", "", func(ctx context.Context) error {
			_, _, _, err := c.api.SendMessageContext(ctx, a.channel, api.MsgOptionResponseURL(a.respond, "ephemeral"),
				api.MsgOptionText(out.text, false), api.MsgOptionBlocks(out.blocks...))
			return err
		})
		if err == nil {
			return
		}
	}
	if a.channel == "" {
		return
	}
	err := c.call(ctx, chatPostEphemeral, "", limit.Urgent, func(ctx context.Context) error {
		options := quiet(out)
		if a.thread != "" {
			options = append(options, api.MsgOptionTS(a.thread))
		}
		_, err := c.api.PostEphemeralContext(ctx, a.channel, a.user, options...)
		return err
	})
	if err != nil {
		c.unanswered(ctx, a, err)
	}
}

func (c *Chat) unanswered(ctx context.Context, a *asker, err error) {
	c.log.WarnContext(ctx, "slack: could not answer somebody", "person", a.actor.ID, "channel", a.channel, "error", explain(chatPostEphemeral, err))
}

// respondable says whether an address for answers is Slack's. It came signed,
// but what is posted there may be private.
func (c *Chat) respondable(to string) bool {
	u, err := url.Parse(to)
	if err != nil || to == "" || !safeScheme(u) {
		return false
	}
	if base, err := url.Parse(c.config.api()); err == nil && c.config.API != "" && u.Host == base.Host {
		return true
	}
	host := u.Hostname()
	return u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com"))
}
