package sources

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	influxQL = regexp.MustCompile(`\ASELECT mean\(used\) FROM cpu WHERE host = '([^']*)' AND time >= \d+s AND time <= \d+s GROUP BY time\(\d+s\), host\z`)
	sql      = regexp.MustCompile(`\ASELECT date_bin\(INTERVAL '\d+ seconds', time\) AS time, host, avg\(used\) AS used FROM cpu WHERE host = '([^']*)' AND time >= '[0-9T:-]+Z' AND time <= '[0-9T:-]+Z' GROUP BY 1, host\z`)
	nrql     = regexp.MustCompile(`\ASELECT average\(duration\) FROM Transaction WHERE host = '([^']*)' FACET host SINCE (\d{13}) UNTIL (\d{13}) TIMESERIES (\d+) seconds\z`)
)

// InfluxDB2 answers GET /query, which 2.x has for clients of 1.x
// (https://docs.influxdata.com/influxdb/v2/api-guide/influxdb-1x/query/).
func InfluxDB2(t testing.TB, alert time.Time) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		q := r.URL.Query()
		asked := influxQL.FindStringSubmatch(q.Get("q"))
		switch {
		case r.Method != http.MethodGet || r.URL.Path != "/query" || q.Get("db") != "metrics" || q.Get("epoch") != "s":
			return s.refuse(http.StatusNotFound, map[string]string{"error": "not found"}, "influxdb 2: %s %s", r.Method, r.URL)
		case r.Header.Get("Authorization") != "Token "+Token:
			return s.refuse(http.StatusUnauthorized, map[string]string{"error": "unauthorized access"}, "influxdb 2: no token")
		case asked == nil:
			return s.refuse(http.StatusBadRequest, map[string]string{"error": "error parsing query"}, "influxdb 2: %s", q.Get("q"))
		case asked[1] != Host:
			return answer{http.StatusOK, map[string]any{"results": []any{map[string]any{"statement_id": 0}}}}
		}
		rows := [][]any{}
		s.points(func(at time.Time, v float64) { rows = append(rows, []any{at.Unix(), v}, []any{at.Unix() + 1, nil}) }) // and gaps
		return answer{http.StatusOK, map[string]any{"results": []any{map[string]any{"statement_id": 0, "series": []any{
			map[string]any{"name": "cpu", "tags": map[string]string{"host": Host}, "columns": []string{"time", "mean"}, "values": rows},
		}}}}}
	})
}

// InfluxDB3 answers POST /api/v3/query_sql
// (https://docs.influxdata.com/influxdb3/core/query-data/execute-queries/influxdb-v3-api/).
func InfluxDB3(t testing.TB, alert time.Time) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		var body struct{ DB, Q, Format string }
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		bad := d.Decode(&body)
		asked := sql.FindStringSubmatch(body.Q)
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/api/v3/query_sql" || bad != nil || body.DB != "metrics" || body.Format != "json":
			return s.refuse(http.StatusNotFound, map[string]string{"error": "not found"}, "influxdb 3: %s %s %+v %v", r.Method, r.URL, body, bad)
		case r.Header.Get("Authorization") != "Bearer "+Token:
			return s.refuse(http.StatusUnauthorized, map[string]string{"error": "the request was not authenticated"}, "influxdb 3: no token")
		case asked == nil:
			return s.refuse(http.StatusBadRequest, map[string]string{"error": "SQL error: ParserError"}, "influxdb 3: %s", body.Q)
		}
		rows := []any{}
		s.points(func(at time.Time, v float64) {
			if asked[1] == Host {
				rows = append(rows, map[string]any{"time": at.UTC().Format("2006-01-02T15:04:05"), "host": Host, "used": v}, map[string]any{"time": at.UTC().Format("2006-01-02T15:04:05"), "host": Host, "used": nil})
			}
		})
		return answer{http.StatusOK, rows}
	})
}

// NewRelic answers POST /graphql
// (https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/).
func NewRelic(t testing.TB, alert time.Time) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		var body struct {
			Query     string
			Variables struct {
				Account int
				NRQL    string
			}
		}
		bad := json.NewDecoder(r.Body).Decode(&body)
		wrong := func(message string) answer {
			return s.refuse(http.StatusOK, map[string]any{"data": map[string]any{"actor": map[string]any{"account": nil}}, "errors": []any{map[string]string{"message": message}}}, "new relic: %s: %+v", message, body)
		}
		asked := nrql.FindStringSubmatch(body.Variables.NRQL)
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/graphql" || bad != nil:
			return s.refuse(http.StatusNotFound, nil, "new relic: %s %s %v", r.Method, r.URL, bad)
		case r.Header.Get("Api-Key") != Token:
			return s.refuse(http.StatusUnauthorized, map[string]any{"errors": []any{map[string]string{"message": "no API key"}}}, "new relic: no key")
		case !strings.HasPrefix(body.Query, "query($account: Int!, $nrql: Nrql!)") || body.Variables.Account != 7:
			return wrong("Variable not defined")
		case asked == nil:
			return wrong("NRQL Syntax Error")
		}
		from, _ := strconv.Atoi(asked[2])
		to, _ := strconv.Atoi(asked[3])
		if seconds, _ := strconv.Atoi(asked[4]); seconds == 0 || (to-from)/1000/seconds > 366 {
			return wrong("TIMESERIES has more than 366 buckets")
		}
		results := []any{}
		s.points(func(at time.Time, v float64) {
			if asked[1] == Host {
				results = append(results, map[string]any{"beginTimeSeconds": at.Unix(), "endTimeSeconds": at.Unix() + 15, "average.duration": v, "facet": Host, "host": Host})
			}
		})
		return answer{http.StatusOK, map[string]any{"data": map[string]any{"actor": map[string]any{"account": map[string]any{"nrql": map[string]any{"results": results}}}}}}
	})
}
