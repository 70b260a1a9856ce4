package anomaly

import "math"

// surprise measures how much worse than usual a series is foretold: the error of
// the best of three simple forecasts (the last value, the mean of late, the same
// time of earlier days), against its own slow mean and deviation. A value out
// of all that was seen counts more.
type surprise struct {
	n            float64
	low, high    float64
	last, recent float64
	day          [slots]float64
	known        [slots]bool
	usual        float64 // the slow mean of the error
	short        float64 // the mean of the latest normalised errors
	mean, square float64 // of short
}

const (
	slots     = 288 // of a day: five minutes each
	dayRate   = 0.3
	shortN    = 10
	recentN   = 20
	meanN     = 500
	squareN   = 1000
	errorCap  = 10.0
	floor     = 0.02 // of the range: smaller errors are noise
	leastDev  = 0.05
	outOfPast = 1.0
	top       = 8.0 // deviations that make a score of 1
	warm      = 50
)

// add takes a value and says from 0 to 1 how surprising it is.
func (s *surprise) add(t int64, x float64) float64 {
	s.n++
	if s.n == 1 {
		s.low, s.high, s.last, s.recent = x, x, x, x
		return 0
	}
	slot := int(((t%86400 + 86400) % 86400) * slots / 86400)
	e := min(math.Abs(x-s.last), math.Abs(x-s.recent))
	if s.known[slot] {
		e = min(e, math.Abs(x-s.day[slot]))
	}
	score := max(s.deviations(e), 0)
	if x > s.high || x < s.low {
		score += outOfPast
	}
	s.learn(slot, x)
	if s.n <= warm {
		return 0
	}
	return min(score, top) / top
}

// deviations is how far the late errors are from what they usually are.
func (s *surprise) deviations(e float64) float64 {
	rate := func(n float64) float64 { return 1 / min(s.n, n) }
	relative := 0.0
	if scale := s.usual + floor*(s.high-s.low); scale > 0 {
		relative = min(e/scale, errorCap)
	}
	s.usual += (e - s.usual) * rate(meanN)
	s.short += (relative - s.short) * rate(shortN)
	d := s.short - s.mean
	z := d / (math.Sqrt(max(s.square, 0)) + leastDev)
	s.mean += d * rate(meanN)
	s.square += (d*(s.short-s.mean) - s.square) * rate(squareN)
	return z
}

func (s *surprise) learn(slot int, x float64) {
	s.low, s.high = min(s.low, x), max(s.high, x)
	s.last = x
	s.recent += (x - s.recent) / recentN
	if s.known[slot] {
		s.day[slot] += (x - s.day[slot]) * dayRate
		return
	}
	s.day[slot], s.known[slot] = x, true
}
