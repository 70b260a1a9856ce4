package replay

import (
	"container/heap"
	stdcontext "context"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/factored"
)

// Case is an incident as learners see it. Right is the outcome, which none may
// look at before Outcome.
type Case struct {
	ID       string
	At       int64
	Features []factored.Feature
	Seen     *factored.Situation
	resolved int64
	right    int
}

// Learner is a way of ranking. Actions are numbers, from 0 in the order in which
// they joined.
type Learner interface {
	Join(id string, kin []string)
	Rank(c *Case, k int) []int // the best k, the best first
	Thumb(c *Case, action int, up bool)
	Outcome(c *Case, action int)
}

// Options say what to replay and how.
type Options struct {
	Open   func() (io.ReadCloser, error) // the log, from its start
	Action []string                      // the fields that name the action
	Regime Regime
	From   int // the first incidents that are replayed but not scored
	Seed   uint64
	Noise  Noise
	Grow   bool // an action joins the catalogue only when it is first seen
}

// catalogue is what the first reading finds.
type catalogue struct {
	incidents int
	actions   []string
	kin       [][]string
	index     map[string]int
}

func (k *catalogue) join(i *Incident) int {
	at, known := k.index[i.Action]
	if !known {
		at = len(k.actions)
		k.index[i.Action] = at
		k.actions, k.kin = append(k.actions, i.Action), append(k.kin, i.Kin)
	}
	return at
}

// Run replays the log to all learners at once, each of which goes its own way.
func Run(ctx stdcontext.Context, o Options, learners ...Learner) ([]Score, error) {
	all := catalogue{index: map[string]int{}}
	if err := o.read(ctx, func(i *Incident) error { all.incidents++; all.join(i); return nil }); err != nil {
		return nil, err
	}
	if all.incidents <= o.From {
		return nil, incidents.Fail(incidents.Invalid, "error.replay_short", "nothing is left to score",
			"incidents", fmt.Sprint(all.incidents), "from", fmt.Sprint(o.From))
	}
	p := player{o: o, all: &all, rng: rand.New(rand.NewPCG(o.Seed, 7)), learners: learners,
		scores: make([]Score, len(learners)), scored: all.incidents - o.From, seen: catalogue{index: map[string]int{}}}
	if !o.Grow {
		for a := range all.actions {
			p.join(&Incident{Action: all.actions[a], Kin: all.kin[a]})
		}
	}
	if err := o.read(ctx, func(i *Incident) error { p.play(i); return nil }); err != nil {
		return nil, err
	}
	return p.scores, nil
}

func (o Options) read(ctx stdcontext.Context, each func(*Incident) error) error {
	in, err := o.Open()
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	defer in.Close()
	return Lines(in, o.Action, func(i *Incident) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return each(i)
	})
}

// player is a replay on its way.
type player struct {
	o        Options
	all      *catalogue
	seen     catalogue
	rng      *rand.Rand
	learners []Learner
	scores   []Score
	waiting  waiting
	n        int // incidents so far
	scored   int // incidents to be scored
}

func (p *player) join(i *Incident) int {
	before := len(p.seen.actions)
	at := p.seen.join(i)
	if len(p.seen.actions) > before {
		for _, l := range p.learners {
			l.Join(i.Action, i.Kin)
		}
	}
	return at
}

func (p *player) play(i *Incident) {
	for len(p.waiting) > 0 && p.waiting[0].resolved <= i.At {
		c := heap.Pop(&p.waiting).(*Case)
		for _, l := range p.learners {
			l.Outcome(c, c.right)
		}
	}
	c := &Case{ID: i.ID, At: i.At, Features: i.Context, Seen: factored.NewSituation(i.Context), resolved: i.Resolved}
	o := draw(p.rng, p.o.Noise)
	shown := make([][]int, len(p.learners))
	for k, l := range p.learners {
		shown[k] = l.Rank(c, maxRank)
	}
	c.right = p.join(i)
	tells := p.o.Regime.tells(p.n < p.all.incidents/10)
	for k, l := range p.learners {
		if p.n >= p.o.From {
			p.scores[k].add(shown[k], c.right, p.n-p.o.From, p.scored)
		}
		tell(l, c, shown[k], tells, o)
	}
	if tells.later {
		heap.Push(&p.waiting, c)
	}
	p.n++
}

// tell gives a learner its feedback at once.
func tell(l Learner, c *Case, shown []int, t told, o opinion) {
	if t.now {
		l.Outcome(c, c.right)
	}
	if t.noisy && !o.votes {
		return
	}
	for at := range min(t.thumbs, len(shown)) {
		l.Thumb(c, shown[at], (shown[at] == c.right) != (t.noisy && o.wrong[at]))
	}
}

// waiting are the incidents whose outcome is still to come, the earliest first.
type waiting []*Case

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].resolved < w[j].resolved }
func (w waiting) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }

// Push implements heap.Interface.
func (w *waiting) Push(c any) { *w = append(*w, c.(*Case)) }

// Pop implements heap.Interface.
func (w *waiting) Pop() any {
	last := len(*w) - 1
	c := (*w)[last]
	*w = (*w)[:last]
	return c
}
