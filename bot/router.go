package bot

import (
	"context"

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
	Once     string       // the platform's id of this event: the same one never works twice
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
	Usage   string // "severity SEV1…SEV5": the grammar, the same in every language
	Help    string // key of the sentence that explains it
	Right   Right  // what the person must be allowed to do
	Room    bool   // it is about an incident: the room's, or the first word names one
	Run     func(ctx context.Context, r Request, args []string) (Reply, error)
}

// Right is what a command needs.
type Right string

// The rights, from little to much.
const (
	View        Right = "view"
	Respond     Right = "respond"
	ApproveRuns Right = "approve"
)
