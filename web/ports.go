package web

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/report"
)

// Incidents reads incidents. Load answers nil or a not_found error for one that
// does not exist. Events are those with a Seq above after, in order, at most max.
type Incidents interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
}

// RoomStore keeps the messages of the console's rooms.
type RoomStore interface {
	// Post inserts, or edits in place where the room has the key already.
	Post(ctx context.Context, room, key string, body []byte, at time.Time) (incidents.Posting, error)
	// Postings are those with a Rev above afterRev, in order of Rev.
	Postings(ctx context.Context, room string, afterRev int64, max int) ([]incidents.Posting, error)
	// LastPostings are the last ones with a Seq below beforeSeq (0: no bound).
	LastPostings(ctx context.Context, room string, beforeSeq int64, max int) ([]incidents.Posting, error)
}

// Router carries out what people want. It checks their rights.
type Router interface {
	Handle(ctx context.Context, r bot.Request) (bot.Reply, error)
	Press(ctx context.Context, r bot.Request, buttonID string) (bot.Reply, error)
	Commands() []bot.Command
	Needs(buttonID string) bot.Right
}

// DeadLetters are the effects that were given up.
type DeadLetters interface {
	DeadLetters(ctx context.Context, max int) ([]incidents.DeadLetter, error)
	Redrive(ctx context.Context, key string) error
}

// Learning says how good the suggestions were.
type Learning interface {
	Report(ctx context.Context) (*report.Report, error)
}

// Rights says who somebody is and whether they may do something, as bot.Rights does. The router
// asks for each command; the console asks before it shows anything.
type Rights interface {
	Who(account incidents.Actor) incidents.Actor
	May(who incidents.Actor, right bot.Right, where bot.Where) error
}
