package factored

// Nearest ranks by the most similar situations alone: what a model is to be
// better than.
type Nearest struct {
	memory  memory
	actions int
}

// NewNearest makes one that remembers nothing.
func NewNearest(c Config) *Nearest { return &Nearest{memory: newMemory(c)} }

// Join puts one more action into the catalogue.
func (n *Nearest) Join() { n.actions++ }

// Rank gives the best k actions, the best first.
func (n *Nearest) Rank(x *Situation, k int) []int {
	right, wrong := n.memory.near(n.memory.similar(x), n.actions)
	for i := range right {
		right[i] -= wrong[i]
	}
	return top(right, k)
}

// Thumb teaches what a person thinks of an action.
func (n *Nearest) Thumb(id string, x *Situation, i int, up bool) {
	n.memory.say(id, x, said{action: i, right: up, mass: 1}, false)
}

// Outcome teaches that an action was right.
func (n *Nearest) Outcome(id string, x *Situation, i int) {
	n.memory.say(id, x, said{action: i, right: true, mass: 1}, true)
}
