package storage

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Store is all of it. Every method is safe for concurrent use, and its errors
// carry a code (see incidents.CodeOf): Unavailable when the store is away,
// which for a write means that nobody knows whether it happened.
type Store interface {
	Intake
	Incidents
	Effects
	Rooms
	Audit
	Settings
	Rings
	Upkeep

	// Shards is how many shards there are, numbered from 0: stored at the first
	// start, unchangeable afterwards.
	Shards() int
	// NewIDs reserves n numbers, the first of which it returns, for incidents of
	// shard. They ascend over all shards; a crash may leave a gap.
	NewIDs(ctx context.Context, shard, n int) (incidents.ID, error)
	// Facts of one shard with a Seq above after, ascending, at most max (0: 200).
	Facts(ctx context.Context, shard int, after int64, max int) ([]incidents.Fact, error)
	// Watch gives the signals from now on: of this process at once, of other
	// replicas as the store can. Slow watchers lose some. cancel closes the channel.
	Watch() (signals <-chan incidents.Signal, cancel func())
}

// Intake is the log of what was reported. There are as many logs as shards.
type Intake interface {
	// Append makes b durable; it has, when it returns nil. Several appends share
	// one write. Overloaded when too much waits already: nothing was written.
	// Other errors leave it unknown; appending again is harmless.
	Append(ctx context.Context, b *incidents.Batch) error
	// ReadLog returns entries with an offset above after, ascending: at least one
	// where there is one, and then up to about maxBytes of records.
	ReadLog(ctx context.Context, log int, after int64, maxBytes int) ([]incidents.Entry, error)
	// Mark is how far shard has folded log, 0 at first. Commit.Fold moves it.
	// Whoever folds moves the mark of the log's own shard (shard == log) last:
	// entries up to it are done with, and Prune may trim them.
	Mark(ctx context.Context, shard, log int) (int64, error)
}

// Incidents are states, their events, and the groups that lead to them.
type Incidents interface {
	// Groups returns the open incidents of each group, in the order of the keys.
	Groups(ctx context.Context, shard int, keys []incidents.Key) ([][]incidents.ID, error)
	// Load returns the incident as of now, for the caller to change. NotFound
	// where there is none.
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	// LoadMany returns the incidents in the order of refs; nil where the version
	// is still Known, or where there is none.
	LoadMany(ctx context.Context, refs []incidents.Ref) ([]*incidents.Incident, error)
	// Events returns an incident's events with a Seq above after, at most max (0: 200).
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
	// List returns a page of summaries, newest first.
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
}

// Effects is the queue of what must be done. An effect's key is in it once:
// asking again while it waits can only bring its due time and urgency forward;
// asking while it is claimed makes it wait again once it is acknowledged.
type Effects interface {
	// Commit makes everything in c true, or nothing. incidents.ErrOnce,
	// ErrClaimLost and ErrConflict (looked for in this order) say that nothing
	// happened. Once names are told apart per shard. An effect that is buried
	// (Done.Dead) is not asked for again by the same commit.
	Commit(ctx context.Context, c *incidents.Commit) error
	// Claim takes effects that are due, or whose claim ran out. next is when the
	// lane's next effect becomes due; zero: none waits.
	Claim(ctx context.Context, q incidents.ClaimQuery) (claims []incidents.Claim, next time.Time, err error)
	// Extend makes a claim hold for lease from now; ErrClaimLost where it is lost.
	Extend(ctx context.Context, c *incidents.Claim, lease time.Duration) error
	// Retry gives a claim back, to be taken again at due; ErrClaimLost where it
	// is lost.
	Retry(ctx context.Context, c *incidents.Claim, due time.Time, reason string) error
	// Lease acquires or renews a named lease for owner. It saves work, it does
	// not protect: marks and versions do.
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (held bool, err error)
}

// Rooms are the console's.
type Rooms interface {
	// Post inserts, or edits in place where the room has the key already; an
	// equal body changes nothing. It returns the posting as it stands.
	Post(ctx context.Context, room, key string, body []byte, at time.Time) (incidents.Posting, error)
	// Postings are those with a Rev above afterRev, in order of Rev, at most max (0: 200).
	Postings(ctx context.Context, room string, afterRev int64, max int) ([]incidents.Posting, error)
	// LastPostings are the last ones with a Seq below beforeSeq (0: no bound), in
	// order of Seq, at most max (0: 200).
	LastPostings(ctx context.Context, room string, beforeSeq int64, max int) ([]incidents.Posting, error)
}

// Settings are small lasting documents, at most incidents.MaxSetting each, that
// all replicas share.
type Settings interface {
	// Setting is the one under name, as of the last write that was answered; its
	// Version is 0 where there is none.
	Setting(ctx context.Context, name string) (incidents.Document, error)
	// PutSetting makes body version expect+1 of the setting. ErrConflict where it
	// is not at version expect: nothing was written.
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Upkeep is for operators and scheduled jobs.
type Upkeep interface {
	DeadLetterBox
	// Backlog says what waits.
	Backlog(ctx context.Context) (incidents.Backlog, error)
	// Health says whether the store is durable, and why not. It never blocks for
	// longer than ctx, and an unreachable store is an answer, not an error.
	Health(ctx context.Context) incidents.Health
	// Prune drops folded intake older than keep and Once names older than 24 h,
	// by the store's clock, in small steps; it may keep the last 64 MiB of intake
	// longer. It returns how many entries and names went.
	Prune(ctx context.Context, keep time.Duration) (int, error)
	// Close answers what waits with Unavailable and lets go of everything.
	Close() error
}

// DeadLetterBox holds the effects that were given up.
type DeadLetterBox interface {
	// DeadLetters are the effects that were given up, latest first, at most max (0: 200).
	DeadLetters(ctx context.Context, max int) ([]incidents.DeadLetter, error)
	// Redrive puts a dead letter back into the queue, due now. NotFound where
	// there is none under key.
	Redrive(ctx context.Context, key string) error
}
