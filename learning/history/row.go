package history

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// row makes a fact of a line. An incident that has no action, or is not over, teaches
// nothing, and that is no mistake of the file: it is left out.
func (r *reader) row(line int, cell func(meaning) string) {
	begin, ok := when(cell(opened))
	if !ok {
		r.refuse(line, "import.bad_time", "column", string(opened), "value", short(cell(opened)))
		return
	}
	what, over := short(cell(action)), cell(resolved)
	if what == "" || over == "" && cell(outcome) == "" {
		r.skipped()
		return
	}
	end := begin
	if over != "" {
		if end, ok = when(over); !ok {
			r.refuse(line, "import.bad_time", "column", string(resolved), "value", short(over))
			return
		}
	}
	switch {
	case end.Before(begin):
		r.refuse(line, "import.backwards")
		return
	case end.After(r.o.Now):
		r.refuse(line, "import.future", "value", end.Format(time.RFC3339))
		return
	}
	helped, ok := outcomes[strings.ToLower(cell(outcome))]
	if !ok {
		r.refuse(line, "import.bad_outcome", "value", short(cell(outcome)))
		return
	}
	f := incidents.Fact{Kind: incidents.FactOutcome, At: end, Action: what, Value: helped, Took: end.Sub(begin), Source: Source}
	f.Context = incidents.Context{Service: short(cell(service)), Name: short(cell(alert)), Source: Source, Labels: labelsOf(cell(labels))}
	f.Context.Severity, _ = incidents.ParseSeverity(cell(severity))
	name := incidents.KeyOf("import", cell(id), begin.Format(time.RFC3339), end.Format(time.RFC3339), f.Context.Service, f.Context.Name, what, strconv.Itoa(helped))
	f.Ref = hex.EncodeToString(name[:12])
	r.facts = append(r.facts, f)
}

func (r *reader) skipped() { r.left++ }

// outcomes are the words for what came of it. A resolved incident of which nothing
// is said was resolved by what was done.
var outcomes = map[string]int{
	"": 1, "1": 1, "true": 1, "yes": 1, "worked": 1, "success": 1, "resolved": 1, "helped": 1, "fixed": 1, "成功": 1, "効いた": 1,
	"0": 0, "-1": 0, "false": 0, "no": 0, "failed": 0, "failure": 0, "did not work": 0, "失敗": 0, "効かなかった": 0,
}

// layouts are the times that exports have; without a zone they are UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05.000-0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05",
	"2006-01-02 15:04", "02/Jan/06 3:04 PM", "02/Jan/2006 3:04 PM", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006-01-02",
}

func when(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), t.Year() >= 1970
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1<<34 {
		return time.Unix(n, 0).UTC(), true
	}
	return time.Time{}, false
}

// labelsOf reads "team=pay;env=prod"; a word alone is a label that has itself for a value.
func labelsOf(s string) incidents.Labels {
	pairs := map[string]string{}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			value = name
		}
		if name = short(name); name != "" && len(pairs) < incidents.MaxContextLabels {
			pairs[name] = short(value)
		}
	}
	return incidents.LabelsFromMap(pairs)
}

// short is a name on one line.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}
