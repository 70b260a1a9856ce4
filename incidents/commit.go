package incidents

import (
	"errors"
	"time"
)

// Commit is everything that becomes true together, or not at all. A store
// carries it out atomically and durably: it has happened once Commit returned
// nil. After any other error but the ones below nobody knows; the caller reads
// again and decides again, and every command is made so that this is harmless.
type Commit struct {
	Shard   int           // everything in a commit lives in one shard
	Once    string        // if set, a name under which this may happen once in 24 hours
	Fold    *Fold         // how far the intake log has been read
	Changes []Change      // incidents that move
	Groups  []GroupChange // which open incidents a group has
	Done    *Claim        // the effect whose outcome this is
	Effects []Effect      // what must be done next
	Facts   []Fact        // what learning may learn from it
}

// What a store says when a commit did not happen.
var (
	// ErrConflict: an incident, a group or the log's mark is not where the
	// commit expected it. Load again and decide again.
	ErrConflict = errors.New("changed meanwhile")
	// ErrOnce: the commit's Once name is taken: it happened before.
	ErrOnce = errors.New("happened already")
	// ErrClaimLost: the effect is no longer ours: the lease ran out and another
	// worker has it, or it was acknowledged already.
	ErrClaimLost = errors.New("claim lost")
)

// Change moves one incident from version Expect (0: it is new) by Events to
// State, whose Version is Expect + len(Events).
type Change struct {
	Expect int64
	Events []Event
	State  *Incident
}

// GroupChange replaces the open incidents of a group: the compare-and-swap
// that keeps a group from having two.
type GroupChange struct {
	Key    Key
	Expect []ID
	Next   []ID
}

// Fold moves shard Commit.Shard's mark in intake log Log from From to To.
type Fold struct {
	Log      int
	From, To int64
}

// Entry is one entry of an intake log: the batches that one group commit made
// durable, in order of arrival.
type Entry struct {
	Offset  int64 // ascending from 1 within the log
	Batches []*Batch
}

// Claim is the right to carry out one effect, until the lease ends. Token
// fences: only the latest claim of an effect can acknowledge it.
type Claim struct {
	Effect  Effect
	Token   int64
	Attempt int    // 1 at the first try
	Dead    string // set by whoever gives up: the effect moves to the dead letters, with this reason
}

// DeadLetter is an effect that was given up.
type DeadLetter struct {
	Effect  Effect    `json:"effect"`
	Reason  string    `json:"reason"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
}

// Summary is an incident's row in lists.
type Summary struct {
	ID         ID        `json:"id"`
	Version    int64     `json:"version"`
	Title      string    `json:"title"`
	Service    string    `json:"service,omitempty"`
	Customer   string    `json:"customer,omitempty"`
	Status     Status    `json:"status"`
	Severity   Severity  `json:"severity"`
	OpenedAt   time.Time `json:"opened_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	CreatedAt  time.Time `json:"created_at"`
	FirstAckAt time.Time `json:"first_ack_at,omitzero"` // of all episodes; AckedBy is of the present one
	Firing     int       `json:"firing"`
	Alerts     int       `json:"alerts"`
	Commander  string    `json:"commander,omitempty"`
	AckedBy    string    `json:"acked_by,omitempty"`
}

// Summary makes the row.
func (s *Incident) Summary() Summary {
	sum := Summary{
		ID: s.ID, Version: s.Version, Title: s.Title, Service: s.Service, Customer: s.Customer,
		Status: s.Status(), Severity: s.Severity(), OpenedAt: s.OpenedAt, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
		Firing: s.Alerts.Firing() + s.Untracked, Alerts: s.Alerts.Len() + s.Untracked,
	}
	if s.Resolved != nil && !sum.Status.Open() {
		sum.EndedAt = s.Resolved.At
	}
	if s.Commander != nil {
		sum.Commander = s.Commander.By.Name
	}
	if len(s.Acks) > 0 {
		sum.FirstAckAt = s.Acks[0].At
	}
	if a := s.acknowledged(); a != nil {
		sum.AckedBy = a.By.Name
	}
	return sum
}

// Query asks for a page of incidents, newest first.
type Query struct {
	Open    bool   // only those where people still have something to do
	Service string // only this service; "" for all
	Before  ID     // only with a smaller number: the cursor, 0 for the first page
	Limit   int    // at most 200; 0 means 50
}

// Page is an answer to a Query.
type Page struct {
	Incidents []Summary `json:"incidents"`
	Next      ID        `json:"next,omitempty"` // the next page's Before; 0: this was the last
	Open      int       `json:"open"`           // how many are open in all
}

// Posting is a message in a room of the built-in console. Body is the chat's
// own business.
type Posting struct {
	Room   string    `json:"room"`
	Key    string    `json:"key"` // posting under a key that exists edits the message in place
	Seq    int64     `json:"seq"` // position in the room, ascending from 1, kept by edits
	Rev    int64     `json:"rev"` // ascending within the room with every change, for live updates
	At     time.Time `json:"at"`
	Edited time.Time `json:"edited,omitzero"`
	Body   []byte    `json:"body"`
}

// Signal tells the rest of the process, and other replicas, that something
// changed. Signals may be lost or repeated: they only save waiting for the
// next look.
type Signal struct {
	Kind     SignalKind
	Shard    int
	Lane     string // SignalEffect
	Incident ID     // SignalIncident
	Room     string // SignalRoom
	Setting  string // SignalSetting: its name
}

// SignalKind says what changed.
type SignalKind string

// The kinds of signals.
const (
	SignalIntake   SignalKind = "intake"
	SignalEffect   SignalKind = "effect"
	SignalIncident SignalKind = "incident"
	SignalRoom     SignalKind = "room"
	SignalSetting  SignalKind = "setting"
)

// Health is what a store says of itself.
type Health struct {
	Kind     string   // "sqlite", "redis"
	Durable  bool     // an answered write survives kill -9 of everything
	Problems []Reason // why it is not durable, or not safe
	Newer    bool     // a newer release writes it, so this one does nothing in it

	// ClockOff is how far this machine's clock is ahead of the store's (behind it where
	// it is negative) at the least; 0 where the store is on this machine. Where it could
	// not be asked, ClockSeen is false.
	ClockOff  time.Duration
	ClockSeen bool
}
