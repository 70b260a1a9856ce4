package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

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

// load reads an incident that the person may know of.
func (s *Server) load(ctx context.Context, v *visit, id incidents.ID) (*incidents.Incident, error) {
	inc, err := s.Incidents.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", id, err)
	}
	if inc == nil || inc.Version == 0 {
		return nil, noIncident()
	}
	if err := bot.Unseen(s.Rights, v.person, inc); err != nil {
		return nil, err
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
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return err
	}
	page, err := s.roomMessages(r.Context(), roomOf(inc), before)
	if err != nil {
		return err
	}
	view := roomView{Head: s.head(v, inc, "room"), Compose: s.compose(v, id), Rev: page.rev}
	for i := range page.all {
		m := s.posted(v, &page.all[i], inc)
		if m.Pinned {
			view.Card = &m
			continue
		}
		view.Stream = append(view.Stream, m)
	}
	if page.more > 0 {
		view.Earlier = "/incidents/" + id.String() + "?before=" + strconv.FormatInt(page.more, 10)
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

// messages are a page of a room.
type messages struct {
	all  []incidents.Posting // by Seq
	more int64               // where the ones before begin; 0: these are all
	rev  int64               // every change up to here is in all, or is of a message before
}

// roomMessages are the first and the last messages of a room.
func (s *Server) roomMessages(ctx context.Context, room string, before int64) (m messages, err error) {
	bySeq := func(a, b incidents.Posting) int { return cmp.Compare(a.Seq, b.Seq) }
	last, err := s.Rooms.LastPostings(ctx, room, before, roomPageSize)
	if err != nil {
		return m, fmt.Errorf("read room %s: %w", room, err)
	}
	slices.SortFunc(last, bySeq)
	m.all = last
	for i := range last { // of this one read only: a later one may have seen more of some
		m.rev = max(m.rev, last[i].Rev)
	}
	if len(last) == 0 || last[0].Seq == 1 {
		return m, nil
	}
	first := last[0].Seq
	top, err := s.Rooms.LastPostings(ctx, room, min(first, pinnedSeqs+1), pinnedSeqs)
	if err != nil {
		return m, fmt.Errorf("read room %s: %w", room, err)
	}
	slices.SortFunc(top, bySeq)
	if first > pinnedSeqs+1 {
		m.more = first
	}
	m.all = append(top, last...)
	return m, nil
}

// posted is the view of a posting. One that cannot be read says so instead of
// being left out.
func (s *Server) posted(v *visit, p *incidents.Posting, inc *incidents.Incident) messageView {
	m, err := v.posted(p, inc)
	if err != nil {
		s.Log.Error("message cannot be read", "room", p.Room, "key", clip(p.Key, 100), "error", err.Error())
		m = v.message(bot.Message{Key: p.Key, Kind: bot.KindLine, Tone: bot.ToneWarn, At: p.At, Text: phrases.T(v.lang, "web.unreadable")}, inc.ID)
		m.ID, m.Seq = "m"+strconv.FormatInt(p.Seq, 10), p.Seq
	}
	s.withhold(v, &m, inc)
	return m
}
