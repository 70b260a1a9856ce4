package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Rooms is the console as a chat: the bot.Poster that war rooms are kept up to
// date through. A room is nothing but its name, and a message has its key, so
// there is exactly one room per incident and one copy of each message by
// construction: doing either twice changes nothing.
type Rooms struct {
	Store RoomStore
	Links bot.Links
	Now   func() time.Time
}

var _ bot.Poster = Rooms{}

// OpenRoom names the incident's room.
func (r Rooms) OpenRoom(_ context.Context, s *incidents.Incident) (incidents.Room, error) {
	name := s.Slug()
	if failpoint.Planted("random-room") {
		name += "-" + rand.Text()
	}
	failpoint.Hit("web.room.opened")
	return incidents.Room{ID: name, Name: name, URL: r.Links.Incident(s.ID), OpenedAt: r.Now()}, nil
}

// Post puts a message into the room under its key, in all its languages.
func (r Rooms) Post(ctx context.Context, room incidents.Room, key string, m bot.LocalMessage, previous incidents.Posted) (incidents.Posted, error) {
	raw, err := json.Marshal(body{In: m})
	if err != nil {
		return previous, fmt.Errorf("encode message %s: %w", key, err)
	}
	failpoint.Hit("web.room.before_post")
	p, err := r.Store.Post(ctx, room.ID, key, raw, r.Now())
	failpoint.Hit("web.room.after_post")
	if err != nil {
		return previous, fmt.Errorf("post message %s to room %s: %w", key, room.ID, err)
	}
	return incidents.Posted{ID: strconv.FormatInt(p.Seq, 10)}, nil
}
