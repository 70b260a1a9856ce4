// Package replay judges a way of ranking by a log of what happened: it goes
// through the log in the order of time, asks for a ranking, scores it, and only
// then tells what was right, as early and as truly as people would have.
//
// It promises:
//   - A ranking is scored before any feedback on its incident.
//   - Chance (who votes, which thumb is wrong) depends on the seed and the
//     place in the log alone: all learners see the same.
//   - The log is read as a stream, twice: once for the catalogue of actions,
//     once to replay. Memory does not grow with it, other than by the outcomes
//     that are still to come.
//   - A line that is not of the format is an error that names the line.
//
// Start with Run; Lines says what a log looks like.
package replay
