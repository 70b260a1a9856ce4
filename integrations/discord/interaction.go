package discord

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// The types of interactions.
// https://docs.discord.com/developers/interactions/receiving-and-responding
const (
	kindPing      = 1
	kindCommand   = 2
	kindComponent = 3
	kindComplete  = 4
	kindForm      = 5
)

// interaction is something that a person did with the bot.
type interaction struct {
	ID      string  `json:"id"`
	App     string  `json:"application_id"`
	Type    int     `json:"type"`
	Token   string  `json:"token"`
	Guild   string  `json:"guild_id"`
	Channel string  `json:"channel_id"`
	Locale  string  `json:"locale"`
	Member  *member `json:"member"`
	Data    struct {
		Name    string   `json:"name"`
		Options []given  `json:"options"`
		ID      string   `json:"custom_id"`
		Values  []string `json:"values"`
		Rows    []struct {
			Parts []part `json:"components"`
		} `json:"components"`
	} `json:"data"`
}

type member struct {
	User struct {
		ID     string `json:"id"`
		Name   string `json:"username"`
		Global string `json:"global_name"`
		Bot    bool   `json:"bot"`
	} `json:"user"`
	Nick    string   `json:"nick"`
	Roles   []string `json:"roles"`
	Pending bool     `json:"pending"`
}

// Loader finds an incident.
type Loader interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
}

// InboxOptions is what an Inbox needs.
type InboxOptions struct {
	Config    Config
	Client    *Client
	Desk      chat.Desk
	Talk      chat.Talk
	Rooms     Directory
	Incidents Loader
	Commands  []bot.Command
	Links     bot.Links
	Shown     chat.Gallery // the pictures of answers
	Tally     *chat.Tally  // nil: nobody reads it
	Logger    *slog.Logger
	Now       func() time.Time
}

// Inbox hears what people do in the guild.
type Inbox struct {
	InboxOptions
	config  Config
	now     func() time.Time
	log     *slog.Logger
	replays replays
	works   works
	prompt  time.Duration // promptly
}

// NewInbox makes one.
func NewInbox(o InboxOptions) *Inbox {
	if o.Tally == nil {
		o.Tally = chat.NewTally(Chat)
	}
	return &Inbox{InboxOptions: o, config: o.Config, now: o.Now, log: o.Logger, works: newWorks(), prompt: promptly}
}

// Take carries out an interaction and answers it, within promptly or so: with
// what came of it, or with the promise of that, which is then kept.
func (in *Inbox) Take(ctx context.Context, i *interaction) (out answer) {
	lang := language(i.Locale)
	defer func() {
		if p := recover(); p != nil {
			in.panicked(ctx, "an interaction", i.ID, p)
			if out = in.sentence(broken(lang, i.ID)); i.Type == kindComplete {
				out = noChoices()
			}
		}
	}()
	who, refused := in.person(i.Guild, i.Member)
	if i.App != in.config.App {
		refused = "discord.refused.guild"
	}
	if refused != "" {
		in.log.WarnContext(ctx, "a person was refused", "person", bot.Line(who.ID, 80), "guild", bot.Line(i.Guild, 30), "why", refused)
		if i.Type == kindComplete {
			return noChoices()
		}
		return in.sentence(phrases.T(lang, refused))
	}
	q := bot.Request{Person: who, Chat: Chat, Lang: lang, Once: Chat + ":" + i.ID}
	room, known, err := in.Rooms.Incident(ctx, i.Channel)
	if err != nil {
		in.log.WarnContext(ctx, "whose room a channel is could not be looked up", "channel", bot.Line(i.Channel, 30), "error", err)
		return in.sentence(phrases.T(lang, "discord.try_again"))
	}
	if known {
		q.Incident = room
	}
	switch i.Type {
	case kindComplete:
		return in.complete(ctx, i, q)
	case kindCommand:
		line, form := in.typed(i, lang)
		if form != nil {
			return *form
		}
		q.Line = line
		return in.promised(ctx, i, q, in.Desk.Handle)
	case kindForm:
		q.Line = formLine(i)
		return in.promised(ctx, i, q, in.Desk.Handle)
	case kindComponent:
		button := i.Data.ID
		if len(i.Data.Values) > 0 {
			button = i.Data.Values[0]
		}
		return in.promised(ctx, i, q, func(ctx context.Context, q bot.Request) (bot.Reply, error) { return in.Desk.Press(ctx, q, button) })
	}
	return in.sentence(phrases.T(lang, "discord.refused.kind"))
}

// person is who did it: by ids that last, never by a name. refused is why they
// are not heard.
func (in *Inbox) person(guild string, m *member) (who incidents.Actor, refused string) {
	if m == nil || guild != in.config.Guild || !isID(m.User.ID) {
		return who, "discord.refused.guild"
	}
	name := m.Nick
	for _, other := range []string{m.User.Global, m.User.Name} {
		if name == "" {
			name = other
		}
	}
	who = incidents.Actor{ID: "discord:" + guild + "/" + m.User.ID, Name: bot.Line(name, 100)}
	switch {
	case m.User.Bot:
		return who, "discord.refused.bot"
	case m.Pending:
		return who, "discord.refused.pending"
	case !in.config.hears(m):
		return who, "discord.refused.role"
	}
	return who, ""
}

func language(locale string) string {
	if strings.HasPrefix(locale, phrases.Japanese) {
		return phrases.Japanese
	}
	return phrases.English
}
