package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The times of an edit of the table. Nobody else edits it for as long as showing,
// and an edit ends before that, with some seconds for clocks that differ.
const (
	showing = 30 * time.Second
	editing = 20 * time.Second
	patient = 250 * time.Millisecond // who waits longer for their turn comes again
	noting  = 5 * time.Second
)

// table is what should stand in the shared room, and its hash.
func (d *stormDoc) table() (bot.LocalMessage, string) {
	rows := make([]bot.StormRow, 0, len(d.Rows))
	for _, r := range d.Rows {
		rows = append(rows, bot.StormRow{ID: r.ID, Severity: r.Severity, Title: r.Title, State: r.State})
	}
	table := bot.StormTable(rows, d.More, d.Last)
	body, err := json.Marshal(table)
	if err != nil {
		panic("chat: a table of strings did not encode: " + err.Error())
	}
	return table, incidents.KeyOf(string(body)).String()
}

// owes says whether there is a table that must be edited.
func (d *stormDoc) owes() bool {
	if d.Room.ID == "" {
		return false
	}
	_, sum := d.table()
	return sum != d.Shown
}

// show edits the table where it differs from the one that stands. One at a time
// does, over all replicas: else there would be two tables, or an older one would
// come to stand last. Who waits finds it done, or comes again: a replica that
// dies over an edit leaves it to them.
func (t *Storm) show(ctx context.Context) error {
	for pause := patient / 16; ; pause *= 2 {
		doc, _, err := t.read(ctx)
		switch {
		case err != nil || !doc.owes():
			return err
		case !doc.Showing.After(t.Now()):
			return t.edit(ctx)
		case pause > patient:
			return t.again("the table of the storm is being edited")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// edit takes the turn and edits. A crash before it is noted posts the same key
// again, which changes nothing.
func (t *Storm) edit(ctx context.Context) error {
	mine := false
	doc, err := t.change(ctx, func(d *stormDoc, now time.Time) {
		if mine = d.Room.ID != "" && !d.Showing.After(now); mine {
			d.Turn++
			d.Showing, d.Shown = now.Add(showing), "" // whatever becomes of us, it is looked at again
		}
	})
	if err != nil {
		return err
	}
	if !mine {
		return t.again("the table of the storm is being edited")
	}
	table, sum := doc.table()
	bounded, cancel := context.WithTimeout(ctx, editing)
	posted, err := t.Poster.Post(bounded, doc.Room, "storm", table, incidents.Posted{ID: doc.Table})
	cancel()
	if err != nil {
		err = fmt.Errorf("post the table of a storm: %w", err)
	}
	return errors.Join(err, t.edited(ctx, doc, posted.ID, sum, err == nil))
}

// edited notes what came of an edit. Whoever took so long that the turn was
// another's may have put an older table over theirs, or may be about to see that
// done: it is edited once more.
func (t *Storm) edited(ctx context.Context, doc stormDoc, id, sum string, ok bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noting)
	defer cancel()
	lost := false
	_, err := t.change(ctx, func(d *stormDoc, _ time.Time) {
		if lost = false; d.Name != doc.Name {
			return // another storm has begun
		}
		if lost = d.Turn != doc.Turn; lost {
			d.Shown = ""
			d.Turn++
			return
		}
		d.Showing = time.Time{}
		if ok {
			d.Table, d.Shown = id, sum
		}
	})
	if err == nil && lost {
		err = t.again("somebody else edited the table of the storm")
	}
	return err
}

// again has an effect tried again soon; nothing else has to wait for it.
func (t *Storm) again(why string) error {
	return &incidents.Later{After: time.Second, Alone: true, Err: incidents.Fail(incidents.Overloaded, "error.chat_limit", why, "provider", t.Chat, "seconds", "1")}
}
