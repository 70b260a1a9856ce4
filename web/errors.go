package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// statusOf is the HTTP status of every code.
var statusOf = map[incidents.Code]int{
	incidents.Invalid:         http.StatusBadRequest,
	incidents.Unauthenticated: http.StatusUnauthorized,
	incidents.Forbidden:       http.StatusForbidden,
	incidents.NotFound:        http.StatusNotFound,
	incidents.Conflict:        http.StatusConflict,
	incidents.TooLarge:        http.StatusRequestEntityTooLarge,
	incidents.Overloaded:      http.StatusServiceUnavailable,
	incidents.Unavailable:     http.StatusServiceUnavailable,
	incidents.Internal:        http.StatusInternalServerError,
}

// retryAfter is what a client is told to wait after overloaded or unavailable,
// in seconds.
const retryAfter = 2

// failure is an error with its HTTP status where that is not its code's.
type failure struct {
	cause  *incidents.Error
	status int
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// problem is an error as people are told of it.
type problem struct {
	Status  int            `json:"-"`
	Code    incidents.Code `json:"code"`
	Message string         `json:"message"`
	Hint    string         `json:"hint,omitempty"`
	Again   bool           `json:"-"` // signing in again helps
}

// explain makes what people are told. What has no code stays inside: they see
// that something broke and the request's id, the log has the rest.
func explain(err error, lang, requestID string) problem {
	if f, ok := errors.AsType[*failure](err); ok {
		p := explain(f.cause, lang, requestID)
		p.Status = f.status
		return p
	}
	if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
		limit := strconv.FormatInt(tooBig.Limit, 10)
		err = incidents.Fail(incidents.TooLarge, "web.error.too_large", "the body has more than "+limit+" bytes", "limit", limit)
	}
	e, ok := errors.AsType[*incidents.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		e = incidents.Fail(incidents.Unavailable, "error.too_slow", "it took too long and was given up")
	default:
		e = incidents.Fail(incidents.Internal, "web.error.internal",
			"something broke on our side; the log has it under request "+requestID, "request", requestID)
	}
	p := problem{Status: statusOf[e.Code], Code: e.Code, Message: e.Message, Hint: e.Hint}
	p.Again = e.Phrase == incidents.ApproveStale
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	if lang != "" {
		p.Message = bot.ErrorText(lang, e)
	}
	return p
}

// refuse answers with an error in the form that the route's readers expect.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, v *visit, as form, err error) {
	if code := incidents.CodeOf(err); code == incidents.Internal {
		if _, big := errors.AsType[*http.MaxBytesError](err); !big && r.Context().Err() == nil {
			s.Log.ErrorContext(r.Context(), "request failed", "request_id", v.requestID, "path", clip(r.URL.Path, 200), "error", err.Error())
		}
	}
	lang := v.lang
	if as == formAPI && lang == phrases.English {
		lang = "" // where nobody asks for another language, the English of the errors themselves
	}
	p := explain(err, lang, v.requestID)
	switch p.Code {
	case incidents.Overloaded, incidents.Unavailable:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	case incidents.Unauthenticated:
		w.Header().Set("WWW-Authenticate", `Bearer realm="hikeshi"`)
	}
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case as == formAPI:
		writeJSON(w, p.Status, map[string]problem{"error": p})
	case v.fragment:
		s.fragment(w, v, p.Status, "problem", p)
	case p.Code == incidents.Unauthenticated && r.Method == http.MethodGet:
		http.Redirect(w, r, "/login?next="+queryEscape(r.URL.RequestURI()), http.StatusSeeOther)
	default:
		s.page(w, v, p.Status, "error", pageData{Title: strconv.Itoa(p.Status), Body: p})
	}
}

// writeJSON answers with value. An encoding error cannot be told to the client
// any more; the types written here always encode.
func writeJSON(w http.ResponseWriter, status int, value any) {
	b, err := json.Marshal(value)
	if err != nil {
		http.Error(w, `{"error":{"code":"internal","message":"the answer did not encode"}}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client is gone: nobody to tell
}
