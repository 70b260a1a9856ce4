package incidents

import "time"

// Said is what a person said in a war room of one chat, as that chat tells it:
// once when it is said, again when it is edited, deleted, or put on the
// timeline. Only the latest of it counts.
type Said struct {
	Chat      string    // where it was said: "slack"
	MessageID string    // lasting, within the chat
	By        Actor     // its author
	Text      string    // as it is now, plain
	At        time.Time // when it was said
	Edited    bool      // it reads differently than before
	Deleted   bool      // its author took it back
	Pinned    bool      // it belongs on the timeline
}
