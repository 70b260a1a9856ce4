package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// form is how a route answers, errors included.
type form int

const (
	formPage form = iota // a page for people
	formAPI              // JSON for programs
)

// visit is one request with what is known about who sent it.
type visit struct {
	person    incidents.Actor
	lang      string
	local     bool     // anonymous local mode
	session   *session // signed in by cookie
	fragment  bool     // our own script asks: answer with a piece of a page
	requestID string
	path      string
}

// The bounds of a request.
const (
	maxBody     = 64 << 10
	requestTime = 15 * time.Second
	bodyTime    = 10 * time.Second
)

// policy is the Content-Security-Policy of everything that is served.
const policy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// serve is the outermost part: headers, the request's id, the access log, and
// the recovery from a panic, which must not end the process.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	began := s.Now()
	v := &visit{requestID: rand.Text()[:16], lang: chooseLang(r), path: backTo(r), fragment: r.Header.Get("Hikeshi-Fragment") == "1"}
	h := w.Header()
	h.Set("X-Request-Id", v.requestID)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	rec := &recorder{ResponseWriter: w}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p) // net/http's own way to drop a connection
			}
			s.Log.ErrorContext(r.Context(), "panic", "request_id", v.requestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if rec.status == 0 {
				s.refuse(rec, r, v, formOf(r), errors.New("panic"))
			}
		}
		s.Log.DebugContext(r.Context(), "request", "request_id", v.requestID, "method", r.Method,
			"path", clip(r.URL.Path, 200), "status", rec.status, "bytes", rec.bytes, "seconds", s.Now().Sub(began).Seconds())
	}()
	r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
	if handler, pattern := s.mux.Handler(r); pattern == "" {
		s.noRoute(rec, r, v, handler)
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// visitKey carries the visit through net/http's mux, which knows only requests.
type visitKey struct{}

// noRoute answers what the mux has no handler for: 404, or 405 with Allow.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request, v *visit, handler http.Handler) {
	if err := s.reachable(r); err != nil {
		s.refuse(w, r, v, formOf(r), err)
		return
	}
	probe := &recorder{ResponseWriter: discard{header: http.Header{}}}
	handler.ServeHTTP(probe, r)
	switch {
	case probe.status == http.StatusMethodNotAllowed:
		allow := probe.Header().Get("Allow")
		w.Header().Set("Allow", allow)
		s.refuse(w, r, v, formOf(r), &failure{incidents.Fail(incidents.Invalid, "web.error.method",
			"this address takes "+allow+" only", "allow", allow), http.StatusMethodNotAllowed})
	case probe.status >= 300 && probe.status < 400: // the mux cleans paths by a redirect
		http.Redirect(w, r, probe.Header().Get("Location"), probe.status)
	default:
		s.refuse(w, r, v, formOf(r), incidents.Fail(incidents.NotFound, "web.error.not_found", "there is nothing at this address"))
	}
}

// guard is the one chokepoint before every handler: where from, from
// which page, how large, who, may they; only then the handler.
func (s *Server) guard(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := r.Context().Value(visitKey{}).(*visit)
		if err := s.admit(w, r, v, rt); err != nil {
			s.refuse(w, r, v, rt.form, err)
			return
		}
		if !rt.stream {
			select {
			case s.busy <- struct{}{}:
				defer func() { <-s.busy }()
			default:
				s.refuse(w, r, v, rt.form, incidents.Fail(incidents.Overloaded, "web.error.busy", "too many requests at once; try again"))
				return
			}
			ctx, cancel := context.WithTimeout(r.Context(), requestTime)
			defer cancel()
			r = r.WithContext(ctx)
		}
		if err := rt.serve(s, w, r, v); err != nil {
			s.refuse(w, r, v, rt.form, err)
		}
	})
}

// admit says whether the request may reach the route's handler.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, v *visit, rt route) error {
	if err := s.reachable(r); err != nil {
		return err
	}
	if err := s.sameOrigin(r, rt); err != nil {
		return err
	}
	if rt.changes() {
		// A body that does not come within bodyTime is not waited for. Not
		// every ResponseWriter can do that; net/http's can.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
		if r.ContentLength > maxBody {
			return &http.MaxBytesError{Limit: maxBody}
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if err := contentType(r, rt); err != nil {
			return err
		}
	}
	s.identify(r, v)
	v.person = s.Rights.Who(v.person)
	if rt.right == "" {
		return nil
	}
	err := s.may(v, rt.right, bot.InGeneral)
	if err != nil && rt.right != bot.View && r.PathValue("id") != "" && s.may(v, bot.View, bot.InGeneral) == nil {
		return s.lacking(r, v, rt.right, err)
	}
	return err
}

// lacking says of an address below an incident who has the right for that one,
// to who sees it; to others it is not there.
func (s *Server) lacking(r *http.Request, v *visit, right bot.Right, general error) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return err
	}
	return cmp.Or(s.may(v, right, bot.Of(inc.Scope())), general)
}

// sameOrigin refuses what another site's page sent: everything that changes
// something, and the streams, which a stranger could use up.
func (s *Server) sameOrigin(r *http.Request, rt route) error {
	check := r
	if rt.stream {
		check = r.Clone(r.Context())
		check.Method = http.MethodPost
	}
	if err := s.csrf.Check(check); err != nil {
		return incidents.Fail(incidents.Forbidden, "web.error.cross_origin", "this request came from another site's page")
	}
	return nil
}

// contentType holds the API to JSON and the forms to what our forms send, so
// that no form of another site can pass for JSON.
func contentType(r *http.Request, rt route) error {
	want := "application/x-www-form-urlencoded"
	if rt.form == formAPI {
		want = "application/json"
	}
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return incidents.Fail(incidents.Invalid, "web.error.content_type", "the Content-Type must be "+want, "want", want).
			WithHint("Content-Type: " + want)
	}
	return nil
}
