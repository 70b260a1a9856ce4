package replay

import "github.com/hikeshi-ops/hikeshi/learning/factored"

// Ours is the model that the product uses.
type Ours struct{ M *factored.Model }

// Join implements Learner.
func (l Ours) Join(id string, kin []string) { l.M.Join(id, kin...) }

// Rank implements Learner.
func (l Ours) Rank(c *Case, k int) []int { return l.M.Rank(c.Seen, k) }

// Thumb implements Learner.
func (l Ours) Thumb(c *Case, action int, up bool) { l.M.Thumb(c.ID, c.Seen, action, up, c.At) }

// Outcome implements Learner.
func (l Ours) Outcome(c *Case, action int) { l.M.Outcome(c.ID, c.Seen, action, c.At) }
