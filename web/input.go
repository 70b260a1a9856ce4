package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// invalid says that what came in cannot be used. detail is English, for
// programmers; people see the sentence of the catalogue with it.
func invalid(detail string) *incidents.Error {
	return incidents.Fail(incidents.Invalid, "web.error.invalid", detail, "detail", detail)
}

// parseForm reads what one of our forms sent.
func parseForm(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("read the form: %w", asInvalid(err))
	}
	for _, values := range r.PostForm {
		for _, value := range values {
			if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return invalid("the form holds bytes that are no text")
			}
		}
	}
	return nil
}

// asInvalid keeps "too large" as it is and makes anything else invalid input.
func asInvalid(err error) error {
	if strings.Contains(err.Error(), "request body too large") {
		return &http.MaxBytesError{Limit: maxBody}
	}
	return invalid(err.Error())
}

// readControl reads a control message: one flat JSON object of strings that
// holds the names given and nothing else. Stricter than encoding/json: a
// name that comes twice or in another case, a NUL, invalid UTF-8 and anything
// after the object are refused, so that no two readers of one message disagree.
func readControl(r *http.Request, names ...string) (map[string]string, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, asInvalid(err)
	}
	if !utf8.Valid(raw) {
		return nil, invalid("the body is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, invalid("the body must be a JSON object")
	}
	fields := map[string]string{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, invalid("the body is not JSON: " + err.Error())
		}
		name, _ := t.(string)
		if !slices.Contains(names, name) {
			return nil, invalid(fmt.Sprintf("unknown field %s; known: %s", strconv.QuoteToASCII(clip(name, 50)), strings.Join(names, ", ")))
		}
		if _, twice := fields[name]; twice {
			return nil, invalid("field " + name + " comes twice")
		}
		t, err = d.Token()
		if err != nil {
			return nil, invalid("the body is not JSON: " + err.Error())
		}
		value, ok := t.(string)
		if !ok {
			return nil, invalid("field " + name + " must be a string")
		}
		if strings.ContainsRune(value, 0) {
			return nil, invalid("field " + name + " holds a NUL")
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, invalid("the body is not JSON: " + err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("something follows the JSON object")
	}
	return fields, nil
}

// incidentID reads {id} of the path.
func incidentID(r *http.Request) (incidents.ID, error) {
	id, ok := incidents.ParseID(r.PathValue("id"))
	if !ok {
		return 0, noIncident()
	}
	return id, nil
}

func noIncident() error { return bot.NoIncident() }

// number reads a whole number from the query; absent is def.
func number(q url.Values, name string, def, min, max int64) (int64, error) {
	raw := q.Get(name)
	if raw == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < min || n > max {
		return 0, invalid(fmt.Sprintf("%s must be a number from %d to %d", name, min, max))
	}
	return n, nil
}

// flag reads true or false (1 or 0) from the query.
func flag(q url.Values, name string) (bool, error) {
	switch q.Get(name) {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return false, invalid(name + " must be true or false")
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// clip shortens s to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
