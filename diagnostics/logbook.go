package diagnostics

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// BookKeeps is how long a Book remembers.
const BookKeeps = before + after + 10*time.Minute

const (
	bookSlot      = 5 * time.Second
	bookTemplates = 500 // of one book
	exampleBytes  = 500
	mostLead      = 5 * time.Minute // what is new shows so long before the alert at most
	mostTrends    = 4
	enough        = 3 * time.Second // of a log before the alert
	mostShare     = 4               // times as long as what is known of before
)

// Book counts the templates of one log over the last hours, in bounded memory.
// It is not safe for concurrent use.
type Book struct {
	miner    *logs.Miner
	slots    map[int64]map[int]int
	examples map[int]string
	first    time.Time
	newest   int64
}

// NewBook makes an empty one.
func NewBook() *Book {
	l := logs.DefaultLimits()
	l.Templates = bookTemplates
	return &Book{miner: logs.NewMiner(l), slots: map[int64]map[int]int{}, examples: map[int]string{}}
}

// Add takes a line that is cleaned already. Lines may come out of order; one
// older than what is kept is not counted, which is false.
func (b *Book) Add(at time.Time, line string) bool {
	slot := at.UnixNano() / int64(bookSlot)
	keeps := int64(BookKeeps / bookSlot)
	if b.newest > 0 && slot < b.newest-keeps {
		return false
	}
	if b.first.IsZero() || at.Before(b.first) {
		b.first = at
	}
	if slot > b.newest {
		b.newest = slot
		for old := range b.slots {
			if old < slot-keeps {
				delete(b.slots, old)
			}
		}
	}
	m := b.miner.Add([]byte(line))
	if m.Forgot != 0 {
		delete(b.examples, m.Forgot)
	}
	for _, id := range m.Absorbed {
		delete(b.examples, id)
	}
	if b.slots[slot] == nil {
		b.slots[slot] = map[int]int{}
	}
	b.slots[slot][m.ID]++
	if len(line) > exampleBytes {
		line = line[:exampleBytes]
	}
	b.examples[m.ID] = line
	return true
}

// Newest is when the latest line was; zero of an empty book.
func (b *Book) Newest() time.Time {
	if b.newest == 0 {
		return time.Time{}
	}
	return time.Unix(0, b.newest*int64(bookSlot))
}

// Trends compares the time around and after the alert with the hour before, or
// what is known of it. Without any line before it says nothing: everything would
// be new; nor with less than enough of them, from which nobody knows what is usual.
func (b *Book) Trends(from, alert, to time.Time) []LogTrend {
	if b.first.After(from) {
		from = b.first
	}
	since, known := begins(from, alert)
	if !known {
		return nil
	}
	// How much of a kind is usual cannot be told for longer than so much of what is known.
	until := since.Add(mostShare * since.Sub(from))
	if to.Before(until) {
		until = to
	}
	old, now := map[int]int{}, map[int]int{}
	firsts := map[int]int64{}
	for slot, counts := range b.slots {
		at := time.Unix(0, slot*int64(bookSlot))
		if at.Before(since) && !at.Before(from.Add(-bookSlot)) {
			for id, n := range counts {
				old[b.miner.Root(id)] += n
			}
		}
	}
	for slot, counts := range b.slots {
		at := time.Unix(0, slot*int64(bookSlot))
		if at.Before(since) || at.After(to) {
			continue
		}
		for id, n := range counts {
			if id = b.miner.Root(id); old[id] > 0 && !at.Before(until) {
				continue
			}
			now[id] += n
			if f, seen := firsts[id]; !seen || slot < f {
				firsts[id] = slot
			}
		}
	}
	if len(old) == 0 {
		return nil
	}
	share := float64(until.Sub(since)) / float64(since.Sub(from))
	var trends []LogTrend
	for _, f := range logs.Compare(old, now, share) {
		text := b.miner.Text(f.ID)
		if text == "" || len(trends) == mostTrends {
			continue
		}
		t := LogTrend{Template: text, Example: b.examples[f.ID], Trend: f.Trend, Count: f.Count, Usual: f.Expected, Since: since}
		if first, seen := firsts[f.ID]; seen {
			t.Since = time.Unix(0, first*int64(bookSlot))
		}
		trends = append(trends, t)
	}
	return trends
}

// begins is where what is new begins: some time before the alert, and not within a
// slot, of which nobody knows what came before.
func begins(from, alert time.Time) (since time.Time, known bool) {
	lead := min(mostLead, alert.Sub(from)/4)
	for _, since = range []time.Time{slotOf(alert.Add(-lead)), slotOf(alert)} {
		if since.Sub(from) >= enough {
			return since, true
		}
	}
	return since, false
}

// slotOf is when the slot begins in which a moment is.
func slotOf(at time.Time) time.Time {
	return time.Unix(0, at.UnixNano()/int64(bookSlot)*int64(bookSlot))
}

// logged says what became of the log.
func (v *Investigator) logged(trends []LogTrend) []incidents.Clue {
	var clues []incidents.Clue
	for _, t := range trends[:min(len(trends), mostTrends)] {
		clues = append(clues, incidents.Clue{
			Kind: incidents.ClueLog, Source: t.Source, Item: "log/" + t.Source, Title: withoutTime(t.Template), Detail: t.Example, URL: t.URL, At: t.Since.UTC(),
			Says: incidents.Because("clue.log."+string(t.Trend), "n", strconv.Itoa(t.Count), "usual", fmt.Sprintf("%.0f", t.Usual)),
		})
	}
	return clues
}

// withoutTime leaves out the words before the first that says something: times,
// and whatever else is never the same.
func withoutTime(template string) string {
	words := strings.Fields(template)
	for i, w := range words {
		_, value, named := strings.Cut(w, "=")
		if !named {
			value = w
		}
		if strings.Trim(strings.ReplaceAll(value, "<*>", ""), "TZ[]()-:.,+\"") != "" {
			return strings.Join(words[i:], " ")
		}
	}
	return template
}
