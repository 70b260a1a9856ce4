// Package history reads what other systems know of past incidents, so that a new
// Hikeshi need not begin with nothing: CSV and JSON lines, exports of Jira searches
// and of PagerDuty recognised by their headers.
//
// It promises:
//   - Every line is read or refused by its number. With one refused line there are no
//     facts at all: half a history would be learned as if it were whole.
//   - A line has a name (Fact.Ref) that depends on nothing but the line, so that the
//     same history can be told from a new one.
//   - Nothing in a file is ever carried out: it becomes facts.
//
// Start with Read.
package history
