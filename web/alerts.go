package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web/find"
)

// Alerts finds alerts of open incidents by their labels.
type Alerts interface {
	Find(ctx context.Context, q find.Query) (find.Answer, error)
	// InIncidents are the incidents that have such an alert, newest first.
	InIncidents(ctx context.Context, q find.Query) (ids []incidents.ID, next incidents.ID, e find.Extent, err error)
}

// The bounds of a question: each term is looked for in every alert.
const (
	maxTerms = 10
	maxTerm  = 1000 // bytes
)

func (s *Server) apiAlerts(w http.ResponseWriter, r *http.Request, v *visit) error {
	q, err := readQuestion(r.URL.Query())
	if err != nil {
		return err
	}
	q.Visible = s.visible(v, "")
	found, err := s.Alerts.Find(r.Context(), q)
	if err != nil {
		return fmt.Errorf("find alerts: %w", err)
	}
	answer(w, http.StatusOK, found)
	return nil
}

// visible says of a scope whether the person may see its incidents, and whether
// its service is the one they want ("": any). It asks once a scope.
func (s *Server) visible(v *visit, only string) func(incidents.Scope) bool {
	known := map[incidents.Scope]bool{}
	return func(scope incidents.Scope) bool {
		may, asked := known[scope]
		if !asked {
			may = (only == "" || only == scope.Service) && s.may(v, bot.View, bot.Of(scope)) == nil
			known[scope] = may
		}
		return may
	}
}

// readQuestion reads the query of the API.
func readQuestion(q url.Values) (find.Query, error) {
	var out find.Query
	for _, label := range q["label"] {
		name, value, _ := strings.Cut(label, "=")
		if name == "" || value == "" || len(label) > maxTerm || !utf8.ValidString(label) {
			return out, invalid(fmt.Sprintf("label must be name=value, text of at most %d bytes", maxTerm)).WithHint("?label=pod=checkout-7")
		}
		out.Terms = append(out.Terms, find.Term{Name: name, Value: value})
	}
	if len(out.Terms) > maxTerms {
		return out, invalid(fmt.Sprintf("label may be given at most %d times", maxTerms))
	}
	if !slices.Contains([]string{"", "firing", "all"}, q.Get("state")) {
		return out, invalid("state must be firing or all").WithHint("?state=all")
	}
	out.All = q.Get("state") == "all"
	limit, err := number(q, "limit", pageSize, 1, 200)
	if err != nil {
		return out, err
	}
	out.Limit = int(limit)
	if after := q.Get("after"); after != "" {
		cursor, ok := find.ParseCursor(after)
		if !ok {
			return out, invalid("after must be what the page before gave")
		}
		out.After = cursor
	}
	return out, nil
}

// maxSearch bounds what is typed into the list's search, in bytes.
const maxSearch = 200

// readSearch reads what people search for: pod=checkout-7, plain words, or both;
// quotes hold words together.
func readSearch(text string) ([]find.Term, error) {
	if len(text) > maxSearch || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, invalid(fmt.Sprintf("q must be text of at most %d bytes", maxSearch))
	}
	quoted := false
	words := strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return unicode.IsSpace(r) && !quoted
	})
	var terms []find.Term
	for _, word := range words {
		word = strings.ReplaceAll(word, `"`, "")
		name, value, pair := strings.Cut(word, "=")
		switch {
		case pair && name != "" && value != "":
			terms = append(terms, find.Term{Name: name, Value: value})
		case word != "":
			terms = append(terms, find.Term{Value: word})
		}
	}
	if len(terms) > maxTerms {
		return nil, invalid(fmt.Sprintf("at most %d words can be searched for", maxTerms))
	}
	return terms, nil
}

// search gathers a page of the open incidents whose alerts carry what was typed.
func (s *Server) search(ctx context.Context, v *visit, f filter, terms []find.Term) (listView, error) {
	view := listView{Filter: f}
	ids, next, extent, err := s.Alerts.InIncidents(ctx, find.Query{
		Terms: terms, All: true, Limit: f.Limit, Before: f.Before, Visible: s.visible(v, f.Service),
	})
	if err != nil {
		return view, fmt.Errorf("search incidents: %w", err)
	}
	view.Extent, view.Found = extent, true
	if next > 0 {
		view.More = "/?" + f.query(next).Encode()
	}
	now, sees := s.Now(), s.visible(v, "")
	if view.OpenAll, view.OpenCut, err = s.reader(v).Open(ctx, s.Incidents); err != nil {
		return view, fmt.Errorf("count incidents: %w", err)
	}
	for _, id := range ids {
		page, err := s.Incidents.List(ctx, incidents.Query{Before: id + 1, Limit: 1})
		if err != nil {
			return view, fmt.Errorf("list incidents: %w", err)
		}
		for _, sum := range page.Incidents {
			if sum.ID == id && sees(sum.Scope()) {
				view.Rest = append(view.Rest, rowOf(sum, now))
			}
		}
	}
	view.Services = services(view.Rest)
	return view, nil
}
