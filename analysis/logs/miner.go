// Package logs finds the templates behind log lines, and says which of them are
// new, came in a burst or fell silent.
//
// It is pure: no clock, no input or output; times are arguments. It promises
// one pass and bounded memory whatever comes in (lines of megabytes, binary,
// colours, half a character), and one configuration for every log: nothing in
// it knows a system.
//
// Start with Miner, then Watch. Why it is so stands in docs/decisions/0019.
package logs

import (
	"container/list"
	"slices"
	"strings"
)

// Limits bound a Miner.
type Limits struct {
	Templates int // kept at most; the one not seen for longest goes first
	Words     int // of a line that count
	Bytes     int // of a line that count
}

// DefaultLimits are for one host or service: about 10 MB when full.
func DefaultLimits() Limits { return Limits{Templates: 5000, Words: 128, Bytes: 16 << 10} }

const (
	// similar is how much of two lines must agree for one template.
	similar = 0.6
	// variants is how many spellings of a word stay templates of their own before
	// it is taken for a value: "on" and "off" are two events, a name of a user is none.
	variants = 3
	// states is the same for words with a capital, which name states and errors.
	states = 12
	// bucketful bounds what one line is compared with.
	bucketful = 256
	// forwards is how many merged templates are remembered for each template kept.
	forwards = 4
)

// Match says which template a line has.
type Match struct {
	ID       int
	New      bool  // the template was not known before this line
	Absorbed []int // templates that this line showed to be the same one as ID
	Forgot   int   // the template that had to make room, 0 for none
}

// Miner finds templates as Drain does (He et al., ICWS 2017): lines of equal
// length and first word are compared word by word. Two things are its own: the
// values are masked by shape first, and a word that differs becomes a wildcard
// only once it has had several values. Make it with NewMiner; it is not safe for
// concurrent use.
type Miner struct {
	limits  Limits
	mask    masker
	clean   cleaner
	buckets map[bucket][]*template
	byID    map[int]*template
	seen    map[string]*template // exact masked lines, the fast way
	recent  *list.List           // of *template, the latest first
	forward map[int]int
	order   []int // of forward, the oldest first
	last    int
	stats   Stats
}

// Stats is what a Miner has gone through, and what it left out.
type Stats struct {
	Lines, Cut, Binary, Forgotten int
}

type bucket struct {
	words int
	first string
}

type template struct {
	id    int
	words []string
	home  bucket
	place *list.Element
	keys  []string // of seen
}

// NewMiner makes an empty one.
func NewMiner(l Limits) *Miner {
	return &Miner{
		limits: l, buckets: map[bucket][]*template{}, byID: map[int]*template{},
		seen: map[string]*template{}, recent: list.New(), forward: map[int]int{},
	}
}

// Stats says what went through.
func (m *Miner) Stats() Stats { return m.stats }

// Len is how many templates there are.
func (m *Miner) Len() int { return len(m.byID) }

// Text is the template's text, empty for one that was forgotten.
func (m *Miner) Text(id int) string {
	t := m.byID[m.Root(id)]
	if t == nil {
		return ""
	}
	return strings.ToValidUTF8(strings.Join(t.words, " "), "�")
}

// Root is the template that an absorbed one has become part of.
func (m *Miner) Root(id int) int {
	for m.forward[id] != 0 {
		id = m.forward[id]
	}
	return id
}

// Add takes one line, without its end, and does not keep it.
func (m *Miner) Add(line []byte) Match {
	m.stats.Lines++
	text, kind := m.clean.clean(line, m.limits.Bytes)
	cut := m.mask.mask(text, m.limits.Words)
	if kind == binary {
		m.stats.Binary++
	}
	if cut || kind == tooLong {
		m.stats.Cut++
	}
	if t := m.seen[string(m.mask.line)]; t != nil {
		m.recent.MoveToFront(t.place)
		return Match{ID: t.id}
	}
	match := m.settle()
	m.remember(m.byID[match.ID])
	return match
}

// maxKeys is how many exact lines lead straight to one template.
const maxKeys = 8

func (m *Miner) remember(t *template) {
	if len(t.keys) == maxKeys {
		delete(m.seen, t.keys[0])
		t.keys = t.keys[1:]
	}
	key := string(m.mask.line)
	t.keys = append(t.keys, key)
	m.seen[key] = t
}

// settle finds the template of the masked line, or makes it.
func (m *Miner) settle() Match {
	home := bucket{words: len(m.mask.words)}
	if home.words > 0 {
		if first := m.mask.at(0); isWild(first) {
			home.first = Wildcard
		} else {
			home.first = string(first)
		}
	}
	words := make([]string, home.words)
	for i := range words {
		words[i] = string(m.mask.at(i))
	}
	best := nearest(m.buckets[home], words)
	if best == nil {
		return m.grow(words, home)
	}
	places, loud := best.differs(words)
	if len(places) == 0 {
		m.recent.MoveToFront(best.place)
		best.soften(words)
		return Match{ID: best.id}
	}
	kin := siblings(m.buckets[home], words, places)
	enough := variants
	if loud {
		enough = states
	}
	if len(kin) < enough {
		return m.grow(words, home)
	}
	return m.merge(kin, words)
}

// nearest is the template that agrees most with the words, nil if none does enough.
func nearest(in []*template, words []string) *template {
	var best *template
	most := -1
	for _, t := range in {
		same := 0
		for i, w := range words {
			if t.words[i] == w || t.words[i] == Wildcard {
				same++
			}
		}
		if same > most {
			most, best = same, t
		}
	}
	if float64(most) < similar*float64(len(words)) {
		return nil
	}
	return best
}

// wildcard says that a word is a value, or has one in it.
func wildcard(word string) bool { return strings.Contains(word, Wildcard) }

// apart says that two words make two templates, until they turn out to be values.
func apart(a, b string) bool { return a != b && !wildcard(a) && !wildcard(b) }

// differs lists the places where the words are apart; loud says that all of them
// are words with a capital.
func (t *template) differs(words []string) (places []int, loud bool) {
	loud = true
	for i, w := range words {
		if apart(t.words[i], w) {
			places = append(places, i)
			loud = loud && capital(t.words[i]) && capital(w)
		}
	}
	return places, loud
}

// siblings are the templates that are apart from the words in these places only.
func siblings(in []*template, words []string, places []int) []*template {
	var kin []*template
	for _, t := range in {
		if fits(t.words, words, places) {
			kin = append(kin, t)
		}
	}
	return kin
}

func fits(a, b []string, except []int) bool {
	for i := range a {
		if apart(a[i], b[i]) && !slices.Contains(except, i) {
			return false
		}
	}
	return true
}

// capital says that the word's first letter is a capital, as in the names of
// states, verbs and errors: (Started), "GET, RUNNING.
func capital(word string) bool {
	for i := range len(word) {
		if isLetter(word[i]) {
			return word[i] < 'a'
		}
	}
	return false
}

// soften makes a wildcard of every word that is not the same.
func (t *template) soften(words []string) {
	for i, w := range words {
		if t.words[i] != w {
			t.words[i] = Wildcard
		}
	}
}
