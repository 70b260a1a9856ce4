package diagnostics

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Template is a query with places for labels of the incident, each a whole
// quoted word: http_requests_total{service="$service"}. What is put there is a
// plain name or nothing at all, so no alert can say more than a name. Places
// without quotes are only those that the source fills itself, as a time.
type Template struct {
	text   string
	labels []string
}

var (
	placeIn   = regexp.MustCompile(`"\$[a-zA-Z_][a-zA-Z0-9_]*"|'\$[a-zA-Z_][a-zA-Z0-9_]*'`)
	bare      = regexp.MustCompile(`\$[a-zA-Z_][a-zA-Z0-9_]*`)
	plainName = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,127}\z`)
)

// ParseTemplate reads one; own are the names of places that the source fills. A $
// anywhere else is refused: it would not be quoted.
func ParseTemplate(text string, own ...string) (Template, error) {
	t := Template{text: text}
	rest := placeIn.ReplaceAllStringFunc(text, func(place string) string {
		t.labels = append(t.labels, place[2:len(place)-1])
		return ""
	})
	rest = bare.ReplaceAllStringFunc(rest, func(place string) string {
		if slices.Contains(own, place[1:]) {
			return ""
		}
		return place
	})
	if strings.Contains(rest, "$") {
		return t, fmt.Errorf(`query %q: write a label of the incident as a whole quoted word: service="$service"`, text)
	}
	if strings.TrimSpace(text) == "" {
		return t, fmt.Errorf("a query is empty")
	}
	return t, nil
}

// Fill makes the query for the incident of a question; own are the source's places,
// each a name and what stands there.
func (t Template) Fill(q Question, own ...string) (string, error) {
	for _, label := range t.labels {
		if !plainName.MatchString(q.Label(label)) {
			return "", incidents.Fail(incidents.Invalid, "clue.missing.unfit", "the label "+label+" of the incident is missing or no plain name", "label", label)
		}
	}
	text := placeIn.ReplaceAllStringFunc(t.text, func(place string) string {
		return place[:1] + q.Label(place[2:len(place)-1]) + place[:1]
	})
	return bare.ReplaceAllStringFunc(text, func(place string) string {
		return own[slices.Index(own, place[1:])+1] // ParseTemplate has let in no other
	}), nil
}
