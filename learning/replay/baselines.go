package replay

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/hikeshi-ops/hikeshi/learning/factored"
)

// bucketFields are those by which simple ways of ranking tell incidents apart:
// the first that an incident has.
var bucketFields = []string{"category", "service", "name", "alertname", "ci"}

// bucket is the value that an incident is filed under.
func bucket(c *Case) string {
	for _, name := range bucketFields {
		for _, f := range c.Features {
			if f.Field == name {
				return f.Value
			}
		}
	}
	return ""
}

// best orders actions by score, equal ones by their number.
func best(n, k int, score func(int) float64) []int {
	order := make([]int, n)
	scores := make([]float64, n)
	for i := range order {
		order[i], scores[i] = i, score(i)
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	return order[:min(k, n)]
}

// tallies count by bucket and action; bucket "" is all of them.
type tallies struct {
	actions int
	counts  map[string]map[int]float64
}

func (t *tallies) add(bucket string, action int, n float64) {
	if t.counts == nil {
		t.counts = map[string]map[int]float64{}
	}
	if t.counts[bucket] == nil {
		t.counts[bucket] = map[int]float64{}
	}
	t.counts[bucket][action] += n
}

// Popular ranks by how often an action was right, whatever the incident.
type Popular struct{ tallies }

// Join implements Learner.
func (l *Popular) Join(string, []string) { l.actions++ }

// Rank implements Learner.
func (l *Popular) Rank(_ *Case, k int) []int {
	return best(l.actions, k, func(a int) float64 { return l.counts["all"][a] })
}

// Thumb implements Learner.
func (l *Popular) Thumb(_ *Case, action int, up bool) { l.add("all", action, thumb(up)) }

// Outcome implements Learner.
func (l *Popular) Outcome(_ *Case, action int) { l.add("all", action, 1) }

func thumb(up bool) float64 {
	if up {
		return 1
	}
	return 0
}

// BackOff ranks by how often an action was right in the incident's bucket, and
// then by how often at all.
type BackOff struct{ tallies }

// Join implements Learner.
func (l *BackOff) Join(string, []string) { l.actions++ }

// Rank implements Learner.
func (l *BackOff) Rank(c *Case, k int) []int {
	here, all := l.counts["in "+bucket(c)], l.counts["all"]
	return best(l.actions, k, func(a int) float64 { return here[a]*1e6 + all[a] })
}

// Thumb implements Learner.
func (l *BackOff) Thumb(c *Case, action int, up bool) { l.count(c, action, thumb(up)) }

// Outcome implements Learner.
func (l *BackOff) Outcome(c *Case, action int) { l.count(c, action, 1) }

func (l *BackOff) count(c *Case, action int, n float64) {
	l.add("in "+bucket(c), action, n)
	l.add("all", action, n)
}

// Nearest ranks by what was right in similar incidents.
type Nearest struct{ Near *factored.Nearest }

// Join implements Learner.
func (l Nearest) Join(string, []string) { l.Near.Join() }

// Rank implements Learner.
func (l Nearest) Rank(c *Case, k int) []int { return l.Near.Rank(c.Seen, k) }

// Thumb implements Learner.
func (l Nearest) Thumb(c *Case, action int, up bool) { l.Near.Thumb(c.ID, c.Seen, action, up) }

// Outcome implements Learner.
func (l Nearest) Outcome(c *Case, action int) { l.Near.Outcome(c.ID, c.Seen, action) }

// Buckets is Thompson sampling of a Beta distribution for each bucket and action
// (https://doi.org/10.1561/2200000070).
type Buckets struct {
	Chance       *rand.Rand
	right, wrong tallies
	actions      int
}

// Join implements Learner.
func (l *Buckets) Join(string, []string) { l.actions++ }

// Rank implements Learner.
func (l *Buckets) Rank(c *Case, k int) []int {
	b := bucket(c)
	right, wrong := l.right.counts[b], l.wrong.counts[b]
	return best(l.actions, k, func(a int) float64 {
		x, y := gamma(l.Chance, 1+right[a]), gamma(l.Chance, 1+wrong[a])
		return x / (x + y)
	})
}

// Thumb implements Learner.
func (l *Buckets) Thumb(c *Case, action int, up bool) {
	if up {
		l.right.add(bucket(c), action, 1)
	} else {
		l.wrong.add(bucket(c), action, 1)
	}
}

// Outcome implements Learner. All other actions of the bucket were wrong.
func (l *Buckets) Outcome(c *Case, action int) {
	b := bucket(c)
	for a := range l.actions {
		if a != action {
			l.wrong.add(b, a, 1)
		}
	}
	l.right.add(b, action, 1)
}

// gamma draws from a gamma distribution of shape a ≥ 1, by Marsaglia and Tsang
// (https://doi.org/10.1145/358407.358414).
func gamma(r *rand.Rand, a float64) float64 {
	d := a - 1./3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
