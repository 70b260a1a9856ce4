package slack

import (
	"context"
	"errors"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// slashCommand is what Slack sends for /inc.
type slashCommand struct {
	Command string `json:"command"`
	Text    string `json:"text"`
	Team    string `json:"team_id"`
	App     string `json:"api_app_id"`
	Channel string `json:"channel_id"`
	User    string `json:"user_id"`
	Trigger string `json:"trigger_id"`
	Respond string `json:"response_url"`
}

// asker is who wants something, and where an answer reaches them.
type asker struct {
	person
	user, channel, thread string
	respond               string // Slack's address for answers; "" for none
	trigger               string // lets us open a modal, for three seconds
	incident              incidents.ID
	once                  string
}

// request is a wish of theirs.
func (a *asker) request(line string) bot.Request {
	return bot.Request{Person: a.actor, Chat: Name, Incident: a.incident, Line: line, Lang: a.lang, Once: a.once}
}

// meet finds out who asks, and in which room.
func (c *Chat) meet(ctx context.Context, a *asker) error {
	p, err := c.who(ctx, a.user)
	a.person = p
	if err != nil {
		return err
	}
	id, found, err := c.directory.Incident(ctx, a.channel)
	if err != nil {
		return err
	}
	if found {
		a.incident = id
	}
	return nil
}

// once names an event or a wish, so that it never works twice.
func once(id string) string {
	if id == "" {
		return ""
	}
	return Name + "/" + id
}

func (c *Chat) command(ctx context.Context, h happening) (outcome, error) {
	var s slashCommand
	if !c.read(ctx, h, &s) || !c.ours(ctx, s.Team, s.App) {
		return outcome{}, nil
	}
	a := &asker{user: s.User, channel: s.Channel, respond: s.Respond, trigger: s.Trigger, once: once(s.Trigger)}
	if err := c.meet(ctx, a); err != nil {
		return c.no(a, err), nil
	}
	if opened, err := c.opens(ctx, a, s.Text); opened {
		if err != nil {
			return c.no(a, err), nil
		}
		return outcome{}, nil
	}
	reply, _ := c.desk.Handle(ctx, a.request(unescaped(s.Text)))
	return c.reply(a, reply), nil
}

// unescaped is what somebody typed after /inc, or after our name.
func unescaped(text string) string { return strings.TrimSpace(plain(text)) }

// no answers somebody who is refused before anything was asked of anybody.
func (c *Chat) no(a *asker, err error) outcome {
	e := wording(err)
	lang := a.lang
	if lang == "" {
		lang = c.config.language()
	}
	return c.reply(a, bot.Reply{Private: true, Message: &bot.Message{Kind: bot.KindReply, Tone: bot.ToneWarn, Text: bot.ErrorText(lang, e)}})
}

// wording is what an error says to people.
func wording(err error) *incidents.Error {
	if e, ok := errors.AsType[*incidents.Error](err); ok {
		return e
	}
	return incidents.Fail(incidents.Unavailable, "error.too_slow", "it took too long and was given up")
}

// reply answers once the acknowledgement is out: Slack may be slow.
func (c *Chat) reply(a *asker, reply bot.Reply) outcome {
	if reply.Message == nil {
		return outcome{} // the room shows it
	}
	return outcome{then: func(ctx context.Context) { c.answer(ctx, a, reply) }}
}
