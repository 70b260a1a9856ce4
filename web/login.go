package web

import (
	"net/http"
	"net/url"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// loginView is the page that asks for a token.
type loginView struct {
	Next   string
	Wrong  string
	Tokens bool   // people have tokens
	SignIn string // the way to the provider; "" without one
	Issuer string // what it is called
}

// loginAgain shows the page, with all ways in that there are.
func (s *Server) loginAgain(w http.ResponseWriter, v *visit, status int, view loginView) error {
	view.Tokens = len(s.Config.People) > 0
	if s.SignIn != nil {
		view.SignIn, view.Issuer = "/login/oidc?next="+queryEscape(view.Next), s.Config.SignInName
	}
	s.page(w, v, status, "login", pageData{TitleKey: "web.login.title", Body: view})
	return nil
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	if s.local() {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return s.loginAgain(w, v, http.StatusOK, loginView{Next: localPath(r.URL.Query().Get("next"))})
}

func (s *Server) login(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	next := localPath(r.PostForm.Get("next"))
	if s.local() {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	from, now := peer(r), s.Now()
	name, ok := s.personOf(r.PostForm.Get("token"))
	if !ok && s.attempts.blocked(from, now) {
		return incidents.Fail(incidents.Overloaded, "web.error.attempts", "too many wrong tokens from your address; wait a minute")
	}
	if !ok {
		s.attempts.failed(from, now)
		s.Log.WarnContext(r.Context(), "wrong console token", "from", from.String(), "request_id", v.requestID)
		return s.loginAgain(w, v, http.StatusUnauthorized, loginView{Next: next, Wrong: "web.login.wrong"})
	}
	s.enter(w, v, incidents.Actor{ID: idPrefix + name, Name: name}, now)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.session != nil {
		s.sessions.end(v.session)
	}
	s.setCookie(w, sessionCookie, "", -1, true)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

// rename is "who are you?" of the local mode.
func (s *Server) rename(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if !v.local {
		return incidents.Fail(incidents.Forbidden, "web.error.named", "your name comes with your token")
	}
	name, ok := personName(r.PostForm.Get("name"))
	if !ok {
		return incidents.Fail(incidents.Invalid, "web.error.name", "a name has 1 to 40 letters, digits, spaces or . _ -")
	}
	s.setCookie(w, nameCookie, url.QueryEscape(name), 365*24*3600, false)
	http.Redirect(w, r, localPath(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}
