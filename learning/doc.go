// Package learning answers "what should I do now?": it ranks the actions that
// could be taken on an incident by what became of them before, and says why.
//
// It learns from facts (incidents.Fact): verified outcomes, which count fully,
// and thumbs, which count a little. What is proved on the same alert of the
// same service counts most; the same alert elsewhere, the same service, and
// anything at all lend strength while there is nothing better.
//
// It promises:
//   - The model is a function of the facts and the time alone. It does no I/O
//     and asks no clock, and facts of different incidents may come in any
//     order: every replica ranks the same.
//   - A score lies between 0 and 1; an action that nobody has tried is neither
//     the best nor the worst. A thumb up never lowers, a thumb down never
//     raises a score.
//   - One person has one vote on one action of one incident. Thumbs weigh no
//     more than three verified outcomes, however many they are.
//   - The counts in the evidence are what happened, not what the model makes
//     of it.
//   - Memory is bounded (see MaxCells, MaxVotes), and what is forgotten is
//     counted.
//
// Start with Model.Rank; Service keeps a model up to date from the store.
package learning
