package sqlite

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// posting is a message on its way into a room.
type posting struct {
	room, key string
	body      []byte
	at        time.Time
	out       incidents.Posting // how it stands, once it is answered
}

func (p *posting) size() int { return len(p.body) + 64 }

func (p *posting) apply(t *tx) (error, error) {
	room, err := t.c.one(getRoom, p.room)
	if err == nil && room == nil {
		if err = t.c.exec(insertRoom, p.room); err == nil {
			room, err = t.c.one(getRoom, p.room)
		}
	}
	if err != nil {
		return nil, err
	}
	no, seq, rev := integer(room[0]), integer(room[1]), integer(room[2])
	row, err := t.c.one(getPosting, no, p.key)
	if err != nil {
		return nil, err
	}
	at := p.at.UTC().Round(0)
	if row == nil {
		seq, rev = seq+1, rev+1
		p.out = incidents.Posting{Room: p.room, Key: p.key, Seq: seq, Rev: rev, At: at, Body: p.body}
		err = t.c.exec(insertPosting, no, seq, p.key, rev, at.UnixNano(), p.body)
	} else {
		p.out = postingOf(p.room, row)
		if bytes.Equal(p.out.Body, p.body) {
			return nil, nil
		}
		rev++
		p.out.Rev, p.out.Edited, p.out.Body = rev, at, p.body
		err = t.c.exec(updatePosting, rev, at.UnixNano(), p.body, no, p.out.Seq)
	}
	if err == nil {
		err = t.c.exec(updateRoom, seq, rev, no)
	}
	if err != nil {
		return nil, err
	}
	failpoint.Hit("sqlite.post.after_write")
	t.signal(incidents.Signal{Kind: incidents.SignalRoom, Room: p.room})
	return nil, nil
}

// postingOf makes a posting of the columns key, seq, rev, at, edited, body.
func postingOf(room string, row columns) incidents.Posting {
	p := incidents.Posting{
		Room: room, Key: text(row[0]), Seq: integer(row[1]), Rev: integer(row[2]),
		At: time.Unix(0, integer(row[3])).UTC(), Body: blob(row[5]),
	}
	if edited := integer(row[4]); edited != 0 {
		p.Edited = time.Unix(0, edited).UTC()
	}
	return p
}

var errNoRoom = errors.New("a posting needs a room and a key")

// Post implements storage.Rooms.
func (s *Store) Post(ctx context.Context, room, key string, body []byte, at time.Time) (incidents.Posting, error) {
	if room == "" || key == "" {
		return incidents.Posting{}, errNoRoom
	}
	p := &posting{room: room, key: key, body: append([]byte{}, body...), at: at}
	if err := s.submit(ctx, "post to a room", p, 0); err != nil {
		return incidents.Posting{}, err
	}
	return p.out, nil
}

// Postings implements storage.Rooms.
func (s *Store) Postings(ctx context.Context, room string, afterRev int64, max int) ([]incidents.Posting, error) {
	return s.postings(ctx, postingsByRev, room, afterRev, max)
}

// LastPostings implements storage.Rooms.
func (s *Store) LastPostings(ctx context.Context, room string, beforeSeq int64, max int) ([]incidents.Posting, error) {
	if beforeSeq <= 0 {
		beforeSeq = math.MaxInt64
	}
	list, err := s.postings(ctx, postingsBySeq, room, beforeSeq, max)
	slices.Reverse(list)
	return list, err
}

func (s *Store) postings(ctx context.Context, q query, room string, bound int64, max int) ([]incidents.Posting, error) {
	list := []incidents.Posting{}
	err := s.read(ctx, "read a room", func(c *conn) error {
		return c.each(q, func(row columns) error {
			list = append(list, postingOf(room, row))
			return nil
		}, room, bound, int64(record.Rows(max)))
	})
	return list, err
}
