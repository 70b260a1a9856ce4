package sources

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Neo4j answers POST /db/neo4j/query/v2
// (https://neo4j.com/docs/query-api/current/query/). A statement with what belongs
// into its parameters is refused.
func Neo4j(t testing.TB, alert time.Time) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		var body struct {
			Statement  string
			Parameters struct {
				Service string
				Limit   int
			}
			AccessMode string
		}
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		bad := d.Decode(&body)
		wrong := func(code int, message string) answer {
			return s.refuse(code, map[string]any{"errors": []any{map[string]string{"code": "Neo.ClientError", "message": message}}}, "neo4j: %s: %+v %v", message, body, bad)
		}
		user, password, _ := r.BasicAuth()
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/db/neo4j/query/v2" || bad != nil || body.AccessMode != "READ" || body.Parameters.Limit <= 0:
			return wrong(http.StatusBadRequest, "Bad Request")
		case user != "reader" || password != Token:
			return wrong(http.StatusUnauthorized, "Invalid credential.")
		case !strings.Contains(body.Statement, "$service") || strings.Contains(body.Statement, Service):
			return wrong(http.StatusBadRequest, "the service is no parameter")
		}
		rows := []any{}
		if body.Parameters.Service == Service {
			rows = append(rows, []any{"shop", "web team", "https://wiki.example.com/shop", []string{"payment"}}, []any{"payment", nil, nil, []string{}}, []any{"storefront", nil, nil, []string{"shop"}})
		}
		return answer{http.StatusAccepted, map[string]any{"data": map[string]any{"fields": []string{"name", "owner", "url", "depends_on"}, "values": rows}, "bookmarks": []string{"FB:x"}}}
	})
}
