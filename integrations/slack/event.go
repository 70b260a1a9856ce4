package slack

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// delivery is an event in its envelope.
type delivery struct {
	Type  string `json:"type"`
	Team  string `json:"team_id"`
	App   string `json:"api_app_id"`
	ID    string `json:"event_id"`
	Event event  `json:"event"`
}

// event is as much of Slack's events as we look at.
type event struct {
	Type     string `json:"type"`
	Subtype  string `json:"subtype"`
	User     string `json:"user"`
	UserTeam string `json:"user_team"` // of somebody who is not of the workspace
	Bot      string `json:"bot_id"`
	Channel  string `json:"channel"`
	Text     string `json:"text"`
	TS       string `json:"ts"`
	Thread   string `json:"thread_ts"`
	Hidden   string `json:"deleted_ts"`
	Message  *said  `json:"message"`
	Previous *said  `json:"previous_message"`
	Reaction string `json:"reaction"`
	Item     struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`
	Tab string `json:"tab"`
}

// said is a message within an event about it.
type said struct {
	User    string `json:"user"`
	Bot     string `json:"bot_id"`
	Text    string `json:"text"`
	TS      string `json:"ts"`
	Subtype string `json:"subtype"`
}

func (c *Chat) event(ctx context.Context, h happening) (outcome, error) {
	var d delivery
	if !c.read(ctx, h, &d) || d.Type != "event_callback" || !c.ours(ctx, d.Team, d.App) {
		return outcome{}, nil
	}
	self, err := c.me(ctx)
	if err != nil {
		return outcome{}, err // whose words these are must be known: they may be our own
	}
	e := &d.Event
	if e.Bot != "" || e.User == self.UserID || e.Message != nil && (e.Message.Bot != "" || e.Message.User == self.UserID) {
		return outcome{}, nil // nobody's wish, whatever it says
	}
	last := h.retry >= lastRetry
	switch e.Type {
	case "app_mention":
		return c.mention(ctx, &d, self.UserID, last)
	case "message":
		return outcome{}, c.message(ctx, e, self.UserID)
	case "reaction_added", "reaction_removed":
		return c.reaction(ctx, &d, last)
	case "app_home_opened":
		if e.Tab == "" || e.Tab == "home" {
			return outcome{then: func(ctx context.Context) { c.home(ctx, e.User) }}, nil
		}
	}
	return outcome{}, nil
}

// mention carries out "@hikeshi ack", which works in threads, where slash
// commands do not.
func (c *Chat) mention(ctx context.Context, d *delivery, self string, last bool) (outcome, error) {
	e := &d.Event
	line, ok := addressed(e.Text, self)
	if !ok || e.Subtype != "" {
		return outcome{}, nil // we are talked about
	}
	a := &asker{user: e.User, channel: e.Channel, thread: e.Thread, once: once(d.ID)}
	if e.UserTeam != "" && e.UserTeam != c.config.Team {
		return c.no(a, stranger("slack.who.outsider", "not a member of this workspace")), nil
	}
	if err := c.meet(ctx, a); err != nil {
		return c.orAgain(c.no(a, err), err, last)
	}
	reply, err := c.desk.Handle(ctx, a.request(line))
	return c.orAgain(c.reply(a, reply), err, last)
}

// orAgain has an event delivered again where that may help; the last time the
// person is told.
func (c *Chat) orAgain(out outcome, err error, last bool) (outcome, error) {
	if err != nil && passing(err) && !last {
		return outcome{}, err
	}
	return out, nil
}

// addressed is what is said to us in a text that begins with our name.
func addressed(text, self string) (line string, ok bool) {
	text = strings.TrimSpace(text)
	for _, name := range []string{"<@" + self + ">", "<@" + self + "|"} {
		if rest, found := strings.CutPrefix(text, name); found {
			if strings.HasSuffix(name, "|") {
				_, rest, _ = strings.Cut(rest, ">")
			}
			return unescaped(strings.TrimLeft(rest, " :,、")), true
		}
	}
	return "", false
}

// message passes on what people say to each other in a room, as it is now.
func (c *Chat) message(ctx context.Context, e *event, self string) error {
	id, found, err := c.directory.Incident(ctx, e.Channel)
	if err != nil || !found {
		return err
	}
	s := incidents.Said{Chat: Name, MessageID: e.TS}
	user, text := e.User, e.Text
	switch e.Subtype {
	case "", "file_share", "thread_broadcast", "me_message":
	case "message_changed":
		if e.Message == nil || e.Previous != nil && e.Message.Text == e.Previous.Text {
			return nil // a preview, a thread's count
		}
		if e.Message.Subtype == "tombstone" { // what is left of it where it had answers
			return c.takenBack(ctx, id, e.Message.TS, e.Previous)
		}
		user, text, s.MessageID, s.Edited = e.Message.User, e.Message.Text, e.Message.TS, true
	case "message_deleted":
		if e.Previous != nil && (e.Previous.Bot != "" || e.Previous.User == self) {
			return nil
		}
		return c.takenBack(ctx, id, e.Hidden, e.Previous)
	default:
		return nil // somebody joined, the topic was set …
	}
	if _, command := addressed(text, self); command {
		return nil // what comes of it is shown
	}
	p, err := c.who(ctx, user)
	if p.no != nil {
		return nil // strangers' words stay where they are
	}
	if err != nil {
		return err
	}
	s.By, s.Text, s.At = p.actor, plain(text), moment(s.MessageID)
	return c.talk.Said(ctx, id, s)
}

// takenBack passes on that a message was deleted, whoever wrote it, and whatever
// became of them since.
func (c *Chat) takenBack(ctx context.Context, id incidents.ID, ts string, was *said) error {
	s := incidents.Said{Chat: Name, MessageID: ts, At: moment(ts), Deleted: true}
	if was != nil {
		if p, err := c.who(ctx, was.User); err == nil {
			s.By = p.actor
		}
	}
	return c.talk.Said(ctx, id, s)
}

// moment is when a message was said: its id begins with it.
func moment(ts string) time.Time {
	seconds, err := strconv.ParseFloat(ts, 64)
	if err != nil || seconds <= 0 || seconds > math.MaxUint32 {
		return time.Time{}
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e6)*1000).UTC()
}

// pins are the reactions that put what somebody said on the timeline: what they
// said has to be read for them, and for no others.
var pins = map[string]bool{"pushpin": true, "round_pushpin": true}

func (c *Chat) reaction(ctx context.Context, d *delivery, last bool) (outcome, error) {
	e := &d.Event
	if e.Item.Type != "message" {
		return outcome{}, nil
	}
	a := &asker{user: e.User, channel: e.Item.Channel, once: once(d.ID)}
	id, found, err := c.directory.Incident(ctx, e.Item.Channel)
	if err != nil || !found {
		return outcome{}, err
	}
	if a.person, err = c.who(ctx, e.User); err != nil {
		if a.no != nil {
			return outcome{}, nil // they were not talking to us
		}
		return outcome{}, err
	}
	a.incident = id
	s, err := c.incidents.Load(ctx, id)
	if err != nil {
		return outcome{}, err
	}
	r := bot.Reaction{Key: chat.KeyOf(s.Rooms[Name], e.Item.TS), Emoji: e.Reaction, Taken: e.Type == "reaction_removed"}
	if r.Key == "" {
		if !pins[e.Reaction] {
			return outcome{}, nil
		}
		if r.Said, err = c.saidAt(ctx, e.Item.Channel, e.Item.TS); err != nil || r.Said == nil {
			return outcome{}, err
		}
	}
	reply, err := c.desk.React(ctx, a.request(""), r)
	return c.orAgain(c.reply(a, reply), err, last)
}

// saidAt is what one of us said, with its own time and author; nil where it was
// a bot or a stranger.
func (c *Chat) saidAt(ctx context.Context, channel, ts string) (*incidents.Said, error) {
	m, err := c.messageAt(ctx, channel, ts)
	if err != nil || m == nil || m.BotID != "" {
		return nil, err
	}
	p, err := c.who(ctx, m.User)
	if p.no != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &incidents.Said{Chat: Name, MessageID: ts, By: p.actor, Text: plain(m.Text), At: moment(ts)}, nil
}

// messageAt reads one message, in a thread or not; nil where there is none.
func (c *Chat) messageAt(ctx context.Context, channel, ts string) (*api.Message, error) {
	var messages []api.Message
	err := c.call(ctx, conversationReplies, "", limit.Normal, func(ctx context.Context) (err error) {
		messages, _, _, err = c.api.GetConversationRepliesContext(ctx, &api.GetConversationRepliesParameters{
			ChannelID: channel, Timestamp: ts, Latest: ts, Inclusive: true, Limit: 1})
		return err
	})
	if refused(err) == "thread_not_found" {
		return nil, nil
	}
	if err != nil {
		return nil, explain(conversationReplies, err)
	}
	for i := range messages {
		if messages[i].Timestamp == ts {
			return &messages[i], nil
		}
	}
	return nil, nil
}
