package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// Runbooks finds a runbook by its id; nil where there is none.
type Runbooks interface {
	Get(id string) *runbooks.Runbook
}

// Manuals reads what people wrote elsewhere about a runbook (手順書).
type Manuals interface {
	Read(ctx context.Context, m incidents.Manual) (bot.Prose, error)
}

// runbookView is a runbook and, beside it, its manual.
type runbookView struct {
	Head   headView
	Sheet  []block
	Manual manualView
}

// manualView is a manual, or why there is none.
type manualView struct {
	From, Place, Title, URL string
	Read, Changed           time.Time
	Blocks                  []block
	Cut                     bool
	Away                    string // why it is old, or not there
	Note                    string // a key of the catalogue, where there is nothing to read
}

// runbookPage shows a runbook that has to do with the incident to whoever sees
// the incident. What is written beside another one may be another customer's:
// that is only for those who see everything.
func (s *Server) runbookPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return err
	}
	name := r.PathValue("runbook")
	if !inc.Concerns(name) && s.may(v, bot.View, bot.Overall) != nil {
		return incidents.Fail(incidents.NotFound, "error.runbook_elsewhere", "no such runbook here", "runbook", bot.Line(name, 80))
	}
	var rb *runbooks.Runbook
	if s.Runbooks != nil {
		rb = s.Runbooks.Get(name)
	}
	if rb == nil || !rb.For(inc.Customer) {
		return incidents.Fail(incidents.NotFound, "error.no_runbook", "there is no such runbook", "runbook", bot.Line(name, 80))
	}
	if s.may(v, bot.View, bot.Overall) != nil {
		rb = rb.As(inc.Customer)
	}
	view := runbookView{Head: s.head(v, inc, ""), Sheet: markdown(runbooks.Sheet(rb, v.lang, phrases.Fill)), Manual: s.manual(r.Context(), v, rb.Manual)}
	s.page(w, v, http.StatusOK, "runbook", pageData{Title: id.String() + " " + bot.Line(rb.Title.In(v.lang), 80), Tab: "runbook", Body: view})
	return nil
}

// manual is what there is to read. That it cannot be read is no reason not to
// show the runbook.
func (s *Server) manual(ctx context.Context, v *visit, m incidents.Manual) manualView {
	if m.None() {
		return manualView{Note: "manual.none"}
	}
	view := manualView{From: m.From, Place: m.Place()}
	var prose bot.Prose
	err := error(incidents.Fail(incidents.NotFound, "error.manual_no_source", "no trackers", "from", m.From))
	if s.Manuals != nil {
		prose, err = s.Manuals.Read(ctx, m)
	}
	if err == nil {
		err = prose.Away
	}
	if err != nil {
		view.Away = explain(err, v.lang, v.requestID).Message
	}
	view.Title, view.URL, view.Read, view.Changed, view.Cut = bot.Line(prose.Title, 200), webLink(prose.URL), prose.Read, prose.Changed, prose.Cut
	view.Blocks = markdown(readable(prose.Text))
	if len(view.Blocks) == 0 && view.Away == "" {
		view.Note = "manual.empty"
	}
	return view
}

// linkOrCode is a link of Markdown with its label, or code, in which there is none.
var linkOrCode = regexp.MustCompile("`+[^`]*`+|!?\\[([^\\[\\]]*)\\]\\((https?://[^\\s()<>]+)(?:\\s+\"[^\"]*\")?\\)")

// readable writes links so that everybody sees where they lead: "label
// <address>", which is also the only form that markdown knows.
func readable(text string) string {
	lines := strings.Split(text, "\n")
	inCode := false
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inCode = !inCode
		}
		if inCode {
			continue
		}
		lines[i] = linkOrCode.ReplaceAllStringFunc(line, func(found string) string {
			m := linkOrCode.FindStringSubmatch(found)
			switch {
			case m[2] == "":
				return found
			case m[1] == "" || m[1] == m[2]:
				return "<" + m[2] + ">"
			}
			return m[1] + " <" + m[2] + ">"
		})
	}
	return strings.Join(lines, "\n")
}
