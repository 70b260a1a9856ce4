package sources

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Line is one of a log.
type Line struct {
	At   time.Time
	Text string
}

// Lines are the log that all have: a heartbeat, and since the alert an error with a
// secret in it.
func Lines(alert time.Time) []Line {
	var all []Line
	for i := -200; i <= 5; i++ {
		at := alert.Add(time.Duration(i) * 15 * time.Second)
		all = append(all, Line{at, fmt.Sprintf("heartbeat number %d from the scheduler", i+200)}, Line{at.Add(time.Millisecond), fmt.Sprintf("flushed %d entries of the queue", i+200)})
		if i > 0 {
			all = append(all, Line{at.Add(2 * time.Millisecond), fmt.Sprintf("ERROR payment refused: password=hunter2 order %d", i)})
		}
	}
	return all
}

var (
	selector = regexp.MustCompile(`\A\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\}\z`)
	matcher  = regexp.MustCompile(`([a-z_]+)=("(?:[^"\\\n]|\\.)*")`)
)

// Loki answers GET /loki/api/v1/query_range
// (https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time).
func Loki(t testing.TB, alert time.Time, limit int) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		q := r.URL.Query()
		start, bad1 := strconv.ParseInt(q.Get("start"), 10, 64)
		end, bad2 := strconv.ParseInt(q.Get("end"), 10, 64)
		most, bad3 := strconv.Atoi(q.Get("limit"))
		forward := q.Get("direction") == "forward"
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/loki/api/v1/query_range":
			return s.refuse(http.StatusNotFound, "404 page not found", "loki: %s %s", r.Method, r.URL.Path)
		case r.Header.Get("X-Scope-OrgID") != "team" || r.Header.Get("Authorization") != "Bearer "+Token:
			return s.refuse(http.StatusUnauthorized, "no org id", "loki: no tenant, or no token")
		case cmp.Or(bad1, bad2, bad3) != nil || end <= start || most > limit || !forward && q.Get("direction") != "backward":
			return s.refuse(http.StatusBadRequest, "max entries limit per query exceeded", "loki: %v", q)
		case !selector.MatchString(q.Get("query")):
			return s.refuse(http.StatusBadRequest, "parse error at line 1", "loki: %s is no selector", q.Get("query"))
		}
		values := [][2]string{}
		for _, m := range matcher.FindAllStringSubmatch(q.Get("query"), -1) {
			if v, err := strconv.Unquote(m[2]); err != nil || m[1] == "service_name" && v != Service {
				return answer{http.StatusOK, streams(nil)}
			}
		}
		all := Lines(alert)
		if !forward {
			slices.Reverse(all)
		}
		for _, l := range all {
			if ns := l.At.UnixNano(); ns >= start && ns < end && len(values) < most {
				values = append(values, [2]string{strconv.FormatInt(ns, 10), l.Text})
			}
		}
		return answer{http.StatusOK, streams(values)}
	})
}

func streams(values [][2]string) any {
	result := []any{}
	if len(values) > 0 {
		result = append(result, map[string]any{"stream": map[string]string{"service_name": Service}, "values": values})
	}
	return map[string]any{"status": "success", "data": map[string]any{"resultType": "streams", "result": result, "stats": map[string]any{}}}
}
