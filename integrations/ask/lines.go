package ask

import (
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

// Clean makes text from outside fit to be kept: no secrets, no control characters,
// at most so many bytes.
type Clean func(text string, most int) string

// MostLines is how many lines of a log are looked at, before the alert and after it
// each.
const MostLines = 5000

const mostLine = 2000 // bytes of one

// Line is one line of a log.
type Line struct {
	At   time.Time
	Text string
}

// Lines are those of a log around the alert of a question.
type Lines struct {
	All []Line
	URL string

	CutBefore, CutAfter bool // there were earlier ones, later ones, that were not looked at
}

// Trends compares what came with the alert with what was there before. Lines of
// which there were too many are those nearest to the alert, and that is said.
func (l Lines) Trends(q diagnostics.Question, clean Clean) diagnostics.Answer {
	slices.SortStableFunc(l.All, func(a, b Line) int { return a.At.Compare(b.At) })
	book, to := diagnostics.NewBook(), q.To
	for _, line := range l.All {
		book.Add(line.At, clean(line.Text, mostLine))
	}
	if l.CutAfter && len(l.All) > 0 && l.All[len(l.All)-1].At.After(q.Alert) {
		to = l.All[len(l.All)-1].At
	}
	answer := diagnostics.Answer{Logs: book.Trends(q.From, q.Alert, to)}
	for i := range answer.Logs {
		answer.Logs[i].URL = l.URL
	}
	if l.CutBefore || l.CutAfter {
		answer.Clues = append(answer.Clues, only(len(l.All)))
	}
	return answer
}
