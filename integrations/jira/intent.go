package jira

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

// intent is what is known of the ticket of one marker. Without a key, and not
// clear, an attempt to create it may or may not have worked.
type intent struct {
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
}

// Intents lie in drawers, so that the store has a bounded number of them however
// many tickets there ever were: a drawer keeps what may still matter, and of the
// rest the latest.
const (
	drawers   = 64
	maxDrawer = 32 // intents that are over, in one drawer
	noteTries = 8  // with others who write into the same drawer

	// What was left undone for so long (the incident was over before it had a
	// ticket) nobody asks for any more.
	forgotten = 30 * 24 * time.Hour
)

// over says that nothing is left to do, or to find out.
func (in *intent) over(now time.Time) bool {
	if now.Sub(in.At) > forgotten {
		return true
	}
	return in.Key != "" && in.Link == "" && len(in.Close) == 0 && (in.Tries < 2 || in.Looked)
}

// tidy drops the oldest of those that are over.
func tidy(all []intent, now time.Time) []intent {
	over := 0
	slices.SortStableFunc(all, func(a, b intent) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Marker, b.Marker)) })
	return slices.DeleteFunc(all, func(in intent) bool {
		if in.over(now) {
			over++
		}
		return in.over(now) && over > maxDrawer
	})
}

func (k *Tracker) drawer(marker string) string {
	sum := sha256.Sum256([]byte(marker))
	return "tracker/" + k.config.Name + "/intents/" + strconv.Itoa(int(sum[0])%drawers)
}

// open reads a drawer.
func (k *Tracker) open(ctx context.Context, marker string) (doc incidents.Document, all []intent, at int, err error) {
	doc, err = k.settings.Setting(ctx, k.drawer(marker))
	if err == nil && doc.Version > 0 {
		err = json.Unmarshal(doc.Body, &all)
	}
	if err != nil {
		return doc, nil, 0, fmt.Errorf("read what was to be created: %w", err)
	}
	return doc, all, slices.IndexFunc(all, func(in intent) bool { return in.Marker == marker }), nil
}

func (k *Tracker) intent(ctx context.Context, marker string) (*intent, error) {
	_, all, at, err := k.open(ctx, marker)
	if err != nil || at < 0 {
		return &intent{Marker: marker}, err
	}
	return &all[at], nil
}

// note writes it down, whether or not whoever asked still waits. Who has noted
// something else about it meanwhile is at it too.
func (k *Tracker) note(ctx context.Context, in *intent) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	busy := later(lookAgain, "error.jira_unsure", "another replica is creating the ticket")
	for range noteTries {
		doc, all, at, err := k.open(ctx, in.Marker)
		if err != nil {
			return err
		}
		next := *in
		next.Rev++
		switch {
		case at < 0 && in.Rev == 0:
			all = append(all, next)
		case at < 0 || all[at].Rev != in.Rev:
			return busy
		default:
			all[at] = next
		}
		body, err := json.Marshal(tidy(all, k.now()))
		if err == nil {
			err = k.settings.PutSetting(ctx, k.drawer(in.Marker), doc.Version, body)
		}
		if err == nil {
			in.Rev++
			return nil
		}
		if !errors.Is(err, incidents.ErrConflict) {
			return fmt.Errorf("note what is to be created: %w", err)
		}
	}
	return busy
}
