package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

const langCookie = "hikeshi_lang"

// chooseLang is the reader's language: what the address asks for, else what
// they chose before, else what their browser prefers, else English.
func chooseLang(r *http.Request) string {
	if lang, ok := known(r.URL.Query().Get("lang")); ok {
		return lang
	}
	if c, err := r.Cookie(langCookie); err == nil {
		if lang, ok := known(c.Value); ok {
			return lang
		}
	}
	best, bestQ := phrases.English, 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(tag, "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			parsed, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		if lang, ok := known(strings.ToLower(primary)); ok && q > bestQ {
			best, bestQ = lang, q
		}
	}
	return best
}

func known(lang string) (string, bool) {
	for _, l := range phrases.Languages {
		if l == lang {
			return l, true
		}
	}
	return "", false
}

// language remembers the reader's choice.
func (s *Server) language(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if lang, ok := known(r.PostForm.Get("lang")); ok {
		s.setCookie(w, langCookie, lang, 365*24*3600, false)
	}
	http.Redirect(w, r, localPath(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}

// setCookie sets a cookie for the whole console that no other site's page
// sends along. maxAge is in seconds; negative removes it.
//
// Lax and not Strict: whoever comes back from the provider, or follows a link
// from a chat, is signed in at once. What changes something is held to our own
// pages in another way, see sameOrigin.
func (s *Server) setCookie(w http.ResponseWriter, name, value string, maxAge int, secret bool) {
	if secret {
		name = s.cookieName(name)
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.Config.HTTPS, SameSite: http.SameSiteLaxMode,
	})
}

// cookieName is the name of a secret cookie. Over https its prefix makes browsers
// refuse one that another host of the domain, or a page without TLS, has set.
func (s *Server) cookieName(name string) string {
	if s.Config.HTTPS {
		return "__Host-" + name
	}
	return name
}

// localPath is a path of the console to go back to; anything else becomes "/",
// so that no link can lead to another site through us.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}

// backTo is where a form in the frame of this page leads back to.
func backTo(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	return localPath(r.URL.RequestURI())
}
