package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pages are the templates, by language and page.
type pages map[string]map[string]*template.Template

var pageNames = []string{"list", "room", "timeline", "postmortem", "outputs", "runbook", "deadletters", "learning", "login", "error", "reply"}

// pageData is what the frame around every page needs; Body is the page's own.
type pageData struct {
	Title    string // plain text
	TitleKey string // or a key of the catalogue
	Lang     string
	Path     string // where the forms in the frame lead back to
	Person   incidents.Actor
	Local    bool
	SignedIn bool
	Admin    bool
	Tab      string
	Stream   string // where the page's live updates come from
	Body     any
}

// load reads what is embedded, once a process: it is the same for every Server.
var load = sync.OnceValues(func() (loaded, error) {
	a, err := loadAssets()
	if err != nil {
		return loaded{}, fmt.Errorf("load the static files: %w", err)
	}
	p, err := loadPages(a)
	if err != nil {
		return loaded{}, fmt.Errorf("load the templates: %w", err)
	}
	return loaded{a, p}, nil
})

type loaded struct {
	assets assets
	pages  pages
}

func loadPages(a assets) (pages, error) {
	all := pages{}
	for _, lang := range phrases.Languages {
		all[lang] = map[string]*template.Template{}
		for _, name := range pageNames {
			t, err := template.New(name).Funcs(functions(lang, a)).ParseFS(templateFiles,
				"templates/frame.html", "templates/pieces.html", "templates/message.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("page %s: %w", name, err)
			}
			all[lang][name] = t
		}
	}
	return all, nil
}

// functions are what templates may call. All of them return plain strings,
// which html/template escapes.
func functions(lang string, a assets) template.FuncMap {
	return template.FuncMap{
		"t":       func(key string, args ...any) string { return phrases.T(lang, key, texts(args)...) },
		"asset":   a.path,
		"status":  func(s incidents.Status) string { return bot.StatusWord(lang, s) },
		"say":     func(r incidents.Reason) string { return bot.Say(lang, r) },
		"who":     bot.Who,
		"clean":   bot.Clean,
		"short":   short,
		"line":    func(s string) string { return bot.Line(s, 300) },
		"rfc":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"clock":   func(t time.Time) string { return t.UTC().Format("15:04") },
		"seconds": func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"full":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"moment":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"breaks":  breaks,
		"took":    func(d time.Duration) string { return bot.Duration(lang, d) },
		"dict":    dict,
		"percent": percent,
		"scanned": func() int { return bot.MostScanned },
		"day":     func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"hundred": func(share float64) string { return fmt.Sprintf("%.0f", 100*share) },
	}
}

// breaks parts a long name of a metric where it may go on in the next line:
// after a _, a / or a =. The template puts <wbr> between, which is not copied.
func breaks(name string) []string {
	return breakAfter.FindAllString(name, -1)
}

var breakAfter = regexp.MustCompile(`[^_/=]*[_/=]+|[^_/=]+`)

func texts(args []any) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = fmt.Sprint(a)
	}
	return out
}

// dict makes a map of name, value pairs, to hand several things to a template.
func dict(pairs ...any) map[string]any {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m
}

// page answers with a whole page.
func (s *Server) page(w http.ResponseWriter, v *visit, status int, name string, d pageData) {
	d.Lang, d.Path, d.Person, d.Local, d.SignedIn = v.lang, v.path, v.person, v.local, v.session != nil
	d.Admin = v.person.ID != "" && s.may(v, bot.Administer, bot.InGeneral) == nil
	if d.TitleKey != "" {
		d.Title = phrases.T(v.lang, d.TitleKey)
	}
	b, err := s.render(v.lang, name, "frame", d)
	s.html(w, v, status, b, err)
}

// fragment answers with a piece of a page, for our own script.
func (s *Server) fragment(w http.ResponseWriter, v *visit, status int, piece string, data any) {
	b, err := s.render(v.lang, "reply", piece, data)
	s.html(w, v, status, b, err)
}

func (s *Server) html(w http.ResponseWriter, v *visit, status int, b []byte, err error) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Cookie, Accept-Language, Hikeshi-Fragment")
	if err != nil {
		s.Log.Error("page failed", "request_id", v.requestID, "error", err.Error())
		http.Error(w, phrases.T(v.lang, "web.error.internal", "request", v.requestID), http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone: nobody to tell
}

// render runs one template of a page into memory, so that a failure can still
// be answered with an error.
func (s *Server) render(lang, page, piece string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := s.pages[lang][page].ExecuteTemplate(&b, piece, data); err != nil {
		return nil, fmt.Errorf("render %s of page %s: %w", piece, page, err)
	}
	return b.Bytes(), nil
}
