// Package diagnostics is the first ten minutes of an experienced operator: it
// asks every source about an incident at once, looks for what left its usual
// ways, and says it as clues, data in nobody's language and for no chat.
//
// It promises to return within its deadline whatever the sources do: one that is
// slow, broken or gone is named among the clues and delays no other one. What is
// there so far is told after a while, and completed in place. What comes from
// outside is cleaned and bounded before it is kept, and never part of a query
// unless it is a plain name (see Template).
//
// Start with Investigator and Source. Why it is so stands in
// docs/decisions/0020.
package diagnostics
