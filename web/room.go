package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// chat is the console's name among the chats.
const chat = "console"

// roomView is the war room.
type roomView struct {
	Head    headView
	Card    *messageView
	Stream  []messageView
	Earlier string // the address of the messages before these
	Compose composeView
	Rev     int64
}

// headView is what stands above every page of an incident.
type headView struct {
	incidents.Summary
	Age    time.Duration
	Stages []stage
	Tab    string
}

// stage is one step of an incident's life.
type stage struct {
	Status incidents.Status
	State  string // "done", "now", "next", "skipped"
}

// composeView is the place to type.
type composeView struct {
	Incident incidents.ID
	Once     string // so that what is sent twice happens once
	Commands []commandView
}

// commandView is one verb for the completion.
type commandView struct {
	Name  string
	Usage string
	Help  string
	Also  string
}

// load reads an incident that people may know of.
func (s *Server) load(ctx context.Context, id incidents.ID) (*incidents.Incident, error) {
	inc, err := s.Incidents.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", id, err)
	}
	if inc == nil || inc.Version == 0 {
		return nil, noIncident()
	}
	return inc, nil
}

// roomOf is the console's room of an incident: the one that was opened, else
// the one that will be.
func roomOf(inc *incidents.Incident) string {
	if room, ok := inc.Rooms[chat]; ok && room.ID != "" {
		return room.ID
	}
	return inc.Slug()
}

// roomPageSize is how many messages a page of a room has.
const roomPageSize = 100

func (s *Server) roomPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	before, err := number(r.URL.Query(), "before", 0, 0, 1<<62)
	if err != nil {
		return err
	}
	inc, err := s.load(r.Context(), id)
	if err != nil {
		return err
	}
	postings, err := s.roomMessages(r.Context(), roomOf(inc), before)
	if err != nil {
		return err
	}
	view := roomView{Head: s.head(v, inc, "room"), Compose: s.compose(v, id)}
	for i := range postings {
		p := &postings[i]
		view.Rev = max(view.Rev, p.Rev)
		m := s.posted(v, p, id)
		if m.Pinned {
			view.Card = &m
			continue
		}
		view.Stream = append(view.Stream, m)
	}
	if first := firstSeq(postings); first > pinnedSeqs+1 {
		view.Earlier = "/incidents/" + id.String() + "?before=" + strconv.FormatInt(first, 10)
	}
	d := pageData{Title: id.String() + " " + bot.Line(inc.Title, 80), Tab: "room", Body: view}
	if before == 0 {
		d.Stream = "/api/v1/events?lang=" + v.lang + "&incident=" + id.String() + "&after=" + strconv.FormatInt(view.Rev, 10)
	}
	s.page(w, v, http.StatusOK, "room", d)
	return nil
}

// pinnedSeqs: the card, the diagnostics and the suggestions are the first
// messages of a room, and belong on its page however long it has become.
const pinnedSeqs = 3

// roomMessages are the first and the last messages of a room, in order.
func (s *Server) roomMessages(ctx context.Context, room string, before int64) ([]incidents.Posting, error) {
	last, err := s.Rooms.LastPostings(ctx, room, before, roomPageSize)
	if err != nil {
		return nil, fmt.Errorf("read room %s: %w", room, err)
	}
	if first := firstSeq(last); first > 1 {
		top, err := s.Rooms.LastPostings(ctx, room, min(first, pinnedSeqs+1), pinnedSeqs)
		if err != nil {
			return nil, fmt.Errorf("read room %s: %w", room, err)
		}
		last = append(top, last...)
	}
	slices.SortFunc(last, func(a, b incidents.Posting) int { return cmp.Compare(a.Seq, b.Seq) })
	return last, nil
}

// firstSeq is the smallest Seq above the pinned ones, or the smallest.
func firstSeq(ps []incidents.Posting) int64 {
	first := int64(0)
	for i := range ps {
		if seq := ps[i].Seq; seq > pinnedSeqs && (first == 0 || seq < first) {
			first = seq
		}
	}
	if first == 0 && len(ps) > 0 {
		return ps[0].Seq
	}
	return first
}

// posted is the view of a posting. One that cannot be read says so instead of
// being left out.
func (s *Server) posted(v *visit, p *incidents.Posting, id incidents.ID) messageView {
	m, err := v.posted(p, id)
	if err != nil {
		s.Log.Error("message cannot be read", "room", p.Room, "key", clip(p.Key, 100), "error", err.Error())
		m = v.message(bot.Message{Key: p.Key, Kind: bot.KindLine, Tone: bot.ToneWarn, At: p.At, Text: phrases.T(v.lang, "web.unreadable")}, id)
		m.ID, m.Seq = "m"+strconv.FormatInt(p.Seq, 10), p.Seq
	}
	return m
}

func (s *Server) head(v *visit, inc *incidents.Incident, tab string) headView {
	h := headView{Summary: inc.Summary(), Tab: tab, Stages: stages(inc)}
	h.Age = rowOf(h.Summary, s.Now()).Age
	return h
}

// stages are the steps of a life, and how far this one is.
func stages(inc *incidents.Incident) []stage {
	now := inc.Status()
	if now == incidents.Closed {
		now = incidents.Resolved
	}
	ran, verified := len(inc.Runs) > 0, false
	for i := range inc.Runs {
		verified = verified || inc.Runs[i].Looks > 0 || !inc.Runs[i].DoneAt.IsZero()
	}
	all := []struct {
		status incidents.Status
		been   bool
	}{
		{incidents.Triggered, true},
		{incidents.Investigating, len(inc.Acks) > 0},
		{incidents.Remediating, ran},
		{incidents.Verifying, verified},
		{incidents.Resolved, false},
	}
	if now == incidents.Monitoring {
		all[3].status, all[3].been = incidents.Monitoring, true
	}
	at := slices.IndexFunc(all, func(st struct {
		status incidents.Status
		been   bool
	}) bool {
		return st.status == now
	})
	out := make([]stage, len(all))
	for i, st := range all {
		out[i] = stage{Status: st.status, State: "next"}
		switch {
		case i == at:
			out[i].State = "now"
		case i < at && st.been:
			out[i].State = "done"
		case i < at:
			out[i].State = "skipped"
		}
	}
	return out
}

// compose is the place to type, in a room or (id 0) outside of one.
func (s *Server) compose(v *visit, id incidents.ID) composeView {
	c := composeView{Incident: id, Once: rand.Text()}
	for _, cmd := range s.Router.Commands() {
		if id == 0 && cmd.Room {
			continue
		}
		cv := commandView{Name: cmd.Name, Usage: cmd.Usage, Help: phrases.T(v.lang, cmd.Help)}
		for _, a := range cmd.Aliases {
			cv.Also += a + " "
		}
		c.Commands = append(c.Commands, cv)
	}
	return c
}
