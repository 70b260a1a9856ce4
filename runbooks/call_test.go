package runbooks

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A book that is called: it makes a file whose name it is given, and verifies it.
const calledBook = `id: make-file
title: {en: Make a file, ja: ファイルを作る}
fits: ['service="web"']
risk: low
params:
  name: {type: string, match: '[a-z-]{1,10}'}
check:
  - {id: there, command: {argv: [test, -e, '{var.dir}/{name}']}}
recover:
  - {id: touch, command: {argv: [touch, '{var.dir}/{name}']}}
verify: {same_as: check, every: 1s, stable: 3s, within: 5s, alerts: ignore}
escalate: {en: Call the file team., ja: ファイル担当に連絡してください。}
`

const callingBook = `id: make-two
title: {en: Make two files, ja: ファイルを2つ作る}
fits: ['service="web"']
risk: low
params:
  first: {type: string, match: '[a-z. ]{1,20}', default: one}
check:
  - {id: last, command: {argv: [test, -e, '{var.dir}/last']}}
recover:
  - {id: a, runbook: {id: make-file, params: {name: '{first}'}}}
  - {id: b, runbook: {id: make-file, params: {name: two}}}
  - {id: last, command: {argv: [touch, '{var.dir}/last']}}
verify: {same_as: check, every: 1s, stable: 1s, within: 4s}
escalate: {en: Call the web team., ja: Webチームに連絡してください。}
`

// The steps of what is called stand in the plan, in order, each with its arguments;
// what is verified there must pass before the rest, and at the end.
func TestCalledRunbookStandsInThePlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := load(t, map[string]string{"dir": dir}, callingBook, calledBook)
	r := newRunner(t, RunnerOptions{Library: l})
	s := incident("service", "web")
	plan, err := l.Get("make-two").Plan(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, step := range plan.Recover {
		lines = append(lines, step.ID+": "+strings.ReplaceAll(StepLine(step), dir, ""))
	}
	want := []string{"a.touch: touch /one", "a.there.verified: test -e /one", "b.touch: touch /two", "b.there.verified: test -e /two", "last: touch /last"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
	if v := plan.Verify; len(v.Steps) != 3 || v.Steps[2].ID != "b.there" || v.Stable.Seconds() != 3 || v.Within.Seconds() != 5 || v.NoAlerts {
		t.Errorf("%+v", v)
	}
	if retry := plan.Recover[1].Retry; retry == nil || retry.Times != 6 {
		t.Errorf("%+v", retry)
	}
	if plan.Calls["make-file"] != l.Get("make-file").Digest || len(plan.Calls) != 1 || !plan.Sealed() {
		t.Errorf("%v", plan.Calls)
	}
	if _, done := r.Run(t.Context(), plan, "INC-42/1"); !incidents.AllOK(done) || len(done) != 5 {
		t.Errorf("%+v", done)
	}
	if after := r.Look(t.Context(), plan, "INC-42/1"); !incidents.AllOK(after) || len(after) != 3 {
		t.Errorf("%+v", after)
	}
	plan.Calls["make-file"] = "other"
	if plan.Sealed() {
		t.Error("the digest does not bind what is called")
	}
}

// A value that the caller's type lets through and the called one's does not.
func TestCallIsTyped(t *testing.T) {
	t.Parallel()
	l := load(t, map[string]string{"dir": t.TempDir()}, callingBook, calledBook)
	_, err := l.Get("make-two").Plan(incident("service", "web"), map[string]string{"first": "a b"})
	if err == nil || !strings.Contains(err.Error(), "make-file") {
		t.Errorf("%v", err)
	}
}

// What is called is approved byte for byte too.
func TestCalledRunbookThatHasChangedIsNotRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	books := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(books, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("calling.yaml", callingBook)
	write("called.yaml", calledBook)
	l, _ := Load(Sources{Paths: []string{books}, Vars: map[string]string{"dir": dir}})
	plan, err := l.Get("make-two").Plan(incident("service", "web"), nil)
	if err != nil {
		t.Fatal(err)
	}
	write("called.yaml", strings.Replace(calledBook, "[touch, '{var.dir}/{name}']", "[touch, '{var.dir}/{name}', '{var.dir}/more']", 1))
	if problems := Errors(l.Reload()); len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	_, done := newRunner(t, RunnerOptions{Library: l}).Run(t.Context(), plan, "INC-42/1")
	if len(done) != 1 || done[0].OK || done[0].Because.Phrase != "runbook.changed" || done[0].Because.Args["runbook"] != "make-file" {
		t.Errorf("%+v", done)
	}
	if made, _ := os.ReadDir(dir); len(made) > 0 {
		t.Errorf("%v was made", made)
	}
}

// What verifies the called runbook decides whether the rest is begun.
func TestNothingFollowsACallThatDidNotHelp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := strings.Replace(calledBook, "verify: {same_as: check, every: 1s, stable: 3s, within: 5s",
		"verify: {steps: [{command: {argv: [test, -e, '{var.dir}/never']}}], every: 4s, stable: 1s, within: 5s", 1)
	l := load(t, map[string]string{"dir": dir}, callingBook, broken)
	plan, err := l.Get("make-two").Plan(incident("service", "web"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range plan.Recover {
		if plan.Recover[i].Retry != nil {
			plan.Recover[i].Retry.Every = 1 // the test does not wait
		}
	}
	_, done := newRunner(t, RunnerOptions{Library: l}).Run(t.Context(), plan.Seal(), "INC-42/1")
	if len(done) != 2 || !done[0].OK || done[1].OK || done[1].Step != "a.verify-1.verified" {
		t.Errorf("%+v", done)
	}
	if _, err := os.Stat(filepath.Join(dir, "two")); err == nil {
		t.Error("the rest was begun")
	}
}

// chain is n books of which each calls the next.
func chain(n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i := range n {
		body := "  - {id: next, runbook: {id: book-" + fmt.Sprint(i+1) + "}}"
		if i == n-1 {
			body = "  - {id: end, command: {argv: [true]}}"
		}
		files[fmt.Sprintf("%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "id: book-%d\ntitle: {en: a, ja: あ}\nfits: ['service=\"web\"']\nrisk: low\nrecover:\n%s\n"+
			"verify: {steps: [{command: {argv: [true]}}], stable: 1s, within: 1m}\nescalate: {en: x, ja: x}\n", i, body)}
	}
	return files
}

func TestCallsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	call := "  - {id: a, runbook: {id: make-file, params: {name: '{first}'}}}"
	for name, c := range map[string]struct {
		calling, called string
		want            []string // phrases, of both files
	}{
		"itself": {strings.Replace(callingBook, call, "  - {id: a, runbook: {id: make-two}}", 1), calledBook, []string{"runbook.lint.call_circle"}},
		"round": {callingBook, strings.Replace(calledBook, "  - {id: touch,", "  - {id: back, runbook: {id: make-two}}\n  - {id: touch,", 1),
			[]string{"runbook.lint.call_circle", "runbook.lint.call_circle", "runbook.lint.call_bad"}},
		"nobody":         {callingBook, strings.Replace(calledBook, "id: make-file", "id: another", 1), []string{"runbook.lint.call_unknown", "runbook.lint.call_unknown"}},
		"more customers": {strings.Replace(callingBook, "risk: low", "risk: low\ncustomers: [acme, globex]", 1), strings.Replace(calledBook, "risk: low", "risk: low\ncustomers: [acme]", 1), []string{"runbook.lint.call_customers", "runbook.lint.call_customers"}},
		"everybody's":    {callingBook, strings.Replace(calledBook, "risk: low", "risk: low\ncustomers: [acme]", 1), []string{"runbook.lint.call_customers", "runbook.lint.call_customers"}},
		"more risk":      {callingBook, strings.Replace(calledBook, "risk: low", "risk: high", 1), []string{"runbook.lint.call_risk", "runbook.lint.call_risk"}},
		"no value":       {strings.Replace(callingBook, call, "  - {id: a, runbook: {id: make-file}}", 1), calledBook, []string{"runbook.lint.call_missing"}},
		"wrong name":     {strings.Replace(callingBook, call, "  - {id: a, runbook: {id: make-file, params: {name: x, nome: y}}}", 1), calledBook, []string{"runbook.lint.call_param"}},
		"wrong value":    {strings.Replace(callingBook, "name: two", "name: TWO", 1), calledBook, []string{"runbook.lint.call_value"}},
		"in a check":     {strings.Replace(callingBook, "check:\n", "check:\n  - {id: c, runbook: {id: make-file, params: {name: x}}}\n", 1), calledBook, []string{"runbook.lint.call_place"}},
		"with a retry":   {strings.Replace(callingBook, call, "  - {id: a, retry: {times: 3}, runbook: {id: make-file, params: {name: x}}}", 1), calledBook, []string{"runbook.lint.call_key"}},
		"from a place":   {strings.Replace(callingBook, "{id: make-file, params: {name: two}}", "{id: '{first}', params: {name: two}}", 1), calledBook, []string{"runbook.lint.fixed"}},
		"only looks":     {callingBook, "id: make-file\ntitle: {en: a, ja: あ}\nfits: ['service=\"web\"']\ncheck:\n  - {command: {argv: [true]}}\n", []string{"runbook.lint.call_looks", "runbook.lint.call_looks"}},
		"with branches":  {callingBook, strings.Replace(twoServers, "id: two-servers", "id: make-file", 1), []string{"runbook.lint.call_branches", "runbook.lint.call_branches"}},
	} {
		files := fstest.MapFS{"calling.yaml": {Data: []byte(c.calling)}, "called.yaml": {Data: []byte(c.called)}}
		l, problems := Load(Sources{Embedded: files, Vars: map[string]string{"dir": "/tmp"}})
		var got []string
		for _, p := range Errors(problems) {
			got = append(got, p.What.Phrase)
			if text := p.Text(phrases.English, phrases.Fill); regexp.MustCompile(`\{[a-z]+\}`).MatchString(text) {
				t.Errorf("%s: %s", name, text)
			}
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if l.Get("make-two") != nil {
			t.Errorf("%s: it was loaded", name)
		}
	}
}

func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	for n, bad := range map[int]bool{maxCalls + 1: false, maxCalls + 2: true} {
		_, problems := Load(Sources{Embedded: chain(n)})
		problems = slices.DeleteFunc(Errors(problems), func(p Problem) bool { return p.What.Phrase != "runbook.lint.call_deep" })
		if (len(problems) > 0) != bad {
			t.Errorf("%d books: %+v", n, problems)
		}
	}
	// Ten calls of a book that calls ten: short files, a long plan.
	ten := func(id string) string {
		return strings.Repeat("  - {id: x, runbook: {id: "+id+"}}\n", 10)
	}
	files := chain(1)
	for _, b := range [][2]string{{"one", "book-0"}, {"two", "one"}} {
		body := ten(b[1])
		for i := range 10 {
			body = strings.Replace(body, "id: x,", fmt.Sprintf("id: x%d,", i), 1)
		}
		files[b[0]+".yaml"] = &fstest.MapFile{Data: []byte("id: " + b[0] + "\ntitle: {en: a, ja: あ}\nfits: ['service=\"web\"']\nrisk: low\nrecover:\n" + body +
			"verify: {steps: [{command: {argv: [true]}}], stable: 1s, within: 1m}\nescalate: {en: x, ja: x}\n")}
	}
	l, problems := Load(Sources{Embedded: files})
	if got := Errors(problems); len(got) != 1 || got[0].What.Phrase != "runbook.lint.call_long" || l.Get("one") == nil {
		t.Errorf("%+v", got)
	}
}

// A linter that is given one file looks beside it for what that calls.
func TestLintFindsWhatIsCalledBesideTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"calling.yaml": callingBook, "called.yaml": calledBook} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if problems := Errors(Lint([]string{filepath.Join(dir, "calling.yaml")}, nil)); len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
	if err := os.Remove(filepath.Join(dir, "called.yaml")); err != nil {
		t.Fatal(err)
	}
	if problems := Errors(Lint([]string{filepath.Join(dir, "calling.yaml")}, nil)); len(problems) != 2 || problems[0].Line == 0 {
		t.Errorf("%+v", problems)
	}
}
