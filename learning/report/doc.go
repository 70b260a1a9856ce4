// Package report says how good the suggestions were: it goes through the facts in
// the order of their times and judges each list as it was shown, before anybody knew
// what would help.
//
// It promises:
//   - What was shown and what was chosen is read from the log, never computed again
//     by a model that has learned since.
//   - A decision is an action that was approved from a list and verifiably helped, the
//     first of its incident. Whatever else is counted says of how many.
//   - Others (the most frequent action; a copy that stopped learning) rank the very
//     lists that people saw, by what was known when the choice was made.
//   - Imported history is learned from and not judged: nobody was shown anything.
//
// Start with Of; Collect reads the facts of a store.
package report
