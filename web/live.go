package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// piece is a piece of a page that the browser puts in place of the one with
// the same element id, or inserts by seq.
type piece struct {
	ID   string `json:"id"`
	Seq  int64  `json:"seq,omitempty"`
	HTML string `json:"html"`
}

// roomSource is the news of one war room.
type roomSource struct {
	s       *Server
	v       *visit
	id      incidents.ID
	room    string
	rev     int64
	version int64
}

func (src *roomSource) news(ctx context.Context) (events []event, more bool, err error) {
	inc, err := src.s.load(ctx, src.v, src.id)
	if err != nil {
		return nil, false, err
	}
	if inc.Version != src.version {
		html, err := src.s.render(src.v.lang, "room", "head", src.s.head(src.v, inc, "room"))
		if err != nil {
			return nil, false, err
		}
		src.version = inc.Version
		events = append(events, event{name: "head", data: piece{ID: "head", HTML: string(html)}})
	}
	postings, err := src.s.Rooms.Postings(ctx, src.room, src.rev, lookPage)
	if err != nil {
		return events, false, fmt.Errorf("read room %s: %w", src.room, err)
	}
	for i := range postings {
		p := &postings[i]
		html, err := src.s.renderMessage(src.v, p, inc)
		if err != nil {
			return events, false, err
		}
		src.rev = p.Rev
		events = append(events, event{
			id: strconv.FormatInt(p.Rev, 10), name: "message",
			data: piece{ID: "m" + strconv.FormatInt(p.Seq, 10), Seq: p.Seq, HTML: string(html)},
		})
	}
	return events, len(postings) == lookPage, nil
}

// renderMessage is one posting as HTML.
func (s *Server) renderMessage(v *visit, p *incidents.Posting, inc *incidents.Incident) ([]byte, error) {
	return s.render(v.lang, "room", "message", s.posted(v, p, inc))
}

// listSource is the news of the incident list.
type listSource struct {
	s      *Server
	v      *visit
	filter filter
	last   []byte // what was sent, ages left out: they pass without us
}

func (src *listSource) news(ctx context.Context) ([]event, bool, error) {
	view, err := src.s.list(ctx, src.v, src.filter)
	if err != nil {
		return nil, false, err
	}
	timeless, err := json.Marshal(view.timeless())
	if err != nil || bytes.Equal(timeless, src.last) {
		return nil, false, err
	}
	html, err := src.s.render(src.v.lang, "list", "rows", view)
	if err != nil {
		return nil, false, err
	}
	src.last = timeless
	return []event{{name: "list", data: piece{ID: "rows", HTML: string(html)}}}, false, nil
}
