package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Directory knows which incident a channel is the room of.
type Directory interface {
	Put(ctx context.Context, channel string, id incidents.ID) error
	Incident(ctx context.Context, channel string) (incidents.ID, bool, error)
}

// Poster keeps war rooms in a guild. It is a bot.Poster.
type Poster struct {
	config Config
	client *Client
	links  bot.Links
	rooms  Directory
	log    *slog.Logger
	shown  chat.Gallery

	mu    sync.Mutex
	known map[string]*standing // by channel
}

var _ bot.Poster = (*Poster)(nil)

// PosterOptions is what a Poster needs.
type PosterOptions struct {
	Config Config
	Client *Client
	Links  bot.Links
	Rooms  Directory
	Shown  chat.Gallery // the pictures of messages
	Logger *slog.Logger
}

// NewPoster makes one.
func NewPoster(o PosterOptions) *Poster {
	return &Poster{config: o.Config, client: o.Client, links: o.Links, rooms: o.Rooms, log: o.Logger, shown: o.Shown, known: map[string]*standing{}}
}

// laneFirst is for what people wait for.
const laneFirst = limit.Urgent

// lane says what goes first where not everything can go at once.
func lane(m *bot.Message) limit.Lane {
	switch {
	case m.Live:
		return limit.Idle
	case m.Kind == bot.KindApproval, m.Kind == bot.KindCard, m.Kind == bot.KindRun, m.Tone == bot.ToneBad:
		return limit.Urgent
	case m.Kind == bot.KindDiagnostics, m.Kind == bot.KindSuggestions:
		return limit.Idle // tables that are refreshed
	}
	return limit.Normal
}

// Post posts a message under its key, or edits it where it stands. A message
// that an earlier attempt left behind, which nobody could write down, is found
// by Discord itself for some minutes (its nonce), later by looking through the
// room, and edited.
func (p *Poster) Post(ctx context.Context, room incidents.Room, key string, m bot.LocalMessage, previous incidents.Posted) (incidents.Posted, error) {
	one := m.In(p.config.Language)
	out := rendered(&one, p.config.Language, p.mark(room, key), p.more(room, key))
	out.pictures = p.shown.Draw(ctx, key, one.Images)
	if previous.ID != "" {
		_, err := p.edit(ctx, room, previous.ID, &one, out)
		if codeOf(err) != codeUnknownMessage {
			return previous, p.explain(room, err)
		}
		if one.Live { // the next sync posts it, and writes down where
			return previous, bot.ErrGone
		}
		p.log.InfoContext(ctx, "a message of ours was deleted in Discord and is posted again", "room", room.Name, "key", key)
	}
	id, err := p.adopted(ctx, room, &one, out)
	if err == nil && id == "" {
		id, err = p.create(ctx, room, key, &one, out, previous)
	}
	if err != nil {
		return previous, p.explain(room, err)
	}
	failpoint.Hit("discord.post.posted")
	if one.Pinned {
		if err := p.pin(ctx, room, id); err != nil {
			return previous, p.explain(room, err)
		}
	}
	return incidents.Posted{ID: id}, nil
}

// explain gives an error its meaning for people.
func (p *Poster) explain(room incidents.Room, err error) error {
	switch codeOf(err) {
	case codeUnknownChannel:
		p.forget(room.ID)
		return gone(room, err)
	case codeMissingPermission, codeMissingAccess:
		return missing(err, "View Channels, Send Messages, Embed Links, Attach Files")
	}
	return err
}

// edit brings a message that stands up to date.
func (p *Poster) edit(ctx context.Context, room incidents.Room, id string, m *bot.Message, out payload) (string, error) {
	failpoint.Hit("discord.post.before_edit")
	return id, p.client.show(ctx, p.shown, ask{
		method: http.MethodPatch, path: "/channels/" + room.ID + "/messages/" + id, class: classEdit, key: room.ID, lane: lane(m),
	}, out, nil)
}

// create posts a message that does not stand yet.
func (p *Poster) create(ctx context.Context, room incidents.Room, key string, m *bot.Message, out payload, previous incidents.Posted) (string, error) {
	failpoint.Hit("discord.post.before_post")
	out.Nonce, out.Enforce = nonce(room.ID, key, previous.ID), true
	var stands message
	err := p.client.show(ctx, p.shown, ask{
		method: http.MethodPost, path: "/channels/" + room.ID + "/messages", class: classPost, key: room.ID, lane: lane(m),
	}, out, &stands)
	if err != nil {
		if codeOf(err) == 0 { // it may stand all the same
			p.forget(room.ID)
		}
		return "", err
	}
	if !isID(stands.ID) {
		p.forget(room.ID)
		return "", errNoID
	}
	p.note(room.ID, stands.ID)
	if stands.shows(&out) {
		return stands.ID, nil
	}
	out.Nonce, out.Enforce = "", false // an earlier attempt's, with an earlier content
	return p.edit(ctx, room, stands.ID, m, out)
}

// nonce names a message for Discord, which answers with the one that stands
// where the same was posted in the last minutes.
// https://docs.discord.com/developers/resources/message#create-message
func nonce(room, key, previous string) string {
	sum := sha256.Sum256([]byte(room + "\x00" + key + "\x00" + previous))
	return base32.StdEncoding.EncodeToString(sum[:])[:maxNonce]
}

// mark is what the foot of a message says: which message it is.
func (p *Poster) mark(room incidents.Room, key string) string {
	return room.Name + " · " + key
}

// more is where the whole of a message can be read.
func (p *Poster) more(room incidents.Room, key string) string {
	id, ok := roomIncident(room.Name)
	if !ok || p.links.Base == "" {
		return ""
	}
	return p.links.Incident(id) + "#" + key
}

// pin puts a message on top. Without the permission the room is still of use:
// the log says it, and so does the doctor.
func (p *Poster) pin(ctx context.Context, room incidents.Room, id string) error {
	err := p.client.do(ctx, ask{
		method: http.MethodPut, path: "/channels/" + room.ID + "/messages/pins/" + id,
		class: classPin, key: room.ID, lane: laneFirst,
	}, nil)
	failpoint.Hit("discord.post.pinned")
	switch codeOf(err) {
	case codeMissingPermission, codeTooManyPins:
		p.log.WarnContext(ctx, "the card could not be pinned", "room", room.Name, "permission", "Pin Messages", "error", err, "hint", "hikeshi discord doctor")
		return nil
	}
	return err
}

// sinceEpoch is the time in a snowflake.
func sinceEpoch(id int64) time.Time { return time.UnixMilli(id>>22 + 1420070400000) }
