package intake

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Invalid refuses the whole POST. It names the alert and the byte, and never
// repeats what was sent.
func (r *Reader) Invalid(message, hint string) error {
	return &incidents.Error{Code: incidents.Invalid, Message: r.where(message, r.dec.InputOffset()), Hint: hint}
}

// Known says what a JSON value should have been.
func (r *Reader) unexpected(what, want string) error {
	kind := r.dec.PeekKind()
	if kind == jsontext.KindInvalid {
		// Reading the token gives the reason that peeking keeps to itself.
		if _, err := r.dec.ReadToken(); err != nil {
			return r.malformed(err)
		}
	}
	return r.Invalid(fmt.Sprintf("%s must be %s, not %s", what, want, kindWords[kind]), "docs/api-intake.md shows the format")
}

var kindWords = map[jsontext.Kind]string{
	'{': "an object", '[': "an array", '"': "a string", '0': "a number", 't': "true", 'f': "false", 'n': "null",
	'}': "the end of an object", ']': "the end of an array",
}

// malformed explains an error of the tokenizer.
func (r *Reader) malformed(err error) error {
	at := r.dec.InputOffset()
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = s.ByteOffset
	}
	message, hint := "the body is not valid JSON", "check what the sender posts with: jq . body.json"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		message, hint = "a key comes twice in one object", "send each key once"
	case errors.Is(err, io.ErrUnexpectedEOF):
		message = "the JSON ends in the middle"
	case errors.Is(err, io.EOF):
		message, hint = "the body is empty", "docs/api-intake.md shows the format"
	}
	return &incidents.Error{Code: incidents.Invalid, Message: r.where(message, at), Hint: hint}
}

func (r *Reader) where(message string, offset int64) string {
	if r.alert > 0 {
		return fmt.Sprintf("alert %d: %s (byte %d)", r.alert, message, offset)
	}
	return fmt.Sprintf("%s (byte %d)", message, offset)
}
