package sqlite

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// committing is a commit on its way.
type committing struct{ *record.Encoded }

func (o *committing) size() int {
	n := 256
	for i := range o.Changes {
		n += o.Changes[i].Size + len(o.Changes[i].Snapshot) + len(o.Changes[i].Summary)
	}
	return n
}

// Commit implements storage.Effects.
func (s *Store) Commit(ctx context.Context, c *incidents.Commit) error {
	const doing = "commit"
	e, err := record.Encode(c, s.mem.weigh)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return s.submit(ctx, doing, &committing{e}, 0)
}

func (o *committing) apply(t *tx) (error, error) {
	if refusal, err := o.check(t); refusal != nil || err != nil {
		return refusal, err
	}
	failpoint.Hit("sqlite.commit.before_write")
	if err := o.write(t); err != nil {
		return nil, err
	}
	failpoint.Hit("sqlite.commit.after_write")
	return nil, nil
}

// check says why the commit may not happen. It writes nothing.
func (o *committing) check(t *tx) (refusal, err error) {
	shard := uint16(o.Shard)
	if o.Once != "" {
		k := shardKey{record.OnceKey(o.Once), shard}
		_, now := t.once[k]
		at, before := t.s.mem.once[k]
		if now || before && time.Now().UnixNano()-at < int64(record.OnceHours*time.Hour) {
			return incidents.ErrOnce, nil
		}
	}
	if o.Done != nil && !t.effect(effectKey(o.Done.Effect.Key)).held(o.Done.Token) {
		return incidents.ErrClaimLost, nil
	}
	if f := o.Fold; f != nil && (f.Log < 0 || f.Log >= t.s.shards || t.mark(markKey{o.Shard, f.Log}) != f.From) {
		return incidents.ErrConflict, nil
	}
	for i := range o.Changes {
		h, err := t.head(o.Changes[i].ID)
		if err != nil {
			return nil, err
		}
		if h.version != o.Changes[i].Expect {
			return incidents.ErrConflict, nil
		}
	}
	for _, g := range o.Groups {
		if ids, _ := t.group(shardKey{g.Key, shard}); !slices.Equal(ids, g.Expect) {
			return incidents.ErrConflict, nil
		}
	}
	return nil, nil
}

func (o *committing) write(t *tx) error {
	for i := range o.Changes {
		if err := o.change(t, &o.Changes[i]); err != nil {
			return err
		}
	}
	for _, g := range o.Groups {
		if err := t.setGroup(shardKey{g.Key, uint16(o.Shard)}, g.Next); err != nil {
			return err
		}
	}
	if f := o.Fold; f != nil {
		if err := t.c.exec(setMark, int64(o.Shard), int64(f.Log), f.To); err != nil {
			return err
		}
		t.marks[markKey{o.Shard, f.Log}] = f.To
	}
	if o.Once != "" {
		k, at := shardKey{record.OnceKey(o.Once), uint16(o.Shard)}, time.Now().UnixNano()
		t.s.mem.onceRow++
		if err := t.c.exec(insertOnce, t.s.mem.onceRow, int64(o.Shard), k.key[:], at); err != nil {
			return err
		}
		t.once[k] = at
	}
	for _, body := range o.Facts {
		if err := t.addFact(o.Shard, body); err != nil {
			return err
		}
	}
	return o.effects(t)
}

// effects acknowledges the effect whose outcome the commit is, then asks for
// what must be done next.
func (o *committing) effects(t *tx) error {
	buried := ""
	if d := o.Done; d != nil {
		e := t.effect(effectKey(d.Effect.Key))
		e.finish()
		if e.is.there { // asked for meanwhile: somebody has to hear of it
			t.signal(incidents.Signal{Kind: incidents.SignalEffect, Shard: o.Shard, Lane: d.Effect.Lane})
		}
		if d.Dead != "" {
			buried = d.Effect.Key
			if err := t.bury(d); err != nil {
				return err
			}
		}
	}
	for i := range o.Effects {
		f := &o.Effects[i]
		if f.Key == buried {
			continue
		}
		t.effect(effectKey(f.Key)).enqueue(f, t.s.clock.place(f.Due), t.s.queue.newRow)
		t.signal(incidents.Signal{Kind: incidents.SignalEffect, Shard: o.Shard, Lane: f.Lane})
	}
	return nil
}

// newRow gives the next row of the effects table; only the writer asks.
func (q *queue) newRow() int64 {
	q.row++
	return q.row
}

func (t *tx) bury(d *incidents.Claim) error {
	letter := incidents.DeadLetter{Effect: d.Effect, Reason: d.Dead, Attempt: d.Attempt, At: time.Now().UTC()}
	body, err := json.Marshal(&letter)
	if err != nil {
		return fmt.Errorf("encode dead letter: %w", err)
	}
	return t.c.exec(insertDead, d.Effect.Key, letter.At.UnixNano(), body)
}

func (o *committing) change(t *tx, ch *record.Change) error {
	old, err := t.head(ch.ID)
	if err != nil {
		return err
	}
	h := head{version: ch.Version, since: old.since + int32(ch.Size), weight: old.weight, shard: uint16(o.Shard), open: ch.Open}
	if ch.Snapshot != nil {
		h.since, h.weight = 0, int32(len(ch.Snapshot))
		if err := t.c.exec(setSnapshot, int64(ch.ID), ch.Version, ch.Snapshot); err != nil {
			return err
		}
	}
	for i, body := range ch.Events {
		if err := t.c.exec(insertEvent, eventRow(int64(ch.ID), ch.Expect+int64(i)+1), body); err != nil {
			return err
		}
	}
	if ch.Expect == 0 {
		err = t.c.exec(insertIncident, int64(ch.ID), int64(o.Shard), ch.Version, flag(ch.Open), ch.Service, int64(h.since), int64(h.weight), ch.Summary)
	} else {
		err = t.c.exec(updateIncident, ch.Version, int64(h.since), int64(h.weight), ch.Summary, int64(ch.ID))
	}
	if err != nil {
		return err
	}
	if ch.Expect != 0 && old.open != ch.Open { // apart, because it touches the indexes
		if err := t.c.exec(updateOpen, flag(ch.Open), int64(ch.ID)); err != nil {
			return err
		}
	}
	t.open += int(flag(ch.Open) - flag(old.open))
	t.heads[ch.ID] = h
	t.signal(incidents.Signal{Kind: incidents.SignalIncident, Shard: o.Shard, Incident: ch.ID})
	return nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (t *tx) setGroup(k shardKey, next []incidents.ID) error {
	ids, row := t.group(k)
	switch {
	case len(next) == 0 && len(ids) == 0:
		return nil
	case len(next) == 0:
		if err := t.c.exec(deleteGroup, row); err != nil {
			return err
		}
		row = 0
	case len(ids) == 0:
		t.s.mem.groupRow++
		row = t.s.mem.groupRow
		if err := t.c.exec(insertGroup, row, packGroup(k, next)); err != nil {
			return err
		}
	default:
		if err := t.c.exec(updateGroup, packGroup(k, next), row); err != nil {
			return err
		}
	}
	t.groups[k] = stagedGroup{row: row, ids: slices.Clone(next)}
	return nil
}

// packGroup writes a group as its shard in two bytes, its key, and its open
// incidents as varints.
func packGroup(k shardKey, ids []incidents.ID) []byte {
	b := append(binary.BigEndian.AppendUint16(nil, k.shard), k.key[:]...)
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id))
	}
	return b
}

func unpackGroup(b []byte) (k shardKey, ids []incidents.ID, err error) {
	if len(b) < 2+len(k.key) {
		return k, nil, fmt.Errorf("decode group: %d bytes", len(b))
	}
	k.shard = binary.BigEndian.Uint16(b)
	b = b[2+copy(k.key[:], b[2:]):]
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return k, nil, fmt.Errorf("decode group %s: not a number", k.key)
		}
		ids, b = append(ids, incidents.ID(v)), b[n:]
	}
	return k, ids, nil
}

func (t *tx) addFact(shard int, body []byte) error {
	seq, ok := t.facts[shard]
	if !ok {
		seq = t.s.mem.facts[shard]
	}
	seq++
	t.facts[shard] = seq
	return t.c.exec(insertFact, rowID(shard, seq), body)
}
