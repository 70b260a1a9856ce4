// Package watch looks at series and logs by itself and raises an alert when one
// leaves its usual course: what a threshold never sees.
//
// It promises that an alert is in the intake log at least once, and ends; that a
// restart neither forgets nor raises it again; that of several replicas one
// speaks; and that a source that does not answer is said and is no alert, unless
// that is asked for. What is not looked at is counted.
//
// [Rule.Advance] is the whole machine: pure, without a clock. Eyes tell it what
// is odd in a series. Start with [Watcher.Run]; why it is so stands in
// docs/decisions/0023.
package watch
