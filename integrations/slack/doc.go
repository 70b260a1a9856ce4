// Package slack makes Slack a home for war rooms.
//
//	config.go    what is configured, and what is refused
//	client.go    every request: its turn, its time, its size (tiers.go, errors.go, door.go)
//	room.go      a room: made once, adopted, furnished (furnish.go, archive.go)
//	post.go      a message: posted once, edited in place, pinned (history.go, overflow.go)
//	blocks.go    a message as Block Kit, within every limit (text.go, escape.go)
//	happening.go what comes in, over HTTP (sign.go, http.go) or sockets (socket.go):
//	             commands, presses, reactions, messages (command.go, press.go, event.go)
//	person.go    who it is, and who is refused
//	answer.go    what only the asker sees; modal.go and home.go, what they fill in and find
//	doctor.go    what is wrong with the app, and what to do; manifest.go the app itself
//
// It promises: one room per incident and one copy of each message, whatever
// fails in between; no mention, link or markup out of foreign text, because
// foreign text only ever stands where Slack parses nothing; nothing done for
// anybody but full members of the configured workspace; each event at most one
// effect, however often it is delivered; and no acknowledgement of an event
// that was not carried out, but of one over which the code panicked, which it
// would do again: that is logged. Slack's rates are kept by each replica for
// itself: several of them may together exceed one, until Slack says so; then all
// of them stop, the others within about a second.
//
// Start with New and Config.
package slack
