package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// incidentView is an incident as the API tells it: its row in lists, and what
// people decide by.
type incidentView struct {
	incidents.Summary
	Name        string                 `json:"name"` // "INC-42"
	Description string                 `json:"description,omitempty"`
	Because     incidents.Reason       `json:"because,omitzero"`
	Labels      incidents.Labels       `json:"labels,omitempty"` // that all its alerts share
	Samples     []incidents.Alert      `json:"samples,omitempty"`
	Commander   *incidents.Mark        `json:"commander_mark,omitempty"`
	Responders  []incidents.Mark       `json:"responders,omitempty"`
	Acks        []incidents.Mark       `json:"acks,omitempty"`
	Resolved    *incidents.Mark        `json:"resolved,omitempty"`
	Closed      *incidents.Mark        `json:"closed,omitempty"`
	Rooms       map[string]roomLink    `json:"rooms,omitempty"`
	Findings    []incidents.Finding    `json:"findings,omitempty"`
	Clues       []incidents.Clue       `json:"clues,omitempty"`
	Suggestions []incidents.Suggestion `json:"suggestions,omitempty"`
	NoAction    incidents.Reason       `json:"no_action,omitzero"`
	Moved       []incidents.RankMove   `json:"moved,omitempty"`
	Approvals   []incidents.Approval   `json:"approvals,omitempty"`
	Runs        []incidents.Run        `json:"runs,omitempty"`
	Todos       []incidents.Todo       `json:"todos,omitempty"`
	Failed      map[string]string      `json:"failed,omitempty"`
}

type roomLink struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

func viewOf(inc *incidents.Incident) *incidentView {
	if inc == nil {
		return nil
	}
	view := &incidentView{
		Summary: inc.Summary(), Name: inc.ID.String(), Description: inc.Description, Because: inc.Because,
		Labels: inc.Common, Samples: inc.Samples, Commander: inc.Commander, Responders: inc.Responders,
		Acks: inc.Acks, Resolved: inc.Resolved, Closed: inc.Closed, Rooms: map[string]roomLink{},
		Findings: inc.Findings, Clues: inc.Clues, Suggestions: inc.Suggestions, NoAction: inc.NoAction, Moved: inc.Moved,
		Approvals: inc.Approvals, Runs: inc.Runs, Todos: inc.Todos, Failed: inc.Failed,
	}
	for name, room := range inc.Rooms {
		view.Rooms[name] = roomLink{ID: room.ID, Name: room.Name, URL: room.URL}
	}
	return view
}

func (s *Server) apiList(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	f, err := readFilter(q)
	if err != nil {
		return err
	}
	open, err := flag(q, "open")
	if err != nil {
		return err
	}
	page, err := s.query(r.Context(), v, incidents.Query{Open: open, Service: f.Service, Before: f.Before, Limit: f.Limit})
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, page)
	return nil
}

func (s *Server) apiIncident(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"incident": viewOf(inc)})
	return nil
}

func (s *Server) apiTimeline(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, events, next, err := s.stretch(r, v)
	if err != nil {
		return err
	}
	body := map[string]any{"incident": inc.ID, "lines": tell(v.lang, inc, events)}
	if next > 0 {
		body["next"] = next
	}
	answer(w, http.StatusOK, body)
	return nil
}

func (s *Server) apiPostmortem(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, text, err := s.postmortem(r, v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if download, err := flag(r.URL.Query(), "download"); err == nil && download {
		w.Header().Set("Content-Disposition", `attachment; filename="`+inc.Slug()+`.md"`)
	}
	_, _ = w.Write([]byte(text)) // the client is gone: nobody to tell
	return nil
}

// apiMessages are a room's messages that changed after a revision, each in the
// reader's language.
func (s *Server) apiMessages(w http.ResponseWriter, r *http.Request, v *visit) error {
	type message struct {
		Seq     int64       `json:"seq"`
		Rev     int64       `json:"rev"`
		Edited  time.Time   `json:"edited,omitzero"`
		Message bot.Message `json:"message"`
	}
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	after, err := number(r.URL.Query(), "after", 0, 0, 1<<62)
	if err != nil {
		return err
	}
	limit, err := number(r.URL.Query(), "limit", 100, 1, 500)
	if err != nil {
		return err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return err
	}
	postings, err := s.Rooms.Postings(r.Context(), roomOf(inc), after, int(limit))
	if err != nil {
		return fmt.Errorf("read room of %s: %w", id, err)
	}
	all := []message{}
	for i := range postings {
		p := &postings[i]
		b, err := decodeBody(p)
		if err != nil {
			return err
		}
		all = append(all, message{Seq: p.Seq, Rev: p.Rev, Edited: p.Edited, Message: b.message(p, v.lang)})
		after = p.Rev
	}
	answer(w, http.StatusOK, map[string]any{"messages": all, "after": after})
	return nil
}

func (s *Server) apiSay(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	fields, err := readControl(r, "text")
	if err != nil {
		return err
	}
	if err := s.say(r.Context(), v, id, fields["text"], r.Header.Get("Idempotency-Key")); err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]bool{"ok": true})
	return nil
}

func (s *Server) apiRoomCommand(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	return s.apiDo(w, r, v, id, "command")
}

func (s *Server) apiButton(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	return s.apiDo(w, r, v, id, "id")
}

func (s *Server) apiCommand(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.apiDo(w, r, v, 0, "command")
}

// apiDo carries out a command or a button and answers with the incident as it
// is afterwards, and with the message that a chat would show.
func (s *Server) apiDo(w http.ResponseWriter, r *http.Request, v *visit, id incidents.ID, field string) error {
	fields, err := readControl(r, field)
	if err != nil {
		return err
	}
	given := fields[field]
	if given == "" || len(given) > maxSaid {
		return invalid("field " + field + " must have 1 to " + strconv.Itoa(maxSaid) + " bytes")
	}
	want := wish{incident: id, once: r.Header.Get("Idempotency-Key"), origin: bot.FromAPI, chat: "api"}
	if field == "id" {
		want.button = given
	} else {
		want.line = commandLine(given)
	}
	reply, err := s.do(r.Context(), v, want)
	if err != nil {
		return err
	}
	state := reply.State
	if state == nil && id > 0 {
		if state, err = s.load(r.Context(), v, id); err != nil {
			return err
		}
	}
	answer(w, http.StatusOK, map[string]any{"incident": viewOf(state), "message": reply.Message})
	return nil
}

// answer is writeJSON for what is true only now.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, value)
}
