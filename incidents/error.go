package incidents

import (
	"errors"
	"time"
)

// Code is the small word that decides an error's HTTP status and its wording
// in chat. Anything without a code is "internal": people see that word, the
// log has the detail.
type Code string

// The codes. Their HTTP statuses are in web/errors.go.
const (
	Invalid         Code = "invalid"         // the input is wrong; saying it again will not help
	NotFound        Code = "not_found"       // no such incident, action, approval
	Forbidden       Code = "forbidden"       // not yours to do
	Unauthenticated Code = "unauthenticated" // we do not know who you are
	Conflict        Code = "conflict"        // somebody was faster, or the plan has changed
	TooLarge        Code = "too_large"       // beyond a limit that the message names
	Overloaded      Code = "overloaded"      // try again after a while
	Unavailable     Code = "unavailable"     // a part we need is away; try again
	Internal        Code = "internal"        // ours to mend
)

// Error is an error meant for people. Phrase and Args name a sentence of the
// catalogue so that each reader sees it in their language; Message is the same
// in English, for logs and the API; Hint is something they can type or do.
type Error struct {
	Code    Code
	Message string
	Hint    string
	Phrase  string
	Args    map[string]string
}

func (e *Error) Error() string { return e.Message }

// Fail makes an Error: its code, the key of its sentence in the catalogue, the
// same sentence in English for logs, and name, value pairs for the places.
func Fail(code Code, phrase, message string, args ...string) *Error {
	e := &Error{Code: code, Phrase: phrase, Message: message, Args: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		e.Args[args[i]] = args[i+1]
	}
	return e
}

// WithHint adds what the reader can type or do.
func (e *Error) WithHint(hint string) *Error {
	e.Hint = hint
	return e
}

// CodeOf finds the code in err's chain; Internal where there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// Later is a failure whose cause said when to try again.
type Later struct {
	After time.Duration
	Err   error
	Alone bool // whoever answers is well: nothing else has to wait
}

func (l *Later) Error() string { return l.Err.Error() }

// Unwrap gives the cause.
func (l *Later) Unwrap() error { return l.Err }
