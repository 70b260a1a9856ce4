package tracker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime/multipart"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// File is what a ticket gets to keep.
type File struct {
	Key  string // what it is: a ticket has one file of each key, whose name begins with it
	Name string
	Text []byte
}

// Body is what a request carries that is no JSON.
type Body struct {
	Kind  string // its Content-Type
	Bytes []byte
}

// Form is the file as browsers send one, in a part called "file".
func (f File) Form() (*Body, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", f.Name)
	if err == nil {
		_, err = part.Write(f.Text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", f.Name, err)
	}
	return &Body{w.FormDataContentType(), b.Bytes()}, nil
}

// Attacher is a Tracker whose tickets take files.
type Attacher interface {
	// Attach gives the ticket the file, unless it has the one with that key. A
	// refusal (Forbidden, NotFound, TooLarge, Invalid) says that it takes none.
	Attach(ctx context.Context, key string, f File) error
}

// Log is where an incident's events are read from.
type Log interface {
	Events(ctx context.Context, id incidents.ID, after int64, most int) ([]incidents.Event, error)
}

// postmortem gives the ticket of a closed incident its postmortem: as a file,
// and where the tracker takes none, as a comment that leads to it. Once for each
// closing: one that was reopened has another story to tell.
func (y *Syncer) postmortem(ctx context.Context, t *incidents.Ticket, s *incidents.Incident) error {
	to, takes := y.Tracker.(Attacher)
	if !takes || y.Log == nil || s.Status() != incidents.Closed || s.Closed == nil || t.Attached.Equal(s.Closed.At) {
		return nil
	}
	events, err := y.story(ctx, s.ID)
	if err != nil {
		return err
	}
	lang := y.lang(s)
	text := []byte(bot.Story{Links: y.Links, Now: y.Now, Clean: y.Clean}.Postmortem(lang, s, events))
	sum := sha256.Sum256(text)
	f := File{Key: "postmortem-" + s.ID.String() + "-" + s.Closed.At.UTC().Format("20060102T150405Z"), Text: text}
	f.Name = f.Key + "-" + hex.EncodeToString(sum[:4]) + ".md"
	err = to.Attach(ctx, t.Key, f)
	if refused(err) {
		err = y.Tracker.Comment(ctx, t.Key, bot.TicketComment{Key: f.Key, At: s.Closed.At, Text: bot.WherePostmortem(lang, s.ID, y.Links)})
	}
	if err != nil {
		return err
	}
	t.Attached = s.Closed.At
	return nil
}

// story is the log of an incident until it was closed: what happens afterwards
// does not make another postmortem of a second attempt.
func (y *Syncer) story(ctx context.Context, id incidents.ID) ([]incidents.Event, error) {
	const page = 500
	var all []incidents.Event
	for closed := 0; ; {
		after := int64(0)
		if n := len(all); n > 0 {
			after = all[n-1].Seq
		}
		next, err := y.Log.Events(ctx, id, after, page)
		if err != nil {
			return nil, fmt.Errorf("read the events of %s: %w", id, err)
		}
		for i := range next {
			all = append(all, next[i])
			if next[i].Kind == incidents.EventClosed {
				closed = len(all)
			}
		}
		if len(next) < page {
			return all[:closed], nil
		}
	}
}
