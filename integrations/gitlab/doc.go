// Package gitlab keeps tickets as the issues of one GitLab project (gitlab.com
// or one's own, REST v4).
//
// It promises one issue for each marker (remote.Once), that a state between
// open and closed and the severity are labels, of which it changes only its
// own, and that nothing which an alert or a chat says is a mention, a reference
// or a quick action in GitLab. What a webhook says is asked for again.
//
// Start with Tracker.Open for the way out, api.Look for the way back.
package gitlab
