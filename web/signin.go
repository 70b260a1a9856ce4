package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// SignIn is a provider at which people show who they are. Address is where the
// browser goes, Finish reads what it comes back with: whose account it is, and
// when they last showed that; zero where the provider does not say.
type SignIn interface {
	Address(ctx context.Context, state, nonce, verifier string, fresh bool) (string, error)
	Finish(ctx context.Context, answer url.Values, nonce, verifier string) (incidents.Actor, time.Time, error)
}

// attempt is one way to the provider and back. It travels sealed in a cookie of
// the browser that began it, so that beginning any number of them costs nothing
// here, and an answer works in no other browser.
type attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Next     string    `json:"next"`
	Began    time.Time `json:"began"`
}

const (
	attemptCookie = "hikeshi_signin"
	attemptTime   = 10 * time.Minute
	maxNext       = 1000 // bytes; a cookie has 4096
)

// newSeal makes the key that attempts are sealed with. It lives as long as the
// process: whoever was at the provider during a restart begins again.
func newSeal() (cipher.AEAD, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: https://pkg.go.dev/crypto/rand#Read
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return seal, nil
}

// goSignIn sends the browser to the provider. Who is signed in already comes to
// show once more who they are.
func (s *Server) goSignIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	if s.SignIn == nil {
		return incidents.Fail(incidents.NotFound, "web.error.not_found", "there is nothing at this address")
	}
	next := localPath(r.URL.Query().Get("next"))
	if len(next) > maxNext {
		next = "/"
	}
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text(), Next: next, Began: s.Now()}
	address, err := s.SignIn.Address(r.Context(), a.State, a.Nonce, a.Verifier, v.session != nil)
	if err != nil {
		return fmt.Errorf("begin to sign in: %w", err)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode an attempt: %w", err)
	}
	s.setCookie(w, attemptCookie, base64.RawURLEncoding.EncodeToString(s.seal.Seal(nil, nil, raw, nil)), int(attemptTime.Seconds()), true)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// begun is the attempt that this browser began, where the answer is for it.
func (s *Server) begun(r *http.Request) (attempt, bool) {
	var a attempt
	c, err := r.Cookie(s.cookieName(attemptCookie))
	if err != nil {
		return a, false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return a, false
	}
	raw, err := s.seal.Open(nil, nil, sealed, nil)
	if err != nil || json.Unmarshal(raw, &a) != nil {
		return a, false
	}
	state := r.URL.Query()["state"]
	age := s.Now().Sub(a.Began)
	return a, len(state) == 1 && a.State != "" && subtle.ConstantTimeCompare([]byte(state[0]), []byte(a.State)) == 1 && age >= 0 && age < attemptTime
}

// endSignIn reads the provider's answer and begins a new session in place of an
// old one. An attempt is used up by its answer, whatever that is.
func (s *Server) endSignIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	if s.SignIn == nil {
		return incidents.Fail(incidents.NotFound, "web.error.not_found", "there is nothing at this address")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the code
	a, ok := s.begun(r)
	s.setCookie(w, attemptCookie, "", -1, true)
	if !ok {
		return s.signInFailed(w, r, v, "/", incidents.Fail(incidents.Unauthenticated, "error.oidc_refused", "the answer belongs to no attempt of this browser"))
	}
	who, proved, err := s.SignIn.Finish(r.Context(), r.URL.Query(), a.Nonce, a.Verifier)
	if err != nil {
		return s.signInFailed(w, r, v, a.Next, err)
	}
	s.enter(w, v, who, proved)
	http.Redirect(w, r, a.Next, http.StatusSeeOther)
	return nil
}

// signInFailed says so, and no more than that: why is in the log.
func (s *Server) signInFailed(w http.ResponseWriter, r *http.Request, v *visit, next string, err error) error {
	if incidents.CodeOf(err) != incidents.Unauthenticated {
		return fmt.Errorf("sign in: %w", err)
	}
	s.Log.WarnContext(r.Context(), "sign-in refused", "from", peer(r).String(), "request_id", v.requestID, "error", clip(err.Error(), 500))
	return s.loginAgain(w, v, http.StatusUnauthorized, loginView{Next: next, Wrong: "web.login.refused"})
}

// enter begins a session under a new cookie; the one that the browser had ends.
func (s *Server) enter(w http.ResponseWriter, v *visit, who incidents.Actor, proved time.Time) {
	if v.session != nil {
		s.sessions.end(v.session)
	}
	s.setCookie(w, sessionCookie, s.sessions.begin(who, proved, s.Now()), int(sessionLimit.Seconds()), true)
}
