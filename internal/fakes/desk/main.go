// Command desk is a Jira to try Hikeshi against, on this machine and without an
// account: the fake of the tests, with a page that shows its issues and lets
// somebody called joe move them and write below them.
//
// It promises what the fake promises: what a real Jira would refuse is refused,
// and what would fail a test is shown. Start with go run ./internal/fakes/desk,
// which prints the configuration to use.
package main

import (
	"context"
	"flag"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8096", "where it is")
	flavour := flag.String("flavour", jira.Cloud, "cloud or data_center")
	flag.Parse()
	s := jira.New(*flavour, time.Now)
	s.Subtasks, s.Tiers, s.Hosts = true, true, []string{"*"} // alerts lead to where they come from
	user := ""
	if *flavour == jira.Cloud {
		user = "\n    user: " + jira.Mail
	}
	fmt.Printf(configuration, *flavour, *listen, user, jira.Token, jira.Project, jira.Type, *listen)
	mux := http.NewServeMux()
	mux.Handle("/rest/", s)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { show(w, s) })
	mux.HandleFunc("POST /do", func(w http.ResponseWriter, r *http.Request) { do(w, r, s) })
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	go func() { <-ctx.Done(); s.Close(); _ = server.Close() }()
	if err := server.ListenAndServe(); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const configuration = `# For hikeshi.yaml:
trackers:
  - name: jira
    kind: jira
    flavour: %s
    url: http://%s%s
    token: %s
    project: %s
    type: %s
    priorities: {SEV1: Highest, SEV2: High, SEV3: Medium, SEV4: Low, SEV5: Lowest}
# The issues: http://%s/
`

// do is joe moving an issue or writing below it.
func do(w http.ResponseWriter, r *http.Request, s *jira.Server) {
	key, to, text := r.FormValue("key"), r.FormValue("to"), strings.TrimSpace(r.FormValue("text"))
	for _, i := range s.Issues() {
		switch {
		case i.Key != key:
		case text != "":
			s.Say(jira.Joe, key, text)
		case !s.Move(jira.Joe, key, to):
			http.Error(w, "the workflow does not lead there", http.StatusConflict)
			return
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func show(w http.ResponseWriter, s *jira.Server) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, map[string]any{"Issues": s.Issues(), "Wrongs": s.Wrongs(), "Statuses": []string{"To Do", "In Progress", "Closed"}}); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

var page = template.Must(template.New("").Funcs(template.FuncMap{"word": jira.CategoryOf, "text": func(b []byte) string { return string(b) }}).Parse(`<!doctype html>
<meta charset="utf-8"><title>Issues</title><meta http-equiv="refresh" content="10">
<style>body{font:15px sans-serif;max-width:60em;margin:2em auto}article{border:1px solid #ccc;padding:.5em 1em;margin:1em 0}pre{white-space:pre-wrap;background:#f6f6f6;padding:.5em}</style>
<h1>Issues of a Jira that is none</h1>
{{range .Wrongs}}<p><strong>Wrong: {{.}}</strong></p>{{end}}
{{if not .Issues}}<p>There is none yet.</p>{{end}}
{{$statuses := .Statuses}}{{range .Issues}}{{$key := .Key}}<article id="{{.Key}}"><h2>{{.Key}} {{.Summary}}</h2>
<p>{{word .Status}} · {{.Priority}}{{with .Assignee}} · {{.}}{{end}}{{with .Parent}} · below {{.}}{{end}} · {{range .Labels}}{{.}} {{end}}</p>
<form method="post" action="/do"><input type="hidden" name="key" value="{{.Key}}">
{{range $statuses}}<button name="to" value="{{.}}">{{.}}</button> {{end}}<input name="text" aria-label="comment"> <button>Comment</button></form>
<details><summary>Description</summary><pre>{{.Description}}</pre></details>
{{range .Files}}<details><summary>📎 {{.Name}}</summary><pre>{{text .Text}}</pre></details>{{end}}
{{range .Comments}}<p><strong>{{.Author}}</strong>: {{.Body}}</p>{{end}}
</article>{{end}}
`))
