// Package bot is everything a chat needs that is no chat's own: messages that
// every platform can render (message.go), what stands in a war room (view.go),
// and the router that takes a person's words, checks their rights, runs the
// command and answers (router.go). Slack, Discord and the built-in console are
// three renderers around it.
//
// It promises that nothing in a Message is markup: every string is plain text
// that the renderer escapes, and a Button carries an opaque id only.
package bot
