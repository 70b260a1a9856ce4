// Package discord is a guild (a Discord server) as a home of war rooms: a
// channel for each incident, its card pinned and edited in place, the commands
// of /inc, buttons, forms and reactions.
//
// It promises that an incident has one channel and a message stands once,
// whenever the process dies; that no text from outside mentions anybody, leads
// somewhere without saying where, or becomes markup; that a replica asks nothing of
// Discord inside a rate-limit window that it knows to be closed, and knows what
// others found closed within about a second; that the end of the process waits ten
// seconds for answers, and no more; and that only members of the configured guild
// who have one of the configured roles are heard. That a message was deleted is
// followed whoever did it, which Discord does not tell.
//
// Outwards start with Poster (room.go, post.go), inwards with Inbox
// (interaction.go), which both the signed HTTP endpoint (handler.go) and the
// gateway (gateway.go) feed. The limits that are kept, with their sources, are
// in bounds.go.
package discord
