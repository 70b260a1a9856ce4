package intake

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Why a POST was refused; the values of the metric's label reason.
const (
	reasonMethod          = "method"
	reasonUnauthenticated = "unauthenticated"
	reasonLimited         = "too_many_failures"
	reasonMediaType       = "media_type"
	reasonTooLarge        = "too_large"
	reasonSlow            = "slow_body"
	reasonMalformed       = "malformed"
	reasonInvalid         = "invalid"
	reasonOverloaded      = "overloaded"
	reasonUnavailable     = "unavailable"
	reasonGone            = "sender_gone"
	reasonInternal        = "internal"
)

var reasons = []string{
	reasonMethod, reasonUnauthenticated, reasonLimited, reasonMediaType, reasonTooLarge, reasonSlow,
	reasonMalformed, reasonInvalid, reasonOverloaded, reasonUnavailable, reasonGone, reasonInternal,
}

// refusal is an answer that is not 2xx.
type refusal struct {
	status     int
	reason     string
	err        *incidents.Error // what the sender sees
	cause      error            // what the log sees besides
	retryAfter int              // seconds; 0: none
	close      bool             // the connection is of no further use
}

// The one answer to whoever is not known: the same words whether the token is
// missing, wrong, or a source is not configured at all.
const (
	messageUnknown = "the sender is not a known alert source"
	hintConfigure  = "send the header Authorization: Bearer <token of a configured source>"
)

func unauthenticated(hint string) *refusal {
	return &refusal{status: http.StatusUnauthorized, reason: reasonUnauthenticated, err: &incidents.Error{
		Code: incidents.Unauthenticated, Message: messageUnknown, Hint: hint,
	}}
}

func mediaType(message, hint string) *refusal {
	return &refusal{status: http.StatusUnsupportedMediaType, reason: reasonMediaType, err: invalid(message, hint)}
}

// undecoded is the answer to a decoder's error, or to a batch that the store
// will never take.
func undecoded(err error) *refusal {
	e, ok := errors.AsType[*incidents.Error](err)
	switch {
	case !ok:
		return internal(err)
	case e.Code == incidents.TooLarge:
		return &refusal{status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge, err: e}
	}
	return &refusal{status: http.StatusBadRequest, reason: reasonInvalid, err: e}
}

func internal(cause error) *refusal {
	return &refusal{status: http.StatusInternalServerError, reason: reasonInternal, cause: cause, err: &incidents.Error{
		Code: incidents.Internal, Message: "an internal error", Hint: "the log says more; please report it",
	}}
}

// answer is how every error of the API looks.
type answer struct {
	Error struct {
		Code    incidents.Code `json:"code"`
		Message string         `json:"message"`
		Hint    string         `json:"hint,omitempty"`
	} `json:"error"`
}

func (f *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	switch f.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="hikeshi"`)
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	}
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	if f.close {
		h.Set("Connection", "close")
	}
	var b answer
	b.Error.Code, b.Error.Message, b.Error.Hint = f.err.Code, f.err.Message, f.err.Hint
	w.WriteHeader(f.status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // it is read in terminals and logs, and sent as no HTML
	_ = out.Encode(b)        // a sender that went away is no fault of ours
}
