// Package factored is the model that ranks a catalogue of actions for a
// situation: an online logistic regression, one-vs-rest, whose weights are
// shared between kin, mixed with what became of the most similar situations.
//
// It promises:
//   - No I/O, no clock, no chance: the same feedback in the same order gives
//     the same ranking, on every replica.
//   - Memory is bounded (Config), whatever features come; what is dropped is
//     counted.
//   - An outcome is worth more than a thumb, and replaces the thumbs of its own
//     situation.
//   - A score is a probability, learned where it is shown: against the
//     best-scored rivals.
//
// Start with Model.Rank and Model.Outcome; Situation says what a model sees.
package factored
