// Package steps carries out single steps of a plan: a command, an HTTP request,
// a PromQL query. A step comes with every argument resolved, so nothing here
// knows of runbooks, parameters or approvals.
//
// It promises that a step is what it says and no more: a command is an argv in a
// clean process, without a shell; a request goes to hosts that were allowed and
// to nowhere that a redirect, a proxy or a name server says; that it ends within
// its time and leaves no process behind; that its output is bounded; and, by
// [Redactor], that what leaves has neither secrets nor control characters in it.
//
// Start with [Executor] and [New]. [Expect] is the small language in which a step
// says when it counts as passed.
package steps
