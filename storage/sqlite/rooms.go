package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
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
		err = t.c.exec(insertPosting, eventRow(no, seq), no, p.key, rev, at.UnixNano(), p.body)
	} else {
		p.out = postingOf(p.room, row)
		if bytes.Equal(p.out.Body, p.body) {
			return nil, nil
		}
		rev++
		p.out.Rev, p.out.Edited, p.out.Body = rev, at, p.body
		err = t.c.exec(updatePosting, rev, at.UnixNano(), p.body, eventRow(no, p.out.Seq))
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

// postingOf makes a posting of the columns key, row, rev, at, edited, body.
func postingOf(room string, row columns) incidents.Posting {
	p := incidents.Posting{
		Room: room, Key: text(row[0]), Seq: seqOf(integer(row[1])), Rev: integer(row[2]),
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
	return s.postings(ctx, room, postingsByRev, func(no int64) []driver.Value {
		return []driver.Value{no, afterRev, int64(record.Rows(max))}
	})
}

// LastPostings implements storage.Rooms.
func (s *Store) LastPostings(ctx context.Context, room string, beforeSeq int64, max int) ([]incidents.Posting, error) {
	list, err := s.postings(ctx, room, postingsBySeq, func(no int64) []driver.Value {
		end := eventRow(no+1, 0)
		if beforeSeq > 0 {
			end = min(end, eventRow(no, beforeSeq))
		}
		return []driver.Value{eventRow(no, 0), end, int64(record.Rows(max))}
	})
	slices.Reverse(list)
	return list, err
}

func (s *Store) postings(ctx context.Context, room string, q query, args func(no int64) []driver.Value) ([]incidents.Posting, error) {
	list := []incidents.Posting{}
	err := s.read(ctx, "read a room", func(c *conn) error {
		found, err := c.one(getRoom, room)
		if err != nil || found == nil {
			return err
		}
		return c.each(q, func(row columns) error {
			list = append(list, postingOf(room, row))
			return nil
		}, args(integer(found[0]))...)
	})
	return list, err
}
