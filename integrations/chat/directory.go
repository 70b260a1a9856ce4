package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings is where the directory lasts.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Directory says which incident a channel of one chat belongs to. What it keeps of a
// channel it keeps as long as the store keeps incidents, for ever: a word in the room of
// an old one is of that incident too.
type Directory struct {
	store Settings
	chat  string
	now   func() time.Time

	mu    sync.Mutex
	known map[string]entry // by the setting's name
}

type entry struct {
	incident incidents.ID // 0: the channel was nobody's
	at       time.Time
}

// NewDirectory makes the directory of the chat of that name.
func NewDirectory(store Settings, chatName string) *Directory {
	return &Directory{store: store, chat: chatName, now: time.Now, known: map[string]entry{}}
}

// doc is what is kept of a channel.
type doc struct {
	Channel  string       `json:"channel"`
	Incident incidents.ID `json:"incident"`
}

// name never holds a channel's id as it came: that is from outside.
func (d *Directory) name(channel string) string {
	sum := sha256.Sum256([]byte(channel))
	return "chat/" + d.chat + "/room/" + hex.EncodeToString(sum[:16])
}

// Put notes that the channel is the incident's. Doing it again changes nothing;
// giving it to another incident is refused.
func (d *Directory) Put(ctx context.Context, channel string, id incidents.ID) error {
	name := d.name(channel)
	if channel != "" && id == 0 {
		return nil // a room that many incidents share is nobody's
	}
	if channel == "" {
		return incidents.Fail(incidents.Invalid, "error.chat_channel", "a room needs a channel and an incident")
	}
	body, err := json.Marshal(doc{channel, id})
	if err != nil {
		return fmt.Errorf("encode whose channel it is: %w", err)
	}
	err = d.store.PutSetting(ctx, name, 0, body)
	if err != nil && !errors.Is(err, incidents.ErrConflict) {
		return fmt.Errorf("note whose channel it is: %w", err)
	}
	if err == nil {
		d.remember(name, id)
		return nil
	}
	owner, err := d.read(ctx, name)
	if err != nil {
		return err
	}
	if owner != id {
		return incidents.Fail(incidents.Conflict, "error.chat_channel_taken", "the channel is the room of "+owner.String(), "id", owner.String())
	}
	return nil
}

// nobodys is for how long a channel that is nobody's is believed to stay so: a
// busy channel costs one read in that time, and in a room that another replica
// has just made, nobody is unheard for longer.
const nobodys = 2 * time.Second

// Incident is whose room the channel is; false where it is nobody's.
func (d *Directory) Incident(ctx context.Context, channel string) (incidents.ID, bool, error) {
	name := d.name(channel)
	d.mu.Lock()
	e, ok := d.known[name]
	d.mu.Unlock()
	if ok && (e.incident != 0 || d.now().Sub(e.at) < nobodys) {
		return e.incident, e.incident != 0, nil
	}
	id, err := d.read(ctx, name)
	return id, id != 0, err
}

func (d *Directory) read(ctx context.Context, name string) (incidents.ID, error) {
	kept, err := d.store.Setting(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("look up whose channel it is: %w", err)
	}
	var found doc
	if kept.Version > 0 {
		if err := json.Unmarshal(kept.Body, &found); err != nil {
			return 0, fmt.Errorf("read whose channel it is: %w", err)
		}
	}
	d.remember(name, found.Incident)
	return found.Incident, nil
}

// maxKnown bounds what is remembered: the rooms of months. Beyond it, it is
// looked up again.
const maxKnown = 8192

func (d *Directory) remember(name string, id incidents.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) >= maxKnown {
		clear(d.known)
	}
	if d.known[name].incident == 0 { // a read that began before Put may end after it
		d.known[name] = entry{id, d.now()}
	}
}
