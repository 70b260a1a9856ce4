// Package incidents is the story of an incident, and nothing but the story:
// what an alert is, which alerts are one incident, what may happen to an
// incident and what must follow from it. It imports only the standard
// library, does no I/O, starts no goroutine and never asks the clock: time is
// an argument.
//
// Three pure functions carry it all:
//
//	Decide  (state, command, now) → events     may this happen, and what is it?
//	Apply   (state, event)        → state      what is true afterwards?
//	React   (state, event)        → effects    what must be done about it?
//
// An effect is data with a deterministic key. Something else (package worker)
// carries it out and comes back with a command. So the log of an incident's
// events is at once its state, its timeline, its audit and the source of its
// postmortem.
//
// It promises that a state is the same whatever order the news arrived in:
// alerts, acknowledgements and resolutions are registers joined by the time
// they happened, not by the time we heard (see AlertSet and Status).
//
// Start with flow.go: it is the whole life of an incident on one page.
package incidents
