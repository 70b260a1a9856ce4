package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// lineView is one line of the timeline in the reader's words.
type lineView struct {
	At      time.Time           `json:"at"`
	Seq     int64               `json:"seq"`
	Kind    incidents.EventKind `json:"kind"`
	By      string              `json:"by"`
	Person  bool                `json:"person,omitempty"` // a person did it
	Text    string              `json:"text"`
	Because string              `json:"because,omitempty"`
	Said    string              `json:"said,omitempty"` // what a person wrote
	Late    bool                `json:"late,omitempty"` // written down clearly after it happened
	Day     string              `json:"-"`              // set where a new day begins
}

// eventPage is how many events are read at once.
const eventPage = 1000

func tell(lang string, inc *incidents.Incident, events []incidents.Event) []lineView {
	lines := incidents.Timeline(inc, events)
	out := make([]lineView, 0, len(lines))
	day := ""
	for i := range lines {
		l := &lines[i]
		lv := lineView{
			At: l.At, Seq: l.Seq, Kind: l.Kind, By: bot.Who(l.By), Person: l.By.IsPerson(), Late: l.Late(),
			Text:    bot.Say(lang, incidents.Reason{Phrase: l.Phrase.Phrase, Args: l.Args(lang)}),
			Because: bot.Say(lang, l.Because), Said: bot.Told(lang, l),
		}
		if l.Noted != nil {
			lv.Because = "" // it is told with the note
		}
		if l.Kind == incidents.EventGaveUp {
			lv.Text, lv.Said = bot.GaveUp(lang, l.Event.Effect, l.Event.Text), ""
		}
		if d := l.At.UTC().Format("2006-01-02"); d != day {
			day, lv.Day = d, d
		}
		out = append(out, lv)
	}
	return out
}

func (s *Server) timelinePage(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, events, next, err := s.stretch(r, v)
	if err != nil {
		return err
	}
	more := ""
	if next > 0 {
		more = "/incidents/" + inc.ID.String() + "/timeline?after=" + strconv.FormatInt(next, 10)
	}
	s.page(w, v, http.StatusOK, "timeline", pageData{Title: inc.ID.String() + " " + bot.Line(inc.Title, 80), Tab: "timeline",
		Body: map[string]any{"Head": s.head(v, inc, "timeline"), "Lines": tell(v.lang, inc, events), "More": more}})
	return nil
}

// stretch reads the incident of the path and the stretch of its log that the
// query wants; next is where the following stretch begins, 0 at the end.
func (s *Server) stretch(r *http.Request, v *visit) (*incidents.Incident, []incidents.Event, int64, error) {
	id, err := incidentID(r)
	if err != nil {
		return nil, nil, 0, err
	}
	after, err := number(r.URL.Query(), "after", 0, 0, 1<<62)
	if err != nil {
		return nil, nil, 0, err
	}
	limit, err := number(r.URL.Query(), "limit", eventPage, 1, 5*eventPage)
	if err != nil {
		return nil, nil, 0, err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return nil, nil, 0, err
	}
	events, err := s.Incidents.Events(r.Context(), id, after, int(limit))
	if err != nil {
		return nil, nil, 0, fmt.Errorf("read the log of %s: %w", id, err)
	}
	next := int64(0)
	if len(events) == int(limit) && events[len(events)-1].Seq < inc.Version {
		next = events[len(events)-1].Seq
	}
	return inc, events, next, nil
}

// log is the whole log of an incident.
func (s *Server) log(ctx context.Context, id incidents.ID) ([]incidents.Event, error) {
	var all []incidents.Event
	after := int64(0)
	for {
		events, err := s.Incidents.Events(ctx, id, after, eventPage)
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", id, err)
		}
		all = append(all, events...)
		if len(events) < eventPage {
			return all, nil
		}
		after = events[len(events)-1].Seq
	}
}

func (s *Server) postmortem(r *http.Request, v *visit) (*incidents.Incident, string, error) {
	id, err := incidentID(r)
	if err != nil {
		return nil, "", err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return nil, "", err
	}
	events, err := s.log(r.Context(), id)
	if err != nil {
		return nil, "", err
	}
	return inc, s.Postmortem(v.lang, inc, events), nil
}

func (s *Server) postmortemPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, text, err := s.postmortem(r, v)
	if err != nil {
		return err
	}
	s.page(w, v, http.StatusOK, "postmortem", pageData{Title: inc.ID.String() + " " + bot.Line(inc.Title, 80), Tab: "postmortem",
		Body: map[string]any{"Head": s.head(v, inc, "postmortem"), "Blocks": markdown(text),
			"Download": "/api/v1/incidents/" + inc.ID.String() + "/postmortem?download=1&lang=" + v.lang}})
	return nil
}
