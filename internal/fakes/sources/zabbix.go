package sources

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// zabbixParams are those that each method is asked with here; one that it does not
// have is refused (https://www.zabbix.com/documentation/current/en/manual/api/reference).
var zabbixParams = map[string]string{
	"apiinfo.version": "", "host.get": "output filter", "item.get": "output hostids filter limit",
	"history.get": "output history itemids time_from time_till sortfield sortorder limit",
	"problem.get": "output hostids source object time_till sortfield sortorder limit",
	"event.get":   "output hostids source object value time_from time_till sortfield sortorder limit",
}

// zabbixSorts is the one field by which each method sorts.
var zabbixSorts = map[string]string{"history.get": `"clock"`, "problem.get": `["eventid"]`, "event.get": `["eventid"]`}

// zabbixNumbers are the parameters that must be integers.
const zabbixNumbers = "limit history time_from time_till source object value"

// Zabbix answers POST /api_jsonrpc.php as the given version does: 6.4 and later want
// the token in a header, those before in the body. What it says was compared with a real
// 6.0.14 (see docs/sources.md); it is stricter: that one overlooks parameters that it does
// not know, but in history.get, and a token with apiinfo.version in a header.
func Zabbix(t testing.TB, alert time.Time, version string, inHeader bool) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		var call struct {
			Version string `json:"jsonrpc"`
			Method  string
			Params  json.RawMessage
			ID      int
			Auth    string
		}
		bad := json.NewDecoder(r.Body).Decode(&call)
		var params map[string]any
		_ = json.Unmarshal(call.Params, &params) // a list, of apiinfo.version
		known, is := zabbixParams[call.Method]
		wrong := func(data string) answer {
			return s.refuse(http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": call.ID, "error": map[string]any{"code": -32602, "message": "Invalid params.", "data": data}}, "zabbix %s: %s: %s", version, call.Method, data)
		}
		signed := r.Header.Get("Authorization") == "Bearer "+Token && call.Auth == ""
		if !inHeader {
			signed = r.Header.Get("Authorization") == "" && call.Auth == Token
		}
		switch {
		case r.Method != http.MethodPost || r.URL.Path != "/zabbix/api_jsonrpc.php" || bad != nil || call.Version != "2.0" || !is:
			return wrong("Incorrect API or method.")
		case call.Method == "apiinfo.version" && (call.Auth != "" || r.Header.Get("Authorization") != ""):
			return wrong("The \"apiinfo.version\" method must be called without authorization.")
		case call.Method != "apiinfo.version" && !signed:
			return wrong("Not authorized.")
		}
		for name := range params {
			if !slices.Contains(strings.Fields(known), name) {
				return wrong("Invalid parameter \"/\": unexpected parameter \"" + name + "\".")
			}
			if n, is := params[name].(float64); slices.Contains(strings.Fields(zabbixNumbers), name) && (!is || n != math.Trunc(n)) {
				return wrong("Invalid parameter \"/" + name + "\": an integer is expected.")
			}
		}
		if by, sorted := params["sortfield"]; sorted {
			if text, _ := json.Marshal(by); string(text) != zabbixSorts[call.Method] {
				return wrong("Sorting by field " + string(text) + " not allowed.")
			}
		}
		return answer{http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": s.zabbix(call.Method, version, params)}}
	})
}

func (s *Server) zabbix(method, version string, params map[string]any) any {
	at := func(before time.Duration) string { return strconv.FormatInt(s.alert.Add(-before).Unix(), 10) }
	disk := map[string]string{"eventid": "31", "objectid": "9", "name": "Disk is full on /var", "clock": at(2 * time.Hour), "severity": "4", "r_eventid": "0"}
	swap := map[string]string{"eventid": "30", "objectid": "8", "name": "Swap is used", "clock": at(10 * time.Minute), "severity": "2", "r_eventid": "32"}
	switch method {
	case "apiinfo.version":
		return version
	case "host.get":
		if filter, _ := params["filter"].(map[string]any); !slices.Contains(list(filter["host"]), any(Host)) {
			return []any{}
		}
		return []any{map[string]string{"hostid": "10084"}}
	case "item.get":
		return []any{map[string]string{"itemid": "42", "name": "Load average", "value_type": "0"}}
	case "history.get":
		rows := []any{}
		s.points(func(at time.Time, v float64) {
			row := map[string]string{"clock": strconv.FormatInt(at.Unix(), 10), "value": strconv.FormatFloat(v, 'f', -1, 64)}
			rows = append(rows, row, maps.Clone(row)) // twice the same time
		})
		slices.Reverse(rows)
		return rows
	case "problem.get":
		return []any{disk}
	}
	return []any{swap}
}

func list(v any) []any {
	all, _ := v.([]any)
	return all
}
