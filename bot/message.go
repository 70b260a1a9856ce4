package bot

import "time"

// Message is one message of a room, in one language, for no platform in
// particular. Every string is plain text from a catalogue or from outside:
// renderers escape it, cut it to their platform's limits and say what was cut.
type Message struct {
	Key     string    `json:"key"`               // stable within the room: posting it again edits it in place
	Kind    Kind      `json:"kind"`              //
	Pinned  bool      `json:"pinned,omitempty"`  // stands on top
	Live    bool      `json:"live,omitempty"`    // shown for a moment while a run goes: what lasts goes first
	Tone    Tone      `json:"tone,omitempty"`    // the colour of its edge
	At      time.Time `json:"at"`                // when what it tells happened
	By      string    `json:"by,omitempty"`      // who did it, where that is a person; "" is Hikeshi
	Chat    string    `json:"chat,omitempty"`    // said: which chat's room it was said in
	Title   string    `json:"title,omitempty"`   // one line
	Text    string    `json:"text,omitempty"`    // one paragraph
	Fields  []Field   `json:"fields,omitempty"`  // short facts
	Checks  []Check   `json:"checks,omitempty"`  // a table of checks
	Images  []Image   `json:"images,omitempty"`  // charts
	Items   []Item    `json:"items,omitempty"`   // ranked things
	Code    []Code    `json:"code,omitempty"`    // preformatted
	Buttons []Button  `json:"buttons,omitempty"` //
	Links   []Link    `json:"links,omitempty"`   //
}

// Kind is what a message is, for renderers that lay kinds out differently.
type Kind string

// The kinds.
const (
	KindCard        Kind = "card"        // the live card
	KindDiagnostics Kind = "diagnostics" // the first investigation
	KindSuggestions Kind = "suggestions" // ranked next actions
	KindApproval    Kind = "approval"    // a request to run something
	KindRun         Kind = "run"         // a run and its verification
	KindLine        Kind = "line"        // one line of what happened
	KindStorm       Kind = "storm"       // the table of incidents that share a room
	KindReply       Kind = "reply"       // the answer to a command
	KindSaid        Kind = "said"        // somebody said something, in By's name: in another chat, or in the console
)

// Tone colours a message. It is never the only carrier of its meaning.
type Tone string

// The tones.
const (
	ToneBad  Tone = "bad"
	ToneWarn Tone = "warn"
	ToneGood Tone = "good"
	ToneInfo Tone = "info"
)

// Field is a short fact.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Check is a row of a table of checks.
type Check struct {
	Group   string     `json:"group,omitempty"` // a heading that neighbouring rows share
	State   CheckState `json:"state"`
	Name    string     `json:"name"`
	Value   string     `json:"value,omitempty"`
	Before  string     `json:"before,omitempty"` // for a before → after table
	Detail  string     `json:"detail,omitempty"` // preformatted, shown on demand
	Elapsed string     `json:"elapsed,omitempty"`
	URL     string     `json:"url,omitempty"`     // where it is from, at the right time
	Folded  bool       `json:"folded,omitempty"`  // people found it seldom useful: shown on demand
	Up      int        `json:"up,omitempty"`      // people who found it useful
	Down    int        `json:"down,omitempty"`    // and those who did not
	Buttons []Button   `json:"buttons,omitempty"` // for chats that can put them beside a row
}

// Image is a chart, a PNG that the console serves to whoever may see the
// incident. incidents.ChartOf has its data, in the incident or in the event that the path names. Outside chats get the picture
// itself, drawn from its Path (web.Pictures), or a link where that fails.
type Image struct {
	N     int    `json:"n"`             // counted from 1
	Path  string `json:"path"`          // at the console; another one whenever the picture is another
	URL   string `json:"url,omitempty"` // the same with the console's address, where there is one
	Title string `json:"title"`
	Alt   string `json:"alt"` // what it shows, for whoever cannot see it
}

// CheckState is how a check came out.
type CheckState string

// The states of a check.
const (
	CheckOK      CheckState = "ok"
	CheckBad     CheckState = "bad"
	CheckUnknown CheckState = "unknown" // it could not be asked
	CheckWaiting CheckState = "waiting"
	CheckNote    CheckState = "note" // good to know, neither good nor bad
)

// Item is one of several ranked things.
type Item struct {
	Rank     int      `json:"rank"`
	Moved    string   `json:"moved,omitempty"` // "2 → 1"
	Fell     bool     `json:"fell,omitempty"`  // it moved down
	Title    string   `json:"title"`
	Evidence string   `json:"evidence,omitempty"` // why, one line
	Risk     string   `json:"risk,omitempty"`     // in the reader's words
	Code     []Code   `json:"code,omitempty"`     // exactly what would run
	Link     *Link    `json:"link,omitempty"`     // where there is more to read about it
	Up       int      `json:"up"`
	Down     int      `json:"down"`
	Buttons  []Button `json:"buttons,omitempty"`
}

// Code is preformatted text with a label.
type Code struct {
	Label string `json:"label,omitempty"`
	Text  string `json:"text"`
}

// Button does something when pressed. ID is opaque to the platform and carries
// no authority: what it stands for is looked up, and the presser's rights are
// checked, when it is pressed.
type Button struct {
	ID    string `json:"id"`
	Label string `json:"label"`
	Style Style  `json:"style,omitempty"`
	Hint  string `json:"hint,omitempty"` // what it will do, for a tooltip and screen readers
}

// Style is how a button looks.
type Style string

// The styles.
const (
	StylePrimary Style = "primary"
	StyleDanger  Style = "danger"
	StyleUp      Style = "up"   // 👍
	StyleDown    Style = "down" // 👎
)

// Link leads somewhere.
type Link struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}
