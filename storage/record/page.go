package record

import "github.com/hikeshi-ops/hikeshi/incidents"

// Bounds of answers, so that no single call holds everything.
const (
	DefaultPage = 50
	MaxPage     = 200
	MaxRows     = 5000 // events, facts, postings, dead letters
)

// Limit is how many incidents a page has.
func Limit(q incidents.Query) int {
	if q.Limit <= 0 {
		return DefaultPage
	}
	return min(q.Limit, MaxPage)
}

// Rows is how many rows an answer has where max were asked for.
func Rows(max int) int {
	if max <= 0 {
		return MaxPage
	}
	return min(max, MaxRows)
}

// Effects of an unknown urgency wait behind all others.
const Urgencies = 5

// Urgency is u within 1 … Urgencies.
func Urgency(u int) int {
	if u < 1 || u > Urgencies {
		return Urgencies
	}
	return u
}
