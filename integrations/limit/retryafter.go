package limit

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What a Retry-After that says nothing useful means. unsaid is for none and
// for nonsense: long enough not to hammer, short enough for one in an incident.
const (
	leastClosed = 100 * time.Millisecond
	pastClosed  = time.Second // zero, negative, a date in the past
	unsaid      = 5 * time.Second
)

// RetryAfter reads the header of that name: seconds (also with a fraction, as
// Discord writes them) or an HTTP date. It returns at least 100 ms, at most
// MaxClosed, and 5 s where it says nothing that can be read.
// https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
func RetryAfter(now time.Time, header string) time.Duration {
	header = strings.TrimSpace(header)
	var d time.Duration
	if seconds, err := strconv.ParseFloat(header, 64); err == nil && !math.IsNaN(seconds) {
		d = time.Duration(min(math.Ceil(seconds*1000), float64(MaxClosed.Milliseconds()))) * time.Millisecond
		if seconds <= 0 {
			d = pastClosed
		}
	} else if date, err := http.ParseTime(header); err == nil {
		if d = date.Sub(now); d <= 0 {
			d = pastClosed
		}
	} else {
		d = unsaid
	}
	return min(max(d, leastClosed), MaxClosed)
}
