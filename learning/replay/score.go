package replay

import "slices"

// maxRank is the last place that counts for MRR.
const maxRank = 10

// Score is how often a learner was right: of all scored incidents, of their
// first and of their last tenth.
type Score struct{ All, First, Last Tally }

// Tally counts hits.
type Tally struct {
	N          int
	Top1, Top3 int
	reciprocal float64
}

// Hit1 is the share of incidents whose action stood first.
func (t Tally) Hit1() float64 { return t.share(float64(t.Top1)) }

// Hit3 is the share of incidents whose action was among the first three.
func (t Tally) Hit3() float64 { return t.share(float64(t.Top3)) }

// MRR is the mean of 1 ÷ rank, ranks beyond maxRank counting nothing.
func (t Tally) MRR() float64 { return t.share(t.reciprocal) }

func (t Tally) share(x float64) float64 {
	if t.N == 0 {
		return 0
	}
	return x / float64(t.N)
}

func (s *Score) add(shown []int, right, n, of int) {
	at := slices.Index(shown, right)
	s.All.add(at)
	if n < of/10 {
		s.First.add(at)
	}
	if n >= of-of/10 {
		s.Last.add(at)
	}
}

func (t *Tally) add(at int) {
	t.N++
	if at < 0 || at >= maxRank {
		return
	}
	if at == 0 {
		t.Top1++
	}
	if at < shownActions {
		t.Top3++
	}
	t.reciprocal += 1 / float64(at+1)
}
