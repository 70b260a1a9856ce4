// Package find finds alerts of open incidents by their labels.
//
// Nothing is done for a question that nobody asks: a storm costs the index
// nothing. A question first catches up: it lists the open incidents, reads the
// events of those that moved, and keeps of each alert its labels as numbers of
// name=value pairs, its times, and where its report stands. Then it looks
// through all of them, a millisecond or two for 100,000, and reads the annotations
// of the few it answers with.
//
// An incident's log keeps its first incidents.MaxDetailed alerts whole. The
// labels of the others are found in the intake log, for as long as that keeps
// them (a day) or they are repeated. Their annotations stand there alone, and are
// read for answers that need few of its entries.
//
// It promises:
//   - An answer says whether it is complete, as of when, and how many alerts
//     could not be looked at.
//   - Catching up is bounded by [Options].Patience a question and goes on with
//     the next; questions asked at once share it.
//   - Memory is bounded by [Options].Max alerts and maxText bytes of labels.
//   - Nothing is kept of incidents that are not open.
//
// Each replica has an index of its own. Start with [Finder.Find], then round.go.
package find
