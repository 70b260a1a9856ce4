package diagnostics

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Template is a query with places for labels of the incident, each a whole
// quoted word: http_requests_total{service="$service"}. What is put there is a
// plain name or nothing at all, so no alert can say more than a name.
type Template struct {
	text   string
	labels []string
}

var (
	placeIn   = regexp.MustCompile(`"\$([a-zA-Z_][a-zA-Z0-9_]*)"`)
	plainName = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,127}\z`)
)

// ParseTemplate reads one. A $ anywhere else is refused: it would not be quoted.
func ParseTemplate(text string) (Template, error) {
	t := Template{text: text}
	for _, m := range placeIn.FindAllStringSubmatch(text, -1) {
		t.labels = append(t.labels, m[1])
	}
	if rest := placeIn.ReplaceAllString(text, ""); strings.Contains(rest, "$") {
		return t, fmt.Errorf(`query %q: write a label of the incident as a whole quoted word: service="$service"`, text)
	}
	if strings.TrimSpace(text) == "" {
		return t, fmt.Errorf("a query is empty")
	}
	return t, nil
}

// Fill makes the query for the incident of a question.
func (t Template) Fill(q Question) (string, error) {
	for _, label := range t.labels {
		if !plainName.MatchString(q.Label(label)) {
			return "", incidents.Fail(incidents.Invalid, "clue.missing.unfit", "the label "+label+" of the incident is missing or no plain name", "label", label)
		}
	}
	return placeIn.ReplaceAllStringFunc(t.text, func(place string) string {
		return `"` + q.Label(place[2:len(place)-1]) + `"`
	}), nil
}
