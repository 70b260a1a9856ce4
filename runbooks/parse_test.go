package runbooks

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestParse(t *testing.T) {
	t.Parallel()
	rb, problems := Parse("web.yaml", []byte(plainBook), map[string]string{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if rb.ID != "restart-web" || rb.Risk != incidents.RiskLow || rb.Title.JA != "Webサーバーを再起動する" || rb.File != "web.yaml" || len(rb.Digest) != 64 {
		t.Errorf("%+v", rb)
	}
	v := rb.Verify
	if v.Every != time.Second || v.Stable != 10*time.Second || v.Within != time.Minute || v.NoAlerts || len(v.Steps) != 1 || v.Steps[0].ID != "site" {
		t.Errorf("%+v", v)
	}
	if s := rb.Recover[0]; s.Timeout != RecoverTimeout || s.Expect.String() != "code 0" || s.Show() != "systemctl restart web.service" {
		t.Errorf("%+v", s)
	}
	if s := rb.Check[0]; s.Timeout != CheckTimeout || s.Expect.String() != "code 200" || s.Show() != "GET http://web.example/health" {
		t.Errorf("%+v", s)
	}
}

// Each row is a runbook with one thing wrong, where, and whether it can be used
// all the same.
func TestParseReports(t *testing.T) {
	t.Parallel()
	step := func(s string) string { return "recover:\n  - " + s }
	check := func(s string) string { return "check:\n  - " + s }
	param := func(s string) string {
		return "risk: low\nparams:\n  unit: " + s + "\n"
	}
	for name, c := range map[string]struct {
		source string
		phrase string // without runbook.lint.
		line   int
		warn   bool
	}{
		"unknown key":          {withLine(t, "risk:", "risk: low\nrisks: low"), "unknown_key", 5, false},
		"unknown step key":     {withLine(t, "recover:", step("{command: {argv: [true]}, run: x}")), "unknown_key", 10, false},
		"no id":                {withLine(t, "id:", ""), "no_id", 1, false},
		"bad id":               {withLine(t, "id:", "id: Restart"), "bad_id", 1, false},
		"id with a path":       {withLine(t, "id:", "id: ../x"), "bad_id", 1, false},
		"id too long":          {withLine(t, "id:", "id: "+strings.Repeat("x", 65)), "bad_id", 1, false},
		"id with a line end":   {withLine(t, "id:", `id: "restart\n"`), "bad_id", 1, false},
		"no title":             {withLine(t, "title:", ""), "no_title", 1, false},
		"no Japanese":          {withLine(t, "title:", "title: Restart"), "no_japanese", 2, true},
		"no English":           {withLine(t, "title:", "title: {ja: 再起動}"), "no_english", 2, true},
		"title of two lines":   {withLine(t, "title:", `title: {en: "a\nb", ja: c}`), "title_lines", 2, false},
		"manual of nowhere":    {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: Wiki/x, page: Disk}"), "manual_from", 3, false},
		"manual from nobody":   {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {page: Disk}"), "manual_from", 3, false},
		"manual without place": {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: wiki}"), "manual_place", 3, false},
		"manual in two places": {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: wiki, page: Disk, file: disk.md}"), "manual_place", 3, false},
		"manual of two lines":  {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: wiki, page: \"a\\nb\"}"), "manual_page", 3, false},
		"manual from above":    {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: git, file: ../../etc/passwd}"), "manual_file", 3, false},
		"manual from the root": {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: git, file: /etc/passwd}"), "manual_file", 3, false},
		"manual of a bad ref":  {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: git, file: disk.md, ref: 'a?b'}"), "manual_ref", 3, false},
		"ref of a page":        {withLine(t, "title:", "title: {en: a, ja: b}\nmanual: {from: wiki, page: Disk, ref: main}"), "manual_ref", 3, false},
		"title is a list":      {withLine(t, "title:", "title: [a]"), "want_mapping", 2, false},
		"no risk":              {withLine(t, "risk:", ""), "no_risk", 1, false},
		"bad risk":             {withLine(t, "risk:", "risk: none"), "bad_risk", 4, false},
		"read but recovers":    {withLine(t, "risk:", "risk: read"), "risk_read_recovers", 4, false},
		"no verify":            {withLine(t, "verify:", ""), "no_verify", 10, false},
		"no escalate":          {withLine(t, "escalate:", ""), "no_escalate", 1, true},
		"verify of nothing":    {withLine(t, "verify:", "verify: {stable: 1s, within: 1m}"), "verify_steps", 13, false},
		"verify twice":         {withLine(t, "verify:", "verify: {same_as: check, steps: [{command: {argv: [true]}}], stable: 1s, within: 1m}"), "verify_steps", 13, false},
		"same as what":         {withLine(t, "verify:", "verify: {same_as: recover, stable: 1s, within: 1m}"), "same_as", 13, false},
		"no stable":            {withLine(t, "verify:", "verify: {same_as: check, within: 1m}"), "default", 13, true},
		"no within":            {withLine(t, "verify:", "verify: {same_as: check, stable: 1m}"), "default", 13, true},
		"stable too long":      {withLine(t, "verify:", "verify: {same_as: check, stable: 1m, within: 1m}"), "stable_within", 13, false},
		"looks too late":       {withLine(t, "verify:", "verify: {same_as: check, every: 2m, stable: 1s, within: 1m}"), "every_within", 13, false},
		"looks too often":      {withLine(t, "verify:", "verify: {same_as: check, every: 1ms, stable: 1s, within: 1m}"), "duration_range", 13, false},
		"not a time":           {withLine(t, "verify:", "verify: {same_as: check, every: 5, stable: 1s, within: 1m}"), "want_duration", 13, false},
		"odd alerts":           {withLine(t, "verify:", "verify: {same_as: check, stable: 1s, within: 1m, alerts: gone}"), "bad_alerts", 13, false},
		"no fits":              {withLine(t, "fits:", ""), "no_fits", 1, false},
		"empty fits":           {withLine(t, "fits:", "fits: []"), "no_fits", 3, false},
		"fits any":             {withLine(t, "fits:", "fits: any"), "fits_any", 3, false},
		"fits nearly all":      {withLine(t, "fits:", `fits: ['severity!="info"', 'job=~".*"']`), "fits_nearly_all", 3, false},
		"fits nothing":         {withLine(t, "fits:", `fits: ['a="b"', 'a!="b"']`), "never_fits", 3, false},
		"fits nothing by re":   {withLine(t, "fits:", `fits: ['a=~"x.*"', 'a="b"']`), "never_fits", 3, false},
		"bad matcher":          {withLine(t, "fits:", "fits: [service]"), "bad_matcher", 3, false},
		"bad matcher re":       {withLine(t, "fits:", `fits: ['a=~"("']`), "bad_matcher", 3, false},
		"matcher left open":    {withLine(t, "fits:", `fits: ['a=~"\Qx"']`), "pattern_open", 3, false},
		"matcher that escapes": {withLine(t, "fits:", `fits: ['a=~"x)|(y"']`), "bad_matcher", 3, false},
		"short word":           {withLine(t, "fits:", "fits: ['a=\"b\"']\nwords: [x]"), "bad_word", 4, false},
		"nobody's":             {withLine(t, "risk:", "risk: low\ncustomers: []"), "no_customers", 5, false},
		"bad customer":         {withLine(t, "risk:", "risk: low\ncustomers: [acme, Globex Ltd]"), "bad_customer", 5, false},
		"customers of a map":   {withLine(t, "risk:", "risk: low\ncustomers: {acme: true}"), "want_list", 5, false},
		"no steps":             {withLine(t, "recover:", "recover: []"), "no_steps", 9, false},
		"steps are no list":    {withLine(t, "recover:", "recover: {command: {argv: [true]}}"), "want_list", 9, false},
		"step of no kind":      {withLine(t, "recover:", step("{id: x}")), "step_kinds", 10, false},
		"step of two kinds":    {withLine(t, "recover:", step("{command: {argv: [true]}, http: {url: 'http://a'}}")), "step_kinds", 10, false},
		"steps of one id":      {withLine(t, "recover:", step("{id: x, command: {argv: [true]}}\n  - {id: x, command: {argv: [true]}}")), "step_twice", 11, false},
		"long timeout":         {withLine(t, "recover:", step("{timeout: 16m, command: {argv: [true]}}")), "duration_range", 10, false},
		"a command line":       {withLine(t, "recover:", step("{command: {argv: systemctl restart web}}")), "argv", 10, false},
		"no argv":              {withLine(t, "recover:", step("{command: {argv: []}}")), "argv", 10, false},
		"a line as program":    {withLine(t, "recover:", step("{command: {argv: ['rm -rf /']}}")), "argv_name", 10, false},
		"a relative program":   {withLine(t, "recover:", step("{command: {argv: [./run]}}")), "argv_name", 10, false},
		"unknown parameter":    {withLine(t, "recover:", step("{command: {argv: [echo, '{who}']}}")), "unknown_param", 10, false},
		"unknown variable":     {withLine(t, "recover:", step("{command: {argv: [echo, '{var.who}']}}")), "unknown_var", 10, false},
		"template":             {withLine(t, "recover:", step("{command: {argv: [echo, '{{ .Who }}']}}")), "double_brace", 10, false},
		"template of docker":   {withLine(t, "recover:", step("{command: {argv: [docker, ps, --format, '{{.Names}}']}}")), "double_brace", 10, false},
		"odd place":            {withLine(t, "recover:", step("{command: {argv: [echo, '{Who}']}}")), "bad_place", 10, false},
		"odd variable":         {withLine(t, "recover:", step("{command: {argv: [echo, '{env.HOME}']}}")), "bad_place", 10, false},
		"exit of text":         {withLine(t, "recover:", step("{command: {argv: [true], expect: {exit: many}}}")), "bad_expect", 10, false},
		"contains nothing":     {withLine(t, "recover:", step("{command: {argv: [true], expect: {contains: ''}}}")), "bad_expect", 10, false},
		"json of text":         {withLine(t, "recover:", step("{command: {argv: [true], expect: {json: 'a < x'}}}")), "bad_expect", 10, false},
		"status of a command":  {withLine(t, "recover:", step("{command: {argv: [true], expect: {status: 200}}}")), "unknown_key", 10, false},
		"no URL":               {withLine(t, "recover:", step("{http: {method: POST}}")), "missing", 10, false},
		"a host from outside":  {withLine(t, "recover:", step("{http: {url: 'http://{who}/'}}")), "url_origin", 10, false},
		"half a host":          {withLine(t, "recover:", step("{http: {url: 'http://a{who}/'}}")), "url_origin", 10, false},
		"a port from outside":  {withLine(t, "recover:", step("{http: {url: 'http://a:{who}/'}}")), "url_origin", 10, false},
		"a user in the URL":    {withLine(t, "recover:", step("{http: {url: 'http://u:p@a/'}}")), "url_origin", 10, false},
		"another scheme":       {withLine(t, "recover:", step("{http: {url: 'file:///etc/passwd'}}")), "url_origin", 10, false},
		"a fragment":           {withLine(t, "recover:", step("{http: {url: 'http://a/#x'}}")), "bad_url", 10, false},
		"dots in the path":     {withLine(t, "recover:", step("{http: {url: 'http://a/../x'}}")), "bad_url", 10, false},
		"odd method":           {withLine(t, "recover:", step("{http: {method: TRACE, url: 'http://a/'}}")), "method", 10, false},
		"a check that posts":   {withLine(t, "check:", check("{http: {method: POST, url: 'http://a/'}}")), "look_method", 6, false},
		"no query":             {withLine(t, "check:", check("{promql: {expect: '> 1'}}")), "missing", 6, false},
		"nothing expected":     {withLine(t, "check:", check("{promql: {query: up}}")), "missing", 6, false},
		"odd comparison":       {withLine(t, "check:", check("{promql: {query: up, expect: 'more'}}")), "bad_expect", 6, false},
		"place outside quotes": {withLine(t, "check:", check("{promql: {query: 'up > {who}', expect: '> 1'}}")), "query_place", 6, false},
		"place in a function":  {withLine(t, "check:", check("{promql: {query: 'label_replace(up, \"a\", \"{who}\", \"\", \"\")', expect: '> 1'}}")), "query_place", 6, false},
		"place in a raw text":  {withLine(t, "check:", check("{promql: {query: 'up{a=`{who}`}', expect: '> 1'}}")), "query_place", 6, false},
		"a comment":            {withLine(t, "check:", check("{promql: {query: \"up # '\", expect: '> 1'}}")), "query_comment", 6, false},
		"an open quote":        {withLine(t, "check:", check("{promql: {query: 'up{a=\"b}', expect: '> 1'}}")), "query_quote", 6, false},
		"untyped":              {withLine(t, "risk:", param("{from: label.unit}")), "param_untyped", 6, false},
		"odd type":             {withLine(t, "risk:", param("{type: text}")), "param_type", 6, false},
		"type not a word":      {withLine(t, "risk:", param("{type: [x]}")), "want_text", 6, false},
		"key of another type":  {withLine(t, "risk:", param("{type: host, min: 1}")), "param_key", 6, false},
		"enum of nothing":      {withLine(t, "risk:", param("{type: enum, values: []}")), "param_values", 6, false},
		"enum with a dash":     {withLine(t, "risk:", param("{type: enum, values: [-rf]}")), "param_value", 6, false},
		"enum with a line end": {withLine(t, "risk:", param(`{type: enum, values: ["a\nb"]}`)), "param_value", 6, false},
		"enum twice":           {withLine(t, "risk:", param("{type: enum, values: [a, a]}")), "param_twice", 6, false},
		"int without bounds":   {withLine(t, "risk:", param("{type: int, min: 1}")), "param_bounds", 6, false},
		"int bounds":           {withLine(t, "risk:", param("{type: int, min: 3, max: 1}")), "param_bounds", 6, false},
		"int of text":          {withLine(t, "risk:", param("{type: int, min: few, max: 1}")), "want_number", 6, false},
		"string of anything":   {withLine(t, "risk:", param("{type: string}")), "param_match", 6, false},
		"pattern left open":    {withLine(t, "risk:", param("{type: string, match: '\\Qabc'}")), "pattern_open", 6, false},
		"pattern with (?m)":    {withLine(t, "risk:", param("{type: string, match: '(?m)^a$'}")), "param_pattern", 6, false},
		"pattern with (?im)":   {withLine(t, "risk:", param("{type: string, match: 'a(?im:b)'}")), "param_pattern", 6, false},
		"pattern that escapes": {withLine(t, "risk:", param("{type: string, match: 'a)|(b'}")), "param_pattern", 6, false},
		"pattern too long":     {withLine(t, "risk:", param("{type: string, match: '"+strings.Repeat("a", 1025)+"'}")), "param_pattern", 6, false},
		"from nowhere":         {withLine(t, "risk:", param("{type: host, from: instance}")), "param_from", 6, false},
		"bad default":          {withLine(t, "risk:", param("{type: int, min: 1, max: 2, default: 3}")), "param_default", 6, false},
		"dash not a boolean":   {withLine(t, "risk:", param("{type: string, match: a, dash: maybe}")), "want_bool", 6, false},
		"reserved name":        {withLine(t, "risk:", "risk: low\nparams:\n  var: {type: host}\n"), "param_name", 6, false},
		"name in capitals":     {withLine(t, "risk:", "risk: low\nparams:\n  Unit: {type: host}\n"), "param_name", 6, false},
		"params are a list":    {withLine(t, "risk:", "risk: low\nparams: [a]\n"), "want_mapping", 5, false},
		"unused":               {withLine(t, "risk:", param("{type: host, from: label.instance}")), "unused_param", 6, true},
		"nothing at all":       {"id: x\ntitle: {en: a, ja: b}\nfits: any\n", "does_nothing", 1, false},
		"risk without recover": {"id: x\ntitle: {en: a, ja: b}\nfits: any\nrisk: low\ncheck: [{command: {argv: [true]}}]\n", "risk_without_recover", 4, false},
		"verify by itself":     {"id: x\ntitle: {en: a, ja: b}\nfits: any\ncheck: [{command: {argv: [true]}}]\nverify: {same_as: check}\n", "verify_without_recover", 5, false},
		"escalate by itself":   {"id: x\ntitle: {en: a, ja: b}\nfits: any\ncheck: [{command: {argv: [true]}}]\nescalate: {en: a, ja: b}\n", "escalate_without_recover", 5, false},
		"check nobody can ask": {"id: x\ntitle: {en: a, ja: b}\nfits: any\nparams:\n  h: {type: host}\ncheck:\n  - command: {argv: [ping, '{h}']}\n", "check_needs_param", 7, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rb, problems := Parse("book.yaml", []byte(c.source), map[string]string{})
			at := slices.IndexFunc(problems, func(p Problem) bool { return p.What.Phrase == "runbook.lint."+c.phrase })
			if at < 0 {
				t.Fatalf("not reported; but %v", problems)
			}
			p := problems[at]
			if p.Line != c.line || p.Warning != c.warn || p.File != "book.yaml" || (rb != nil) != c.warn {
				t.Errorf("%+v, usable %t; want line %d", p, rb != nil, c.line)
			}
			for _, lang := range phrases.Languages {
				if text := p.Text(lang, phrases.Fill); strings.Contains(text, "runbook.lint") || !strings.Contains(text, "\n    ") {
					t.Errorf("it is not put into words: %s", text)
				}
			}
		})
	}
}

// No program gets text from outside as its source, however it is dressed up.
func TestParseRefusesDataInScripts(t *testing.T) {
	t.Parallel()
	refused := [][]string{
		{"sh", "-c", "echo {who}"}, {"bash", "-ec", "echo {who}"}, {"/bin/sh", "-c", "{who}"}, {"dash", "-x", "-c", "a{who}"},
		{"env", "sh", "-c", "echo {who}"}, {"sudo", "-u", "web", "bash", "-lc", "{who}"}, {"timeout", "5", "zsh", "-c", "{who}"},
		{"busybox", "sh", "-c", "{who}"}, {"python3", "-c", "print('{who}')"}, {"perl", "-e", "{who}"}, {"perl", "-E", "{who}"},
		{"node", "--eval", "{who}"}, {"ruby", "-ne", "{who}"}, {"php8.2", "-r", "{who}"}, {"awk", "{who}"}, {"gawk", "-f", "x", "{who}"},
		{"sed", "s/x/{who}/", "f"}, {"ssh", "host", "restart {who}"}, {"ssh", "{who}", "uptime"}, {"su", "-c", "{who}"},
		{"sh", "{who}"}, {"sh", "-{who}", "x"}, {"docker", "exec", "web", "sh", "-c", "{who}"}, {"xargs", "sh", "-c", "{who}"},
		{"bash", "-o", "pipefail", "-c", "{who}"}, {"bash", "-o", "pipefail", "{who}"}, {"php", "-d", "x=y", "-r", "{who}"}, {"perl", "-e", "fixed", "-e", "{who}"},
		{"su", "web", "-c", "{who}"}, {"python3", "-c{who}"}, {"python3", "-m", "{who}"}, {"sh", "script", "{who}"}, {"sudo", "python3", "-c", "{who}"},
		{"kubectl", "exec", "pod", "--", "python3", "-c", "{who}"}, {"find", "/", "-exec", "sh", "-c", "rm {who}", ";"}, {"env", "A=b", "ssh", "h", "{who}"},
		{"kubectl", "exec", "pod", "--", "bash", "-c", "a {who}"}, {"watch", "ls {who}"}, {"python3", "--command={who}"},
	}
	for _, argv := range refused {
		if phrase := parseArgv(argv); phrase != "runbook.lint.shell_data" {
			t.Errorf("%q: %q", argv, phrase)
		}
	}
	for _, argv := range [][]string{{"{who}"}, {"/bin/{who}"}, {"{who}ctl", "x"}} {
		if phrase := parseArgv(argv); phrase != "runbook.lint.argv_program" {
			t.Errorf("%q: %q", argv, phrase)
		}
	}
	allowed := [][]string{
		{"sh", "-c", "echo \"$1\"", "sh", "{who}"}, {"systemctl", "restart", "{who}"}, {"echo", "-c", "{who}"}, {"curl", "--data={who}", "http://a"},
		{"sh", "-c", "echo fixed"}, {"kubectl", "get", "node", "{who}"}, {"python3", "-m", "tool", "--host={who}"}, {"bash", "-o", "pipefail", "/opt/x.sh", "{who}"},
		{"sudo", "systemctl", "restart", "{who}"}, {"python3", "/opt/tool.py", "--host={who}"}, {"systemctl", "restart", "node", "{who}"}, {"python3", "/opt/tool.py", "{who}"}, {"awk", "fixed", "file"}, {"/usr/bin/env", "tool", "{who}"}, {"echo", "\\{who}"},
	}
	for _, argv := range allowed {
		if phrase := parseArgv(argv); phrase != "" {
			t.Errorf("%q: %q", argv, phrase)
		}
	}
}

// parseArgv is the phrase of the first error of a runbook that runs argv.
func parseArgv(argv []string) string {
	var b strings.Builder
	for _, a := range argv {
		b.WriteString("        - '" + strings.ReplaceAll(a, "'", "''") + "'\n")
	}
	source := strings.Replace(plainBook, "    command: {argv: [systemctl, restart, web.service]}\n", "    command:\n      argv:\n"+b.String(), 1) +
		"params:\n  who: {type: string, match: '.*'}\n"
	_, problems := Parse("x.yaml", []byte(source), map[string]string{})
	if bad := Errors(problems); len(bad) > 0 {
		return bad[0].What.Phrase
	}
	return ""
}

// A person who wrote six things wrong hears of six.
func TestParseReportsAllAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := Parse("x.yaml", []byte(`id: X
titel: x
fits: [a]
risk: maybe
params: {p: {type: none}}
recover:
  - command: {argv: [sh, -c, 'echo {p}']}
`), nil)
	var got []string
	lines := 0
	for _, p := range problems {
		got = append(got, strings.TrimPrefix(p.What.Phrase, "runbook.lint."))
		if p.Line < lines {
			t.Errorf("not in order: %v", problems)
		}
		lines = p.Line
	}
	want := []string{"bad_id", "no_escalate", "no_title", "no_verify", "unknown_key", "bad_matcher", "bad_risk", "param_type", "shell_data"}
	for _, w := range want {
		if w != "no_escalate" && !slices.Contains(got, w) {
			t.Errorf("%s is missing from %v", w, got)
		}
	}
}

func TestParseWithoutConfiguration(t *testing.T) {
	t.Parallel()
	source := strings.ReplaceAll(plainBook, "http://web.example", "{var.site}")
	if rb, problems := Parse("x.yaml", []byte(source), nil); rb == nil || len(problems) > 0 {
		t.Errorf("%v", problems)
	}
	rb, problems := Parse("x.yaml", []byte(source), map[string]string{"site": "https://web.example:8443/app"})
	if rb == nil || len(problems) > 0 || rb.Check[0].Show() != "GET https://web.example:8443/app/health" {
		t.Errorf("%v", problems)
	}
	for _, bad := range []string{"", "web.example", "ftp://x", "http://u:p@x", "http://{who}", "http://a/#"} {
		if rb, _ := Parse("x.yaml", []byte(source), map[string]string{"site": bad}); rb != nil {
			t.Errorf("variable %q was taken: %s", bad, rb.Check[0].Show())
		}
	}
}
