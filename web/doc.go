// Package web is the built-in console: a chat that needs no account anywhere,
// the incident list, the timeline, the postmortem, and the JSON API, over the
// same router (package bot) that Slack and Discord use.
//
// It promises:
//   - Nothing from outside is ever markup: pages are html/template only, and
//     what the browser receives live is rendered by the same templates.
//   - Every route stands in one table (routes.go) with the right it needs; what
//     has no row does not exist.
//   - Nothing changes on GET, and nothing changes for a request that another
//     site's page sent (http.CrossOriginProtection).
//   - Without configured people only this machine may connect.
//   - Streams are bounded, and a slow reader is dropped rather than waited for.
//   - The pages can be read and used without JavaScript.
//
// Start with routes.go, then gate.go; message.go turns a bot.Message into HTML.
package web
