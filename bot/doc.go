// Package bot is everything a chat needs that is no chat's own. Slack, Discord
// and the built-in console are three renderers around it.
//
//	message.go    a message, for no platform in particular
//	view.go       what should stand in a war room, as a pure function: Room
//	              (card.go, next.go, diagnostics.go, suggestions.go, run.go, lines.go)
//	sync.go       keeps a chat's rooms as Room says: Syncer, over a chat's Poster
//	router.go     a person's words, presses and reactions: authorise, run, log, answer
//	              (request.go, parse.go, typo.go, button.go, reaction.go, rights.go, refusal.go)
//	postmortem.go the story as Markdown
//	humanise.go   times and lengths of time as people say them
//	clean.go      takes out of foreign text what would be acted upon instead of read
//
// It promises that nothing in a Message is markup: every string is plain text
// that was cleaned, and that the renderer escapes; that a button carries an
// opaque id and no authority; that every wish goes through one place that asks
// for rights and refuses by default; and that every sentence comes from the
// catalogue (package phrases), in English and Japanese.
//
// Start with Room and Router.
package bot
