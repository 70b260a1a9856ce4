// Package similar finds incidents of the past that are like one at hand, by
// their attributes and their text, and what ended them.
//
// It is pure, learns one incident at a time and keeps the latest of them only.
// Start with Index.
package similar

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// Doc is an incident: what was known when it began, and how it ended.
type Doc struct {
	ID    string
	Attrs map[string]string
	Text  string
	Fix   string // what ended it; empty while nobody knows
}

// Match is an incident of the past.
type Match struct {
	ID, Fix string
	Score   float64  // from 0 to 1: the share of what the incident says that both say
	Shared  []string // what both say, the most telling first: "service=shop"
}

const (
	// spread keeps what says little about the fix from counting nothing.
	spread = 0.02
	// aging is what the oldest incident kept loses against the newest.
	aging = 0.3
	// maxWords of a text count.
	maxWords = 200
	// maxFixes of one feature are told apart, so that memory is bounded.
	maxFixes = 1000
)

// Index holds the latest incidents. Make it with New; it is not safe for
// concurrent use.
type Index struct {
	keep     int
	docs     []entry // a ring
	added    int
	features map[string]*feature
}

type entry struct {
	doc      Doc
	features []string
}

// feature is something that an incident says, and whom it was said of.
type feature struct {
	docs  []int // numbers of incidents, ascending
	fixes map[string]int
	pairs float64 // the sum of the squares of fixes
	fixed float64
}

// New makes an index of the latest keep incidents.
func New(keep int) *Index {
	return &Index{keep: max(1, keep), features: map[string]*feature{}}
}

// Len is how many incidents are kept.
func (x *Index) Len() int { return min(x.added, x.keep) }

// Add takes an incident whose end is known.
func (x *Index) Add(d Doc) {
	e := entry{d, featuresOf(d)}
	at := x.added % x.keep
	if x.added >= x.keep {
		x.remove(x.docs[at])
		x.docs[at] = e
	} else {
		x.docs = append(x.docs, e)
	}
	for _, name := range e.features {
		f := x.features[name]
		if f == nil {
			f = &feature{fixes: map[string]int{}}
			x.features[name] = f
		}
		f.docs = append(f.docs, x.added)
		f.count(d.Fix, 1)
	}
	x.added++
}

// remove forgets the oldest incident: it is the first everywhere.
func (x *Index) remove(e entry) {
	for _, name := range e.features {
		f := x.features[name]
		f.docs = f.docs[1:]
		f.count(e.doc.Fix, -1)
		if len(f.docs) == 0 {
			delete(x.features, name)
		}
	}
}

func (f *feature) count(fix string, by int) {
	n, known := f.fixes[fix]
	if fix == "" || !known && (by < 0 || len(f.fixes) >= maxFixes) {
		return
	}
	f.pairs += float64((n+by)*(n+by) - n*n)
	f.fixed += float64(by)
	if n+by == 0 {
		delete(f.fixes, fix)
		return
	}
	f.fixes[fix] = n + by
}

// weight is how telling the feature is: rare (inverse document frequency), and
// followed by the same fix again and again (the chance that two of its incidents
// had the same one).
func (x *Index) weight(f *feature) float64 {
	rare := math.Log((float64(x.Len()) + 1) / (float64(len(f.docs)) + 1))
	same := 0.0
	if f.fixed > 0 {
		same = f.pairs / f.fixed / f.fixed
	}
	return max(rare, 0.01) * math.Pow(spread+same, 0.7)
}

// Find is up to n incidents like d, the most alike first. Of incidents with the
// same fix only the first is shown: another one would say nothing new.
func (x *Index) Find(d Doc, n int) []Match {
	names := featuresOf(d)
	weights, total := make([]float64, len(names)), 0.0
	scores := make([]float64, len(x.docs)) // by place in the ring
	var found []int
	for i, name := range names {
		f := x.features[name]
		if f == nil {
			total += math.Log(float64(x.Len())+1) * spread // said for the first time
			continue
		}
		weights[i] = x.weight(f)
		total += weights[i]
		for _, doc := range f.docs {
			at := doc % x.keep
			if scores[at] == 0 {
				found = append(found, doc)
			}
			scores[at] += weights[i]
		}
	}
	for _, doc := range found {
		scores[doc%x.keep] *= 1 - aging*float64(x.added-doc-1)/float64(x.keep)
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(scores[b%x.keep], scores[a%x.keep]), cmp.Compare(b, a))
	})
	var matches []Match
	shown := map[string]bool{}
	for _, doc := range found {
		if len(matches) == n {
			break
		}
		e := x.docs[doc%x.keep]
		if e.doc.Fix != "" && shown[e.doc.Fix] {
			continue
		}
		shown[e.doc.Fix] = true
		matches = append(matches, Match{e.doc.ID, e.doc.Fix, min(scores[doc%x.keep]/total, 1), shared(names, weights, e.features)})
	}
	return matches
}

// shared is what both say, the most telling first.
func shared(names []string, weights []float64, other []string) []string {
	order := make([]int, 0, len(names))
	for i, name := range names {
		if _, both := slices.BinarySearch(other, name); both {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	out := make([]string, len(order))
	for i, at := range order {
		out[i] = names[at]
	}
	return out
}

// featuresOf is what an incident says, sorted: its attributes, and the words of
// its text without numbers, which differ from time to time.
func featuresOf(d Doc) []string {
	var out []string
	for name, value := range d.Attrs {
		if value != "" {
			out = append(out, name+"="+value)
		}
	}
	words := strings.FieldsFunc(d.Text, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' && r != '-' })
	for _, w := range words[:min(len(words), maxWords)] {
		if len(w) > 1 {
			out = append(out, strings.ToLower(w))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
