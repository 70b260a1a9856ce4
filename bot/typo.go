package bot

import (
	"cmp"
	"slices"
)

// maxTypo is how many mistakes a word may hold and still be guessed.
const maxTypo = 2

// Guess returns the words most like word, best first, at most three.
func Guess(word string, words []string) []string {
	type near struct {
		word     string
		distance int
	}
	var found []near
	for _, w := range words {
		if d := distance(word, w); d <= maxTypo && d < len([]rune(w)) && d < len([]rune(word)) {
			found = append(found, near{w, d})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, n := range found {
		if n.distance == found[0].distance && len(out) < 3 {
			out = append(out, n.word)
		}
	}
	return out
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour to make b of a: the optimal string alignment distance
// (https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance). Words longer
// than 32 letters are nothing like a verb.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 32 || len(y) > 32 {
		return maxTypo + 1
	}
	var d [33][33]int
	for i := range len(x) + 1 {
		d[i][0] = i
	}
	for j := range len(y) + 1 {
		d[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}
