package bot

import (
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Prose is what people wrote about a runbook in a tracker (手順書): words from
// outside, in which nothing may become markup by itself.
type Prose struct {
	Title   string
	Text    string    // Markdown
	URL     string    // where people read and change it; "" where that is not known
	Changed time.Time // by people, as far as the tracker says
	Cut     bool      // there is more of it at URL

	Read time.Time // when the tracker was asked
	Away error     // why it is not newer; nil: it is as it was a moment ago
}

// manual leads to the page of a runbook that has a manual beside it, as far as
// the suggestions say; nil where there is none.
func (v *view) manual(runbook string) *Link {
	i := slices.IndexFunc(v.s.Suggestions, func(g incidents.Suggestion) bool { return g.Action == runbook })
	to := v.links.Runbook(v.s.ID, runbook)
	if i < 0 || v.s.Suggestions[i].Manual.None() || to == "" {
		return nil
	}
	return &Link{Label: v.t("manual.link"), URL: to}
}
