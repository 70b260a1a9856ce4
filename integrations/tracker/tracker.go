// Package tracker is what the adapters of ticket trackers have in common: when
// a ticket is opened, what it says, what a change in it means, and who wins
// where both sides changed the same thing.
//
// It promises one ticket an incident in each tracker that the routes name,
// each comment once, nothing told back to where it came from, and that the
// bot's own word never goes against a person's of the last five minutes that was
// heard.
//
// Of a field that changed several times between two looks at a ticket only the
// last change is told, although trackers keep all of them: what was in between
// would resolve and reopen an incident, and page people, for a slip that is
// mended. Where the last change is ours, what a person had set just before it,
// and nobody heard of, is gone; webhooks, which need no look, make that rare.
//
// A tracker of its own kind is a folder under integrations/ with a Tracker.
// Start with Syncer.Sync for the way out and Inbox.Changed for the way back.
package tracker

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// Field is a part of a ticket that is brought up to date by itself.
type Field string

// The fields.
const (
	Text     Field = "text" // summary and description
	Status   Field = "status"
	Priority Field = "priority"
	Assignee Field = "assignee"
)

// Fields are all of them, in the order in which they are told.
var Fields = []Field{Text, Status, Priority, Assignee}

// Ref is a ticket as the tracker knows it.
type Ref struct {
	Key    string // "OPS-123"
	URL    string // its page
	Status string // in the tracker's own words
}

// Tracker is one project of one tracker.
//
// Errors carry the codes of incidents: Invalid, Forbidden, NotFound and
// TooLarge say that the tracker refuses and asking again will not help; an
// incidents.Later says when to come back; anything else is tried again.
type Tracker interface {
	// Open makes the ticket with the marker, or finds the one that an earlier
	// attempt made. Where it cannot know yet whether that one exists, it fails
	// with an incidents.Later instead of making a second one.
	Open(ctx context.Context, t bot.Ticket) (Ref, error)
	// Update makes the fields say what t says.
	Update(ctx context.Context, key string, t bot.Ticket, fields []Field) (Ref, error)
	// Comment writes one below the ticket; a comment whose Key stands there
	// already is not written again.
	Comment(ctx context.Context, key string, c bot.TicketComment) error
	// Find looks a ticket up; NotFound where there is none.
	Find(ctx context.Context, key string) (Ref, error)
}

// Stats is what an adapter has met with in this process.
type Stats struct {
	Unsure int64 // creations whose end was not known at once
	Healed int64 // second tickets of one incident that were closed
}
