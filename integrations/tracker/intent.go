package tracker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings is where it is noted what is about to be created.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Intent is what is known of the ticket, or the task, of one marker. Without a
// key, and not clear, an attempt to create it may or may not have worked.
type Intent struct {
	Marker string    `json:"marker"`
	Rev    int       `json:"rev"`             // how often it was noted; 0: never
	At     time.Time `json:"at"`              // of the latest attempt
	Tries  int       `json:"tries"`           //
	Clear  bool      `json:"clear,omitempty"` // the latest attempt has surely made nothing
	Key    string    `json:"key,omitempty"`
	Link   string    `json:"link,omitempty"`   // of a task: the ticket that it is to be linked to
	Twins  []string  `json:"twins,omitempty"`  // younger ones
	Close  []string  `json:"close,omitempty"`  // of these, the ones that are not closed yet
	Looked bool      `json:"looked,omitempty"` // for twins, after the index had caught up

	moved bool // it was found in a document of its own
}

// Intents lie in drawers, so that the store has a bounded number of them however
// many tickets there ever were: a drawer keeps what may still matter, and of the
// rest the latest.
type Intents struct {
	Name     string // of the tracker in the configuration
	Settings Settings
	Now      func() time.Time
	// Busy is what is answered where another replica is at the same ticket.
	Busy error
	// Was is the document that an intent once had of its own; nil: it had none.
	Was func(marker string) string
}

const (
	drawers   = 64
	maxDrawer = 32 // intents that are over, in one drawer
	noteTries = 8  // with others who write into the same drawer
	noteTime  = 3 * time.Second

	// What was left undone for so long (the incident was over before it had a
	// ticket) nobody asks for any more.
	forgotten = 30 * 24 * time.Hour
	// Whether a second attempt made a twin nobody asks any more after this: the
	// incident was over by then, or somebody had asked.
	unasked = 2 * 24 * time.Hour
)

// over says that nothing is left to do, or to find out. What has surely made nothing
// is noted anew where it is tried again.
func (in *Intent) over(now time.Time) bool {
	age := now.Sub(in.At)
	switch {
	case age > forgotten:
		return true
	case in.Key == "":
		return in.Clear
	}
	return in.Link == "" && len(in.Close) == 0 && (in.Tries < 2 || in.Looked || age > unasked)
}

// tidy drops the oldest of those that are over, beyond so many.
func tidy(all []Intent, now time.Time, keep int) []Intent {
	over := 0
	slices.SortStableFunc(all, func(a, b Intent) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Marker, b.Marker)) })
	return slices.DeleteFunc(all, func(in Intent) bool {
		if in.over(now) {
			over++
		}
		return in.over(now) && over > keep
	})
}

func (n *Intents) drawer(marker string) string {
	sum := sha256.Sum256([]byte(marker))
	return "tracker/" + n.Name + "/intents/" + strconv.Itoa(int(sum[0])%drawers)
}

// open reads a drawer.
func (n *Intents) open(ctx context.Context, marker string) (doc incidents.Document, all []Intent, at int, err error) {
	doc, err = n.read(ctx, n.drawer(marker), &all)
	return doc, all, slices.IndexFunc(all, func(in Intent) bool { return in.Marker == marker }), err
}

func (n *Intents) read(ctx context.Context, name string, into any) (incidents.Document, error) {
	doc, err := n.Settings.Setting(ctx, name)
	if err == nil && doc.Version > 0 {
		err = json.Unmarshal(doc.Body, into)
	}
	if err != nil {
		return doc, fmt.Errorf("read what was to be created: %w", err)
	}
	return doc, nil
}

// Find is what is known of a marker; its Rev is 0 where that is nothing.
func (n *Intents) Find(ctx context.Context, marker string) (*Intent, error) {
	_, all, at, err := n.open(ctx, marker)
	if err == nil && at >= 0 {
		return &all[at], nil
	}
	in := &Intent{Marker: marker}
	if err != nil || n.Was == nil {
		return in, err
	}
	doc, err := n.read(ctx, n.Was(marker), in)
	in.Marker, in.moved = marker, doc.Version > 0
	if in.moved {
		in.Rev = 1
	}
	return in, err
}

// Note writes it down, whether or not whoever asked still waits. Who has noted
// something else about it meanwhile is at it too.
func (n *Intents) Note(ctx context.Context, in *Intent) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	for range noteTries {
		doc, all, at, err := n.open(ctx, in.Marker)
		if err != nil {
			return err
		}
		next := *in
		next.Rev++
		switch {
		case at < 0 && (in.Rev == 0 || in.moved):
			all = append(all, next)
		case at < 0 || all[at].Rev != in.Rev:
			return n.Busy
		default:
			all[at] = next
		}
		body, err := n.pack(all)
		if err == nil {
			err = n.Settings.PutSetting(ctx, n.drawer(in.Marker), doc.Version, body)
		}
		if err == nil {
			in.Rev, in.moved = next.Rev, false
			return nil
		}
		if !errors.Is(err, incidents.ErrConflict) {
			return fmt.Errorf("note what is to be created: %w", err)
		}
	}
	return n.Busy
}

// pack is what a drawer holds. Where too much of it is open, nothing of that is
// dropped, because a second ticket could come of it: it waits, and is no refusal of
// the tracker's.
func (n *Intents) pack(all []Intent) ([]byte, error) {
	body, err := json.Marshal(tidy(all, n.Now(), maxDrawer))
	if err == nil && len(body) > incidents.MaxSetting {
		all = tidy(all, n.Now(), 0)
		body, err = json.Marshal(all)
	}
	if err == nil && len(body) > incidents.MaxSetting {
		full := fmt.Errorf("%d tickets of %s are begun and have no known end", len(all), n.Name)
		err = &incidents.Later{After: time.Minute, Alone: true, Err: full}
	}
	return body, err
}
