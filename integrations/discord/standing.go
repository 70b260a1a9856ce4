package discord

import (
	"context"
	"errors"
	"net/http"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

var errNoID = errors.New("discord answered without an id")

// standing is what we know to stand in a room without being told by the
// incident: what an attempt that died may have left behind.
type standing struct {
	loose map[string]string // what a message says of itself → its id
	taken map[string]bool   // ids that have an owner
}

// maxKnown bounds how many rooms are remembered; of a forgotten one the
// messages are read again.
const maxKnown = 2000

// fresh notes a room that was made just now: nothing stands in it.
func (p *Poster) fresh(room string) { p.remember(room, &standing{taken: map[string]bool{}}) }

func (p *Poster) remember(room string, s *standing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[room] = s
}

// forget makes the next post look again: the last one may or may not stand.
func (p *Poster) forget(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, room)
}

// note takes a message out of those that nobody owns.
func (p *Poster) note(room, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.known[room]; s != nil && len(s.taken) < maxKnown {
		s.taken[id] = true
	}
}

// adopted finds the message in the room where an earlier attempt left it, and
// brings it up to date; "" where there is none.
func (p *Poster) adopted(ctx context.Context, room incidents.Room, m *bot.Message, out payload) (string, error) {
	p.mu.Lock()
	known := p.known[room.ID]
	p.mu.Unlock()
	if known == nil {
		var err error
		if known, err = p.look(ctx, room); err != nil {
			return "", err
		}
		p.remember(room.ID, known)
	}
	p.mu.Lock()
	id := known.loose[sign(out.Content, out.Embeds)]
	delete(known.loose, sign(out.Content, out.Embeds))
	if known.taken[id] {
		id = ""
	}
	if id != "" {
		known.taken[id] = true
	}
	p.mu.Unlock()
	if id == "" {
		return "", nil
	}
	return p.edit(ctx, room, id, m, out)
}

// sign is what tells a message from others of the room: its foot, or for a
// line what it says.
func sign(content string, embeds []embed) string {
	if len(embeds) > 0 && embeds[0].Footer != nil {
		return "\x00" + embeds[0].Footer.Text
	}
	return content
}

// look reads the newest messages of the room, and keeps our own.
func (p *Poster) look(ctx context.Context, room incidents.Room) (*standing, error) {
	self, err := p.client.Self(ctx)
	if err != nil {
		return nil, err
	}
	var all []message
	err = p.client.do(ctx, ask{method: http.MethodGet, path: "/channels/" + room.ID + "/messages?limit=100", class: classRead, key: room.ID, lane: laneFirst}, &all)
	if err != nil {
		return nil, err
	}
	s := &standing{loose: map[string]string{}, taken: map[string]bool{}}
	for i := range all {
		if all[i].Author.ID == self && (all[i].Content != "" || len(all[i].Embeds) > 0) {
			s.loose[sign(all[i].Content, all[i].Embeds)] = all[i].ID
		}
	}
	for key, p := range room.Posted {
		_ = key
		s.taken[p.ID] = true
	}
	return s, nil
}
