package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// staged is one effect while a transaction has it. It is out of its heap until
// the transaction ends, so nobody claims it meanwhile.
type staged struct {
	slot    int32 // in the queue; -1: it was not there
	was, is state
	body    *incidents.Effect // to be written; nil: the row stays as it is
}

type state struct {
	there   bool
	claimed bool
	token   int64
	row     int64
	due     int64
	again   int64
	urgency uint8
	attempt uint16
}

// pin takes the effect out of everybody else's reach and says what it is.
func (q *queue) pin(key incidents.Key) staged {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, ok := q.index[key]
	if !ok {
		return staged{slot: -1}
	}
	it := &q.items[i]
	st := state{there: true, row: it.row, due: it.due, urgency: it.urgency, attempt: it.attempt}
	if c := q.claims[i]; c != nil {
		st.claimed, st.token, st.again = true, c.token, c.again
	}
	q.remove(i)
	return staged{slot: i, was: st, is: st}
}

// unpin puts it back as it was.
func (q *queue) unpin(s *staged) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.slot >= 0 {
		q.push(s.slot)
	}
}

// settle makes what the transaction committed true in memory.
func (q *queue) settle(key incidents.Key, s *staged, now int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case s.slot < 0 && !s.is.there:
	case s.slot < 0:
		lane := q.laneIndex(laneKey{s.body.Shard, s.body.Lane})
		q.add(item{key: key, row: s.is.row, due: s.is.due, lane: lane, urgency: s.is.urgency, attempt: s.is.attempt})
		if s.is.due < now+soon && len(q.bodies) < maxBodies {
			q.bodies[s.is.row] = s.body
		}
	case !s.is.there:
		q.drop(s.slot)
	case s.is.claimed: // the lease may have been extended meanwhile: leave due alone
		q.claims[s.slot].again = s.is.again
		q.items[s.slot].urgency = s.is.urgency
		q.push(s.slot)
	default:
		delete(q.claims, s.slot)
		it := &q.items[s.slot]
		it.due, it.urgency, it.attempt = s.is.due, s.is.urgency, s.is.attempt
		q.push(s.slot)
	}
}

// enqueue asks for the effect.
func (s *staged) enqueue(f *incidents.Effect, due int64, row func() int64) {
	urgency := uint8(record.Urgency(f.Urgency))
	switch {
	case !s.is.there:
		if s.was.there { // finished and asked for again in one transaction
			s.is = state{there: true, row: s.was.row, due: due, urgency: urgency}
			return
		}
		body := *f
		s.is, s.body = state{there: true, row: row(), due: due, urgency: urgency}, &body
		return
	case s.is.claimed:
		if s.is.again == 0 || due < s.is.again {
			s.is.again = due
		}
	case due < s.is.due:
		s.is.due = due
	}
	s.is.urgency = min(s.is.urgency, urgency)
}

// held says whether token is the claim that counts.
func (s *staged) held(token int64) bool { return s.is.there && s.is.claimed && s.is.token == token }

// finish acknowledges the claim: the effect is gone, or waits for the turn
// asked for meanwhile.
func (s *staged) finish() {
	if s.is.again == 0 {
		s.is = state{}
		return
	}
	s.is = state{there: true, row: s.is.row, due: s.is.again, urgency: s.is.urgency}
}

// retry gives the claim back.
func (s *staged) retry(due int64) {
	s.is = state{there: true, row: s.is.row, due: due, urgency: s.is.urgency, attempt: s.is.attempt}
}

// write brings the effect's row up to date.
func (s *staged) write(key incidents.Key, t *tx) error {
	switch {
	case !s.was.there && !s.is.there:
		return nil
	case !s.was.there:
		f := s.body
		return t.c.exec(insertEffect, s.is.row, s.head(key, laneKey{f.Shard, f.Lane}, t.s.clock), f.Key, string(f.Kind), int64(f.Incident), f.Arg)
	case !s.is.there:
		return t.c.exec(deleteEffect, s.was.row)
	case s.is.claimed || s.is == s.was:
		return nil // a claim is not written down: after a crash the effect waits as it did
	}
	return t.c.exec(updateEffect, s.head(key, t.s.queue.laneKey(s.slot), t.s.clock), s.is.row)
}

// headSize is the fixed part of a row's head: the hash of the effect's key, when
// it is due, the attempts so far, the urgency and the shard. The lane's name
// follows. It is one column, since at the start all heads are read.
const headSize = 16 + 8 + 2 + 1 + 2

func (s *staged) head(key incidents.Key, lane laneKey, clk clock) []byte {
	b := append(make([]byte, 0, headSize+len(lane.name)), key[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(clk.wall(s.is.due).UnixNano()))
	b = binary.BigEndian.AppendUint16(b, s.is.attempt)
	b = append(b, s.is.urgency)
	b = binary.BigEndian.AppendUint16(b, uint16(lane.shard))
	return append(b, lane.name...)
}

// rowHead is what a head says; the item's due is by the wall clock.
type rowHead struct {
	item
	lane laneKey
}

func unpackHead(b []byte) (h rowHead, err error) {
	if len(b) <= headSize {
		return h, fmt.Errorf("decode the head of an effect: %d bytes", len(b))
	}
	copy(h.key[:], b)
	h.due = int64(binary.BigEndian.Uint64(b[16:]))
	h.attempt = binary.BigEndian.Uint16(b[24:])
	h.urgency = uint8(record.Urgency(int(b[26])))
	h.lane = laneKey{int(binary.BigEndian.Uint16(b[27:])), string(b[headSize:])}
	return h, nil
}

// effectOf makes an effect of its row.
func effectOf(row columns) (incidents.Effect, error) {
	if len(row) == 0 {
		return incidents.Effect{}, errors.New("the row of an effect is gone")
	}
	h, err := unpackHead(blob(row[0]))
	return incidents.Effect{
		Key: text(row[1]), Kind: incidents.EffectKind(text(row[2])), Incident: incidents.ID(integer(row[3])), Arg: text(row[4]),
		Shard: h.lane.shard, Lane: h.lane.name, Due: time.Unix(0, h.due).UTC(), Urgency: int(h.urgency),
	}, err
}
