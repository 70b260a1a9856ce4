package zabbix

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

const (
	mostProblems = 50 // that are asked for
	mostTold     = 5
)

// event is a problem as problem.get and event.get tell it.
type event struct {
	ID       string `json:"eventid"`
	Trigger  string `json:"objectid"`
	Name     string
	Clock    string
	Severity string
	Recovery string `json:"r_eventid"` // "0" or missing: it lasts
}

// problems are those of the host that last, whenever they began, and those that
// came and went in the time that is looked at; the gravest first.
func (s *Source) problems(ctx context.Context, call call, host string, q diagnostics.Question) (diagnostics.Answer, error) {
	params := func(more map[string]any) map[string]any {
		all := map[string]any{
			"output": []string{"eventid", "objectid", "name", "clock", "severity", "r_eventid"}, "hostids": []string{host},
			"source": 0, "object": 0, "time_till": q.To.Unix(), "sortfield": []string{"eventid"}, "sortorder": "DESC", "limit": mostProblems,
		}
		for name, v := range more {
			all[name] = v
		}
		return all
	}
	var last, came []event
	_, err := ask.Each(2, func(i int) (diagnostics.Answer, error) {
		if i == 0 {
			return diagnostics.Answer{}, call(ctx, "problem.get", params(nil), &last)
		}
		return diagnostics.Answer{}, call(ctx, "event.get", params(map[string]any{"value": 1, "time_from": q.From.Unix()}), &came)
	})
	known := map[string]bool{}
	var all []event
	for _, e := range slices.Concat(last, came) {
		if !known[e.ID] {
			known[e.ID], all = true, append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return severity(b) - severity(a) })
	answer := diagnostics.Answer{Left: max(0, len(all)-mostTold)}
	for _, e := range all[:min(len(all), mostTold)] {
		answer.Clues = append(answer.Clues, s.clue(e))
	}
	return answer, err
}

func severity(e event) int {
	n, _ := strconv.Atoi(e.Severity)
	return n
}

func (s *Source) clue(e event) incidents.Clue {
	phrase := "clue.problem.lasts"
	if e.Recovery != "" && e.Recovery != "0" {
		phrase = "clue.problem.over"
	}
	at, _ := strconv.ParseInt(e.Clock, 10, 64)
	return incidents.Clue{
		Kind: incidents.ClueProblem, Title: e.Name, At: time.Unix(at, 0).UTC(), Says: incidents.Because(phrase, "severity", strconv.Itoa(severity(e))),
		URL: s.plain.Address() + "/tr_events.php?" + url.Values{"triggerid": {e.Trigger}, "eventid": {e.ID}}.Encode(),
	}
}
