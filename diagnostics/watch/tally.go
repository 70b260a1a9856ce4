package watch

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

// mostWait is how old a line may be and still count as one of now.
const mostWait = time.Hour

// Tally counts the lines with the keywords of rules, as they are sent. It is safe
// for concurrent use, and its memory bounded.
type Tally struct {
	now    func() time.Time
	mu     sync.Mutex
	counts map[string]*count // by rule
}

type count struct {
	rule    Rule
	keyword string
	judged  int64         // up to when lines were looked at: later ones count for the next stretch
	done    int64         // up to when what they said is written down
	lines   map[int64]int // by the end of the stretch
	example string
}

// NewTally counts for those of rules that have a keyword.
func NewTally(rules []Rule, now func() time.Time) *Tally {
	t := &Tally{now: now, counts: map[string]*count{}}
	for _, r := range rules {
		if r.Kind == Logs && r.Keyword != "" {
			t.counts[r.Name] = &count{rule: r, keyword: strings.ToLower(r.Keyword), lines: map[int64]int{}}
		}
	}
	return t
}

// Add takes a line, cleaned already, and whose it is (see diagnostics.Owned). One
// that comes after its time was judged counts for the next, if it is this process's
// own: whoever was sent another's has counted it in time.
func (t *Tally) Add(at time.Time, whose, service, host, text string, own bool) {
	if len(t.counts) == 0 || t.now().Sub(at) > mostWait {
		return
	}
	lower := ""
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.counts {
		if !diagnostics.Serves(whose, c.rule.Customer) || c.rule.Service != "" && c.rule.Service != service || c.rule.Host != "" && c.rule.Host != host {
			continue
		}
		if lower == "" {
			lower = strings.ToLower(text)
		}
		if !strings.Contains(lower, c.keyword) {
			continue
		}
		every := seconds(c.rule.Every)
		end := (min(at.Unix(), t.now().Unix())/every + 1) * every
		if end <= c.judged && !own {
			continue
		}
		c.lines[max(end, c.judged+every)]++
		c.example = cut(text)
	}
}

// sights are the stretches up to a time that have enough lines and were not judged
// by this process; since says what another one has judged. From here on they count as
// judged: a line that comes while what they say is written down is one of the next.
func (t *Tally) sights(r *Rule, since, to int64) []Sight {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts[r.Name]
	if c == nil {
		return nil
	}
	if c.done > 0 {
		since = c.done
	}
	c.judged = to
	var all []Sight
	for end, n := range c.lines {
		if end > since && end <= to && n >= r.Count {
			all = append(all, Sight{At: end, Value: float64(n), Odd: true, Detail: c.example})
		}
	}
	slices.SortFunc(all, func(a, b Sight) int { return int(a.At - b.At) })
	return all
}

// done says that all up to a time was judged and is written down.
func (t *Tally) done(r *Rule, to int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts[r.Name]
	if c == nil {
		return
	}
	c.judged, c.done = to, to
	for end := range c.lines {
		if end <= to {
			delete(c.lines, end)
		}
	}
}
