package bot

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Request is a person's wish, from whichever chat.
type Request struct {
	Person   incidents.Actor
	Chat     string       // "console", "slack", "api"
	Incident incidents.ID // the room's incident; 0 outside a war room
	Line     string       // what was typed after /inc: "severity SEV2"
	Lang     string       // the person's language
	Origin   Origin       // how it was expressed
	SignedIn time.Time    // when the person last proved who they are to the console; zero elsewhere
	Once     string       // the platform's id of this event: the same one never works twice

	Said *incidents.Said // a reaction's: the message of a person that it was put on

	Rest   string // set by the router: what follows the verb, as it was typed
	Reader Reader // set by the router: what the person may see
}

// Origin is how a wish was expressed; it goes into the log.
type Origin string

// The origins.
const (
	Typed   Origin = "typed"
	Pressed Origin = "button"
	Reacted Origin = "reaction"
	FromAPI Origin = "api"
)

// Reply is the answer. Private answers are seen by the asker only.
type Reply struct {
	Message *Message // nil: the room itself shows what happened
	Private bool
	State   *incidents.Incident // the incident after a command that changed or showed one
}

// Command is one verb of /inc. Commands live in package commands, one file each.
type Command struct {
	Name    string
	Aliases []string
	Usage   string   // "severity SEV1…SEV5": the grammar, the same in every language
	Example []string // lines that can be typed as they are
	Help    string   // key of the sentence that explains it
	Right   Right    // what the person must be allowed to do; without one it is refused
	Room    bool     // it is about an incident: the room's, or the first word names one
	Text    bool     // what follows the verb is text in somebody's own words
	Run     func(ctx context.Context, r Request, args []string) (Reply, error)
}
