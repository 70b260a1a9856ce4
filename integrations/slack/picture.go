package slack

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// Pictures go into the thread of their message, beside the room's other
// messages and after them: a chart is worth less than the card. They wait in
// memory. A picture's file is named by its content, so that it is there once;
// of a process that dies in between, or where Slack takes no files, the links
// in the message remain.

// picturing is a message whose pictures shall be in its thread.
type picturing struct {
	channel, message, key string
	since                 time.Time
	images                []bot.Image
}

const (
	maxPicturing = 200              // messages that wait; the pictures of others stay links
	pictureFor   = 2 * time.Minute  // for the pictures of one message, the wait for turns included
	pictureAgain = 10 * time.Minute // after a failure, before the next edit of the message tries again
	maxPictured  = 5000             // messages whose pictures are remembered
)

// pictured remembers what needs no looking after: until when, by message and
// pictures. It keeps each edit of a message from drawing them all again.
type pictured struct {
	mu    sync.Mutex
	until map[string]time.Time // zero: for good
}

// due says whether the pictures should be seen to now, by the caller.
func (p *pictured) due(id string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, known := p.until[id]
	if known && (until.IsZero() || now.Before(until)) {
		return false
	}
	if p.until == nil || len(p.until) >= maxPictured {
		p.until = map[string]time.Time{}
	}
	p.until[id] = now.Add(pictureAgain)
	return true
}

func (p *pictured) done(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until[id] = time.Time{}
}

func (p *picturing) id() string {
	id := p.channel + "/" + p.message
	for _, i := range p.images {
		id += " " + i.Path
	}
	return id
}

// pictureLater has the message's pictures put into its thread.
func (c *Chat) pictureLater(ctx context.Context, room incidents.Room, message string, m *bot.Message) {
	p := picturing{room.ID, message, m.Key, room.OpenedAt, m.Images}
	if len(m.Images) == 0 || c.gallery.Pictures == nil || !c.pictured.due(p.id(), c.now()) {
		return
	}
	select {
	case c.picture <- p:
	default:
		c.gallery.Failed(ctx, m.Key, len(m.Images), errBusy)
	}
}

func (c *Chat) pictureMessages(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-c.picture:
			c.pictureMessage(ctx, &p)
		}
	}
}

// pictureMessage tries twice where that can help: the second time after the
// pause that Slack asked for, and seeing what came of the first.
func (c *Chat) pictureMessage(ctx context.Context, p *picturing) {
	ctx, cancel := context.WithTimeout(ctx, pictureFor)
	defer cancel()
	pictures := c.gallery.Draw(ctx, p.key, p.images)
	if len(pictures) == 0 {
		return
	}
	left, err := c.pictures(ctx, p, pictures)
	if _, busy := errors.AsType[*incidents.Later](err); len(left) > 0 && (busy || ambiguous(err)) {
		left, err = c.pictures(ctx, p, left)
	}
	if c.gallery.Shown(len(pictures) - len(left)); len(left) > 0 {
		c.gallery.Failed(ctx, p.key, len(left), explain(filesComplete, err))
		return
	}
	if len(pictures) == min(len(p.images), chat.MaxPictures) {
		c.pictured.done(p.id())
	}
}

// pictures uploads those that are not there, and returns the ones that it
// could not.
func (c *Chat) pictures(ctx context.Context, p *picturing, all []chat.Picture) ([]chat.Picture, error) {
	there, err := c.search(ctx, p.channel, p.message, p.since)
	if err != nil {
		return all, err
	}
	for i := range all {
		one := &all[i]
		if there["file/"+one.Name] != "" {
			continue
		}
		err := c.upload(ctx, p.channel, p.message, upload{
			name: one.Name, title: one.Image.Title, alt: one.Image.Alt, content: string(one.PNG), lane: limit.Idle, wait: pictureFor})
		if err != nil {
			return all[i:], err
		}
	}
	return nil, nil
}
