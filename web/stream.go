package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// rhythm is how often a stream does what. Signals may be lost, so it also
// looks by itself; that is when it finds that its reader may no longer read.
type rhythm struct {
	heartbeat time.Duration
	look      time.Duration
	breath    time.Duration // between two looks, to take changes together
	write     time.Duration // a reader slower than that is dropped
}

var usualRhythm = rhythm{heartbeat: 15 * time.Second, look: 4 * time.Second, breath: 100 * time.Millisecond, write: 10 * time.Second}

// lookPage is how many messages a look takes at once.
const lookPage = 100

// stream is one open connection of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type stream struct {
	s       *Server
	v       *visit
	w       http.ResponseWriter
	control *http.ResponseController
	source  source
	trouble string // what the page was told of it
}

// source finds what is new since it was asked last; more says that there is
// more of it already.
type source interface {
	news(ctx context.Context) (events []event, more bool, err error)
}

// event is one server-sent event. Its data is JSON.
type event struct {
	id   string
	name string
	data any
}

// events is the live half of a page: of a room, with ?incident=ID and the last
// revision seen in Last-Event-ID or ?after=, or of the incident list.
func (s *Server) events(w http.ResponseWriter, r *http.Request, v *visit) error {
	src, id, room, err := s.sourceOf(r, v)
	if err != nil {
		return err
	}
	l, err := s.hub.join(v.person.ID, id, room)
	if err != nil {
		return err
	}
	defer s.hub.leave(l)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.hub.over, cancel)()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	st := &stream{s: s, v: v, w: w, control: http.NewResponseController(w), source: src}
	if err := st.control.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("open a stream: %w", err)
	}
	w.WriteHeader(http.StatusOK)
	if err := st.write([]byte("retry: 2000\n\n")); err == nil {
		st.run(ctx, l)
	}
	return nil // the answer has begun: nothing can be said any more
}

// sourceOf reads what the stream is to be about.
func (s *Server) sourceOf(r *http.Request, v *visit) (source, incidents.ID, string, error) {
	q := r.URL.Query()
	raw := q.Get("incident")
	if raw == "" {
		f, err := readFilter(q)
		return &listSource{s: s, v: v, filter: f}, 0, "", err
	}
	id, ok := incidents.ParseID(raw)
	if !ok {
		return nil, 0, "", noIncident()
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return nil, 0, "", err
	}
	after, err := number(q, "after", 0, 0, 1<<62)
	if err != nil {
		return nil, 0, "", err
	}
	// The browser's own word, after a broken connection, is newer than the address.
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil && last >= 0 {
		after = last
	}
	return &roomSource{s: s, v: v, id: id, room: roomOf(inc), rev: after}, id, roomOf(inc), nil
}

// run sends news until the reader goes or the server stops (ctx ends), or the
// reader may no longer read or is too slow.
func (st *stream) run(ctx context.Context, l *listener) {
	look := time.NewTicker(st.s.rhythm.look)
	defer look.Stop()
	beat := time.NewTicker(st.s.rhythm.heartbeat)
	defer beat.Stop()
	for {
		ok, more := st.send(ctx)
		if !ok || !st.tellTrouble(ctx) {
			return
		}
		if more {
			continue
		}
		select { // a breath: what changes meanwhile comes with the next look
		case <-ctx.Done():
			return
		case <-time.After(st.s.rhythm.breath):
		}
		select {
		case <-ctx.Done():
			return
		case <-l.called:
		case <-look.C:
			if !st.stillAllowed() {
				return
			}
		case <-beat.C:
			if st.write([]byte(": still here\n\n")) != nil {
				return
			}
		}
	}
}

// stillAllowed: the session holds, and so does the right.
func (st *stream) stillAllowed() bool {
	if st.v.session != nil && !st.s.sessions.alive(st.v.session, st.s.Now()) {
		return false
	}
	return st.s.may(st.v, streamRight, bot.InGeneral) == nil
}

// send looks once. A store that is away for a moment is asked again later.
func (st *stream) send(ctx context.Context) (ok, more bool) {
	looking, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	events, more, err := st.source.news(looking)
	switch incidents.CodeOf(err) {
	case incidents.Forbidden, incidents.NotFound:
		return false, false
	}
	if err != nil && ctx.Err() == nil {
		st.s.Log.WarnContext(ctx, "live update failed", "request_id", st.v.requestID, "error", err.Error())
	}
	if len(events) == 0 {
		return ctx.Err() == nil, false
	}
	var b bytes.Buffer
	for _, e := range events {
		data, err := lean(e.data)
		if err != nil {
			st.s.Log.ErrorContext(ctx, "live update did not encode", "request_id", st.v.requestID, "error", err.Error())
			return false, false
		}
		if e.id != "" {
			fmt.Fprintf(&b, "id: %s\n", e.id)
		}
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", e.name, data)
	}
	return st.write(b.Bytes()) == nil, more
}

// lean is JSON that does not escape < and >: no page takes it for HTML, and
// most of it is HTML.
func lean(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (st *stream) write(b []byte) error {
	if err := st.control.SetWriteDeadline(time.Now().Add(st.s.rhythm.write)); err != nil {
		return fmt.Errorf("write to a stream: %w", err)
	}
	if _, err := st.w.Write(b); err != nil {
		return fmt.Errorf("write to a stream: %w", err)
	}
	if err := st.control.Flush(); err != nil {
		return fmt.Errorf("write to a stream: %w", err)
	}
	return nil
}
