package discord

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Path is where Discord posts interactions.
const Path = "/discord/interactions"

// Handler takes signed interactions: the size is limited before the signature
// is looked at, and that before anything is read.
func (in *Inbox) Handler() http.Handler {
	key, err := publicKey(in.config.PublicKey)
	if err != nil {
		key = nil // nothing verifies
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, signed, status := in.read(w, r, key)
		if status != http.StatusOK {
			http.Error(w, http.StatusText(status), status)
			return
		}
		var i interaction
		if err := json.Unmarshal(body, &i); err != nil || i.App != "" && i.App != in.config.App {
			http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
			return
		}
		if !in.works.take(in.works.heard) {
			in.replays.forget(signed) // it was not looked at
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
		defer func() { <-in.works.heard }()
		out := answer{Type: answerPong}
		if i.Type != kindPing {
			out = in.Take(r.Context(), &i)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // Discord is gone: nobody to tell
	})
}

// read returns the body that Discord signed and the signature, or the status
// that says why not.
func (in *Inbox) read(w http.ResponseWriter, r *http.Request, key ed25519.PublicKey) (body []byte, signed string, status int) {
	if r.Method != http.MethodPost {
		return nil, "", http.StatusMethodNotAllowed
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, "", http.StatusRequestEntityTooLarge
	} else if err != nil {
		return nil, "", http.StatusBadRequest
	}
	timestamp, signature, now := r.Header.Get("X-Signature-Timestamp"), r.Header.Get("X-Signature-Ed25519"), in.now()
	signed = timestamp + strings.ToLower(signature)
	if key == nil || !verified(key, timestamp, signature, body, now) || !in.replays.first(signed, now) {
		return nil, "", http.StatusUnauthorized
	}
	return body, signed, http.StatusOK
}
