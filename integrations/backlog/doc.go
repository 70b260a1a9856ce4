// Package backlog keeps tickets as the issues of one project of Nulab's Backlog
// (API version 2).
//
// It promises one issue for each marker (remote.Once), that a status or a
// priority which already means what is to be said is left alone, and that
// nothing which an alert or a chat says is markup in Backlog, whichever of its
// two notations the project has. Backlog's webhooks are not signed: a word in
// their address says who sends them, and what they say is asked for again.
//
// Start with Tracker.Open for the way out, api.Look for the way back.
package backlog
