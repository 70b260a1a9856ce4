// Package discord is a guild (a Discord server) as a home of war rooms: a
// channel for each incident, its card pinned and edited in place, the commands
// of /inc, buttons, forms and reactions.
//
// It promises that an incident has one channel and a message stands once,
// whenever the process dies; that no text from outside mentions anybody, leads
// somewhere without saying where, or becomes markup; that nothing is asked of
// Discord inside a closed rate-limit window; and that only members of the
// configured guild who have one of the configured roles are heard.
//
// Outwards start with Poster (room.go, post.go), inwards with Inbox
// (interaction.go), which both the signed HTTP endpoint (handler.go) and the
// gateway (gateway.go) feed. The limits that are kept, with their sources, are
// in bounds.go.
package discord
