package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web/find"
)

// filter is what of the incidents a reader wants to see.
type filter struct {
	Show    string // "": open ones first, then those that ended; "open"; "all"
	Service string
	Search  string // as typed
	Before  incidents.ID
	Limit   int
}

// listView is the incident list.
type listView struct {
	Filter   filter
	Open     []row // those where people still have something to do
	Rest     []row
	Sections bool // the two are shown apart
	OpenAll  int
	Cut      bool   // only bot.MostScanned of everybody's were looked through
	OpenCut  bool   // and of the open ones
	More     string // the next page's address
	Services []string

	Found  bool // it is what a search found: Rest
	Extent find.Extent
}

// row is one incident in the list.
type row struct {
	incidents.Summary
	Age time.Duration // how long it has lasted, or lasted
}

// ShowService says whether the title leaves out what the incident is about.
func (r row) ShowService() bool {
	return r.Service != "" && !strings.HasSuffix(r.Title, " · "+r.Service)
}

const pageSize = 50

// readFilter reads the query of the list, of the API's list and of the stream.
func readFilter(q url.Values) (filter, error) {
	f := filter{Show: q.Get("show"), Service: q.Get("service")}
	if !slices.Contains([]string{"", "open", "all"}, f.Show) {
		return f, invalid("show must be open or all")
	}
	if len(f.Service) > 200 || !utf8.ValidString(f.Service) {
		return f, invalid("service must be text of at most 200 bytes")
	}
	before, err := number(q, "before", 0, 0, 1<<62)
	if err != nil {
		return f, err
	}
	limit, err := number(q, "limit", pageSize, 1, 200)
	f.Before, f.Limit = incidents.ID(before), int(limit)
	return f, err
}

func (s *Server) listPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := readFilter(r.URL.Query())
	if err != nil {
		return err
	}
	f.Search = strings.TrimSpace(r.URL.Query().Get("q"))
	terms, err := readSearch(f.Search)
	if err != nil {
		return err
	}
	var view listView
	if len(terms) > 0 {
		view, err = s.search(r.Context(), v, f, terms)
	} else {
		view, err = s.list(r.Context(), v, f)
	}
	if err != nil {
		return err
	}
	d := pageData{TitleKey: "web.list.title", Tab: "list", Body: map[string]any{"List": view, "Compose": s.compose(v, 0)}}
	if f.Before == 0 && !view.Found { // what was found stands still: a storm would search again and again
		d.Stream = "/api/v1/events?lang=" + v.lang + "&" + f.query(0).Encode()
	}
	s.page(w, v, http.StatusOK, "list", d)
	return nil
}

// list gathers a page of the list.
func (s *Server) list(ctx context.Context, v *visit, f filter) (listView, error) {
	view := listView{Filter: f, Sections: f.Show == ""}
	now := s.Now()
	q := incidents.Query{Open: f.Show == "open", Service: f.Service, Before: f.Before, Limit: f.Limit}
	page, err := s.query(ctx, v, q)
	if err != nil {
		return view, err
	}
	view.OpenAll, view.Cut, view.OpenCut = page.Open, page.Cut, page.OpenCut
	if page.Next > 0 {
		view.More = "/?" + f.query(page.Next).Encode()
	}
	for _, sum := range page.Incidents {
		if !view.Sections || !sum.Status.Open() {
			view.Rest = append(view.Rest, rowOf(sum, now))
		}
	}
	if view.Sections && f.Before == 0 {
		q.Open = true
		open, err := s.query(ctx, v, q)
		if err != nil {
			return view, err
		}
		view.OpenCut = view.OpenCut || open.Cut
		for _, sum := range open.Incidents {
			view.Open = append(view.Open, rowOf(sum, now))
		}
	}
	view.Services = services(view.Open, view.Rest)
	return view, nil
}

// reader is who sees the list.
func (s *Server) reader(v *visit) bot.Reader {
	return bot.Reader{All: s.may(v, bot.View, bot.Overall) == nil, Sees: s.visible(v, "")}
}

// query asks for a page of what the person may see.
func (s *Server) query(ctx context.Context, v *visit, q incidents.Query) (bot.Seen, error) {
	page, err := s.reader(v).List(ctx, s.Incidents, q)
	if err != nil {
		return page, fmt.Errorf("list incidents: %w", err)
	}
	return page, nil
}

func rowOf(sum incidents.Summary, now time.Time) row {
	end := now
	if !sum.EndedAt.IsZero() {
		end = sum.EndedAt
	}
	return row{Summary: sum, Age: max(end.Sub(sum.OpenedAt), 0).Truncate(time.Second)}
}

func services(lists ...[]row) []string {
	var names []string
	for _, rows := range lists {
		for i := range rows {
			if rows[i].Service != "" {
				names = append(names, rows[i].Service)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// query is the filter as an address has it.
func (f filter) query(before incidents.ID) url.Values {
	q := url.Values{}
	if f.Show != "" {
		q.Set("show", f.Show)
	}
	if f.Service != "" {
		q.Set("service", f.Service)
	}
	if f.Search != "" {
		q.Set("q", f.Search)
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(int64(before), 10))
	}
	return q
}

// With is the list's address with another choice of what is shown.
func (f filter) With(show string) string {
	f.Show = show
	if q := f.query(0); len(q) > 0 {
		return "/?" + q.Encode()
	}
	return "/"
}

// Only is the list's address with one service only; "" is all of them.
func (f filter) Only(service string) string {
	f.Service = service
	return f.With(f.Show)
}

// Everything is the list's address without a search.
func (f filter) Everything() string {
	f.Search = ""
	return f.With(f.Show)
}

// timeless is the list without what changes by itself.
func (l listView) timeless() listView {
	without := func(r *row) { r.Age = 0 }
	l.Open, l.Rest = each(l.Open, without), each(l.Rest, without)
	return l
}
