package history

import (
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// meaning is what a column is about, by our own name for it.
type meaning string

const (
	id       meaning = "id"
	opened   meaning = "opened"
	resolved meaning = "resolved"
	service  meaning = "service"
	alert    meaning = "alert"
	severity meaning = "severity"
	labels   meaning = "labels"
	action   meaning = "action"
	outcome  meaning = "outcome"
)

// known are the headers that stand for each meaning, in lower case, the likeliest
// first: our own, those of a Jira search, those of a PagerDuty export.
var known = map[meaning][]string{
	id:       {"id", "issue key", "key", "incident_number"},
	opened:   {"opened", "created", "created_on", "created_at"},
	resolved: {"resolved", "resolved_on", "resolved_at", "resolutiondate"},
	service:  {"service", "component/s", "components", "component", "service_name"},
	alert:    {"alert", "summary", "description", "title"},
	severity: {"severity", "priority", "urgency"},
	labels:   {"labels"},
	action:   {"action", "custom field (action)", "custom field (runbook)", "custom field (remedy)", "runbook", "resolution"},
	outcome:  {"outcome"},
}

// columns are where the cells of each meaning stand. An export of Jira has several
// columns of one name where there are several values.
type columns map[meaning][]int

func columnsOf(head []string, actionColumn string) (columns, error) {
	c := columns{}
	for m, names := range known {
		if m == action && actionColumn != "" {
			names = []string{strings.ToLower(actionColumn)}
		}
		for _, name := range names {
			for i, h := range head {
				if strings.ToLower(strings.TrimSpace(h)) == name {
					c[m] = append(c[m], i)
				}
			}
			if len(c[m]) > 0 {
				break
			}
		}
	}
	for _, m := range []meaning{opened, action} {
		if len(c[m]) == 0 {
			return nil, incidents.Fail(incidents.Invalid, "import.no_column", "no column says "+string(m),
				"column", string(m), "known", strings.Join(known[m], ", ")).WithHint("hikeshi learn import FILE.csv --action COLUMN")
		}
	}
	return c, nil
}

// of is a row's cell; several are joined as labels are.
func (c columns) of(row []string, m meaning) string {
	var cells []string
	for _, i := range c[m] {
		if i < len(row) && strings.TrimSpace(row[i]) != "" {
			cells = append(cells, strings.TrimSpace(row[i]))
		}
	}
	if m != labels && len(cells) > 1 {
		cells = cells[:1]
	}
	return strings.Join(slices.Compact(cells), ";")
}
