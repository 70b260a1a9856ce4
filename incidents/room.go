package incidents

import "time"

// Room is the incident's war room in one chat. Its messages are a projection
// of the incident: whoever syncs a room compares what should stand there with
// Posted and mends the difference, so a crash, an outage or a retry never
// leaves more than one room and one copy of each message.
type Room struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	URL      string            `json:"url,omitempty"`
	OpenedAt time.Time         `json:"opened_at"`
	Posted   map[string]Posted `json:"posted,omitempty"` // by message key
	LastSeq  int64             `json:"last_seq"`         // timeline events up to here have been posted

	ArchivedAt time.Time `json:"archived_at,omitzero"` // nothing is posted there any more
	Row        ID        `json:"row,omitempty"`        // not 0, its own number: the incident is a row of a table in a room that many share
	Wanted     bool      `json:"wanted,omitempty"`     // a row: a person wants a room of its own
	Customer   string    `json:"customer,omitempty"`   // a row: whose room it is
}

// Posted is a message that stands in a room.
type Posted struct {
	ID   string `json:"id"`
	Hash string `json:"hash"`           // of its content, to know whether an edit is due
	Seq  int64  `json:"seq,omitempty"`  // what a person said elsewhere: the event that told it last
	Late bool   `json:"late,omitempty"` // the card: it says that the room was behind
}

// Finding is one result of the first investigation: a check that ran by
// itself, read-only, before anybody arrived.
type Finding struct {
	Check   string        `json:"check"`            // the runbook's id and the step, "shop-restart/health"
	Title   Text          `json:"title"`            // what was asked
	OK      bool          `json:"ok"`               // the check passed: this is not what is broken
	Error   string        `json:"error,omitempty"`  // it could not be asked
	Because Reason        `json:"because,omitzero"` // the error as a sentence of the catalogue, where it has one
	Value   string        `json:"value,omitempty"`  // what was found, one line
	Code    int           `json:"code,omitempty"`   // a command's exit code, a reply's status
	Number  *float64      `json:"number,omitempty"` // what was compared, where that was a number
	Detail  string        `json:"detail,omitempty"` // the output, capped
	Elapsed time.Duration `json:"elapsed"`
	At      time.Time     `json:"at"`

	Folded bool `json:"folded,omitempty"` // people have said that it is seldom useful

	Calls  *Text `json:"calls,omitempty"`  // of a runbook's way: a person is to take over, in its author's words
	Closes *Text `json:"closes,omitempty"` // of a runbook's way: it is over, once no alert fires
}

// Text is a sentence in the languages its author gave.
type Text struct {
	EN string `json:"en,omitempty" yaml:"en"`
	JA string `json:"ja,omitempty" yaml:"ja"`
}

// In chooses the language, falling back to the other one.
func (t Text) In(lang string) string {
	if lang == "ja" && t.JA != "" || t.EN == "" {
		return t.JA
	}
	return t.EN
}
