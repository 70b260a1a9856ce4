package chat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// How many rooms a chat gets where nothing else is configured: more than that
// nobody can read, and Slack makes 20 a minute for everything.
const (
	DefaultPerMinute = 5
	DefaultPerHour   = 20
)

// StormOptions is what a Storm needs.
type StormOptions struct {
	Chat      string
	Poster    bot.Poster // the chat's own
	Store     Settings   // shared by the replicas
	Customer  string     // whose rooms these are; OpenRoom and Post find it
	PerMinute int
	PerHour   int
	Now       func() time.Time
}

// Storm stands before a chat's Poster and bounds how many rooms are made. An
// incident beyond it becomes a row of one table in a room that all of them
// share, until a person wants a room for it (incidents.WantRoom). A part of
// the rooms is kept for SEV1 and SEV2. What was granted and which rows there are stands in one
// document of the store, so that replicas share it, and after a crash the same
// incident is not counted twice, and the same room is found again.
type Storm struct{ StormOptions }

// NewStorm makes one.
func NewStorm(o StormOptions) *Storm { return &Storm{StormOptions: o} }

var _ bot.Poster = (*Storm)(nil)

// stormDoc is what the replicas share.
type stormDoc struct {
	Granted []grant        `json:"granted,omitempty"` // within the last hour
	Name    string         `json:"name,omitempty"`    // of the room that is shared now
	Room    incidents.Room `json:"room,omitzero"`     // without an ID: not made yet
	Making  time.Time      `json:"making,omitzero"`   // until when somebody is making it
	Last    time.Time      `json:"last,omitzero"`     // when an incident last joined it
	Rows    []row          `json:"rows,omitempty"`
	More    int            `json:"more,omitempty"` // incidents without a row
	Table   string         `json:"table,omitempty"`
	Shown   string         `json:"shown,omitempty"`  // the hash of the table that stands; "" while that is uncertain
	Showing time.Time      `json:"showing,omitzero"` // until when somebody edits the table
	Turn    int64          `json:"turn,omitempty"`   // of the edits: who finds another one has lost theirs
}

type grant struct {
	ID incidents.ID `json:"id"`
	At time.Time    `json:"at"`
}

// row is an incident in the table.
type row struct {
	ID       incidents.ID       `json:"id"`
	Severity incidents.Severity `json:"severity"`
	Title    string             `json:"title"`
	State    map[string]string  `json:"state,omitempty"` // by language
}

const (
	maxRows   = 100       // of them 30 are shown; their states are kept so that they can move up
	stormEnds = time.Hour // after so long without a new row, the next storm gets a room of its own
	reserved  = 5         // one room in so many is kept for SEV1 and SEV2
)

// OpenRoom makes the incident's room, or makes it a row of the shared one.
func (t *Storm) OpenRoom(ctx context.Context, s *incidents.Incident) (incidents.Room, error) {
	if s.Customer != t.Customer {
		return t.of(s.Customer).OpenRoom(ctx, s)
	}
	wanted := s.Rooms[t.Chat].Wanted
	granted, left := false, false
	doc, err := t.change(ctx, func(d *stormDoc, now time.Time) {
		if granted = d.grant(s, now, wanted, t.PerMinute, t.PerHour); granted {
			n := len(d.Rows)
			d.Rows = slices.DeleteFunc(d.Rows, func(r row) bool { return r.ID == s.ID })
			left = len(d.Rows) < n
			return
		}
		d.join(s, now)
	})
	if err != nil {
		return incidents.Room{}, err
	}
	if granted {
		room, err := t.Poster.OpenRoom(ctx, s)
		if err != nil || !doc.owes() {
			return room, err
		}
		err = t.show(ctx)
		if _, later := errors.AsType[*incidents.Later](err); later && !left && !wanted {
			err = nil // the table is of others, who see to it
		}
		return room, err
	}
	room := doc.Room
	if room.ID == "" {
		if room, err = t.makeShared(ctx, doc.Name); err != nil {
			return incidents.Room{}, err
		}
	}
	return incidents.Room{ID: room.ID, Name: room.Name, URL: room.URL, Row: s.ID, Customer: t.Customer}, nil
}

// making is how long nobody else makes the shared room while somebody does: an
// effect has ended by then, and whoever died over it has left a room of its name.
const making = 30 * time.Second

// makeShared makes the shared room. One at a time does, over all replicas: a
// chat that lets two channels have one name would get two of them. The others
// come again.
func (t *Storm) makeShared(ctx context.Context, name string) (room incidents.Room, err error) {
	mine := false
	doc, err := t.change(ctx, func(d *stormDoc, now time.Time) {
		if mine = d.Name == name && d.Room.ID == "" && !d.Making.After(now); mine {
			d.Making = now.Add(making)
		}
	})
	switch {
	case err != nil:
		return room, err
	case doc.Name == name && doc.Room.ID != "":
		return doc.Room, nil
	case !mine:
		return room, t.again("the storm room is being made")
	}
	// No incident's, so no number: the channel is nobody's.
	if room, err = t.Poster.OpenRoom(ctx, &incidents.Incident{Title: name, Customer: t.Customer, CreatedAt: t.Now(), OpenedAt: t.Now(), Released: true}); err != nil {
		room, err = incidents.Room{}, fmt.Errorf("open the storm room: %w", err)
	}
	_, noted := t.change(context.WithoutCancel(ctx), func(d *stormDoc, _ time.Time) {
		if d.Name == name && d.Room.ID == "" {
			d.Making = time.Time{}
			d.Room = room
		}
	})
	return room, errors.Join(err, noted)
}

// grant says whether the incident gets a room. One that was granted, or that a person wants, is
// never refused; that too counts.
func (d *stormDoc) grant(s *incidents.Incident, now time.Time, wanted bool, perMinute, perHour int) bool {
	d.Granted = slices.DeleteFunc(d.Granted, func(g grant) bool { return now.Sub(g.At) >= time.Hour })
	lately := 0
	for _, g := range d.Granted {
		if g.ID == s.ID {
			return true
		}
		if now.Sub(g.At) < time.Minute {
			lately++
		}
	}
	if s.Severity() > incidents.Sev2 {
		perMinute, perHour = perMinute-perMinute/reserved, perHour-perHour/reserved
	}
	if !wanted && (lately >= perMinute || len(d.Granted) >= perHour) {
		return false
	}
	if len(d.Granted) < 2000 { // by hand, more than anybody makes in an hour
		d.Granted = append(d.Granted, grant{s.ID, now})
	}
	return true
}

func (d *stormDoc) join(s *incidents.Incident, now time.Time) {
	if d.Name == "" || now.Sub(d.Last) >= stormEnds {
		*d = stormDoc{Granted: d.Granted, Name: strings.TrimLeft(s.Customer+" storm ", " ") + now.UTC().Format("2006-01-02 15-04-05")}
	}
	if slices.ContainsFunc(d.Rows, func(r row) bool { return r.ID == s.ID }) {
		return
	}
	d.Last = now
	d.Rows = append(d.Rows, row{ID: s.ID, Severity: s.Severity(), Title: bot.Line(s.Title, 120)})
	slices.SortStableFunc(d.Rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(b.ID, a.ID))
	})
	if len(d.Rows) > maxRows {
		d.Rows = d.Rows[:maxRows]
		d.More++
	}
}

// Post posts into a room, or brings the incident's row up to date.
func (t *Storm) Post(ctx context.Context, room incidents.Room, key string, m bot.LocalMessage, previous incidents.Posted) (incidents.Posted, error) {
	if room.Row == 0 {
		return t.Poster.Post(ctx, room, key, m, previous)
	}
	if room.Customer != t.Customer {
		return t.of(room.Customer).Post(ctx, room, key, m, previous)
	}
	_, err := t.change(ctx, func(d *stormDoc, _ time.Time) {
		for i := range d.Rows {
			if d.Rows[i].ID == room.Row && d.Room.ID == room.ID {
				d.Rows[i].State = bot.RowState(m)
			}
		}
	})
	if err == nil {
		err = t.show(ctx)
	}
	return incidents.Posted{ID: "row"}, err
}

// Archive puts a room away; the shared one belongs to nobody, and stays.
func (t *Storm) Archive(ctx context.Context, room incidents.Room) error {
	if a, can := t.Poster.(bot.Archiver); can && room.Row == 0 {
		return a.Archive(ctx, room)
	}
	return nil
}

func (t *Storm) read(ctx context.Context) (stormDoc, int64, error) {
	kept, err := t.Store.Setting(ctx, t.setting())
	if err != nil {
		return stormDoc{}, 0, fmt.Errorf("read which rooms were made: %w", err)
	}
	var doc stormDoc
	if kept.Version > 0 {
		if err := json.Unmarshal(kept.Body, &doc); err != nil {
			return stormDoc{}, 0, fmt.Errorf("read which rooms were made: %w", err)
		}
	}
	return doc, kept.Version, nil
}

func (t *Storm) setting() string {
	if t.Customer != "" {
		return "chat/" + t.Chat + "/storm/" + t.Customer
	}
	return "chat/" + t.Chat + "/storm"
}

// of is the storm of one customer: their incidents share a room with nobody
// else's, and have as many rooms as if they were alone.
func (t *Storm) of(customer string) *Storm {
	o := t.StormOptions
	o.Customer = customer
	return NewStorm(o)
}

// change changes the document by compare and swap, and returns what it is then.
func (t *Storm) change(ctx context.Context, how func(d *stormDoc, now time.Time)) (stormDoc, error) {
	for try := range 50 {
		doc, version, err := t.read(ctx)
		if err != nil {
			return stormDoc{}, err
		}
		how(&doc, t.Now())
		body, err := json.Marshal(doc)
		if err != nil {
			return stormDoc{}, fmt.Errorf("encode which rooms were made: %w", err)
		}
		err = t.Store.PutSetting(ctx, t.setting(), version, body)
		if err == nil {
			return doc, nil
		}
		if !errors.Is(err, incidents.ErrConflict) {
			return stormDoc{}, fmt.Errorf("note which rooms were made: %w", err)
		}
		select {
		case <-ctx.Done():
			return stormDoc{}, ctx.Err()
		case <-time.After(rand.N(time.Millisecond << min(try, 6))):
		}
	}
	return stormDoc{}, incidents.Fail(incidents.Overloaded, "error.chat_limit", "too many rooms are made at once", "provider", t.Chat, "seconds", "1")
}
