// Package jira keeps tickets in Jira, Cloud or Data Center.
//
// It promises one ticket for each marker, through crashes and answers that
// never came: what it is about to create it notes before, and after an answer
// that leaves open whether the ticket exists it looks for the marker until
// Jira's search must have caught up, before it creates one again. Two that
// came about all the same become one: the older stays, the younger is linked
// to it and closed. Nothing that somebody wrote is markup in Jira, what a
// person wrote below our part of a description stays, and what already means
// the same there is not written again, so that no change is an echo.
//
// Only version 2 of Jira's REST API is used, whose texts are wiki markup in
// both flavours, and of it nothing that Atlassian has removed or is removing.
//
// Start with Tracker.Open for the way out, Tracker.Handler and Tracker.Poll
// for the way back.
package jira
