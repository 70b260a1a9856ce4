package runbooks

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// anyText draws what people and machines could send as a value.
var anyText = rapid.OneOf(
	rapid.String(),
	rapid.StringMatching(`[a-z0-9.:/@_-]{0,20}`),
	rapid.StringMatching("[a-z]{0,3}[\r\n\x00\x1b\u2028\u202e-][a-z]{0,3}"),
	rapid.SampledFrom([]string{"web", "worker", "-1", "+1", "01", "1e3", "9223372036854775808", "::1", "fe80::1%eth0", "a.b.c", "a..b", ".a", "a.", "-a", "ok\n; id", "\xff"}),
	rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
)

// What is accepted is in the set that the author declared (S27).
func TestAcceptedValuesAreAllowed(t *testing.T) {
	t.Parallel()
	params := parseParams(t, `
  kind: {type: enum, values: [web, worker, "-1", "日本"]}
  count: {type: int, min: 0, max: 12}
  offset: {type: int, min: -5, max: 5}
  name: {type: string, match: '^[a-z]+$|-x'}
  flag: {type: string, match: '.*', dash: true}
  text: {type: string, match: '(?s).*'}
  host: {type: host}
`, true)
	hostForm := regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	rapid.Check(t, func(t *rapid.T) {
		p := params[rapid.SampledFrom([]string{"kind", "count", "offset", "name", "flag", "text", "host"}).Draw(t, "param")]
		v := anyText.Draw(t, "value")
		if !p.Accept(v) {
			return
		}
		if !utf8.ValidString(v) || strings.ContainsAny(v, "\r\n\x00\x1b\u2028") || strings.ContainsFunc(v, unicode.IsControl) || len(v) > maxValue {
			t.Fatalf("%s accepts %q", p.Name, v)
		}
		if strings.HasPrefix(v, "-") && p.Name != "flag" && p.Name != "offset" {
			t.Fatalf("%s accepts %q, which begins with a dash", p.Name, v)
		}
		n, err := strconv.ParseInt(v, 10, 64)
		ok := map[string]bool{
			"kind": slices.Contains([]string{"web", "worker", "日本"}, v), "count": err == nil && n >= 0 && n <= 12 && v == strconv.Itoa(int(n)),
			"offset": err == nil && n >= -5 && n <= 5 && v == strconv.Itoa(int(n)), "name": regexp.MustCompile(`^[a-z]+$`).MatchString(v) && !strings.Contains(v, "\n"),
			"flag": true, "text": true, "host": hostForm.MatchString(v) || isAddr(v),
		}[p.Name]
		if !ok {
			t.Fatalf("%s accepts %q", p.Name, v)
		}
	})
}

func isAddr(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

// parseParams reads the params section; bad says that the enum holds a value
// that its own rules refuse, which is then reported and left in.
func parseParams(t *testing.T, section string, bad bool) map[string]*Param {
	t.Helper()
	r := &reader{vars: &vars{}}
	root := r.document([]byte("params:" + section))
	if root == nil {
		t.Fatal(r.problems)
	}
	params := map[string]*Param{}
	for _, p := range r.params(root.Content[1]) {
		params[p.Name] = &p
	}
	if (len(r.problems) > 0) != bad {
		t.Fatal(r.problems)
	}
	return params
}

func TestParamFromLabels(t *testing.T) {
	t.Parallel()
	host := Param{Type: TypeHost, From: "instance"}
	text := Param{Type: TypeString, From: "instance"}
	for value, want := range map[string]string{
		"web-1:9100": "web-1", "web-1": "web-1", "10.0.0.1:80": "10.0.0.1", "[::1]:80": "::1", "::1": "::1", "": "",
	} {
		l := incidents.Labels{{Name: "instance", Value: value}}
		if got := host.fromLabels(l); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
		if got := text.fromLabels(l); got != value {
			t.Errorf("a string stays as it is: %q", got)
		}
	}
}

// An argument with places is the same whatever is filled in: the author's text,
// with each value in its place, once.
func TestTemplateFillsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z =/"$\\]{0,6}`)
		a, b, c := text.Draw(t, "a"), text.Draw(t, "b"), text.Draw(t, "c")
		tpl, bad := parseTemplate(a+"{x}"+b+"{y}{x}"+c, &vars{})
		if strings.HasSuffix(a, `\`) || strings.HasSuffix(b, `\`) {
			return // that is an escaped brace
		}
		if bad != nil {
			t.Fatal(bad)
		}
		value := rapid.OneOf(rapid.Just("{y}"), rapid.Just("{{x}}"), rapid.Just("{var.z}"), rapid.String()).Draw(t, "x")
		got := tpl.fill(map[string]string{"x": value, "y": "Y"}, asIs)
		if want := a + value + b + "Y" + value + c; got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func TestTemplateForm(t *testing.T) {
	t.Parallel()
	v := &vars{values: map[string]string{"a": "{x}{var.b}", "b": "B"}}
	for in, want := range map[string]string{
		"plain":           "plain",
		`\{x}`:            "{x}",
		`\{\{.Names}}`:    "{{.Names}}",
		`{"json": {}}`:    `{"json": {}}`,
		`up{job="a"}`:     `up{job="a"}`,
		"{ x }":           "{ x }",
		"{":               "{",
		"a}":              "a}",
		`\\{x}`:           `\{x}`, // a backslash, and an escaped brace
		"{var.a}":         "{x}{var.b}",
		"{var.b}/{var.b}": "B/B",
	} {
		tpl, bad := parseTemplate(in, v)
		if bad != nil {
			t.Errorf("%q: %v", in, bad)
			continue
		}
		if got := tpl.fill(map[string]string{"x": "X"}, asIs); got != want || len(tpl.params()) > 0 {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, phrase := range map[string]string{
		"{{x}}": "double_brace", "a{{": "double_brace", "{X}": "bad_place", "{x.y}": "bad_place", "{var.}": "bad_place", "{1}": "bad_place",
		"{var.none}": "unknown_var", "{env.HOME}": "bad_place", "{x-y}": "bad_place",
	} {
		if _, bad := parseTemplate(in, v); bad == nil || bad.phrase != "runbook.lint."+phrase {
			t.Errorf("%q: %v, want %s", in, bad, phrase)
		}
	}
}

// A value in a URL is one component, whatever it says.
func TestURLKeepsItsShape(t *testing.T) {
	t.Parallel()
	u, bad := parseURLTemplate("https://shop.example:8443/api/{seg}/end?a={q}&b=2", &vars{})
	if bad != nil {
		t.Fatal(bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		seg, q := rapid.String().Draw(t, "seg"), rapid.String().Draw(t, "q")
		full, ok := u.fillURL(map[string]string{"seg": seg, "q": q})
		if !ok {
			if seg == "" || seg == "." || seg == ".." || strings.ContainsAny(seg, `/\`) {
				return
			}
			t.Fatalf("%q %q was refused", seg, q)
		}
		got, err := url.Parse(full)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(got.EscapedPath(), "/")
		decoded, err := url.PathUnescape(parts[2])
		if err != nil || len(parts) != 4 || decoded != seg || parts[1] != "api" || parts[3] != "end" {
			t.Fatalf("%q: path %q", seg, got.EscapedPath())
		}
		query := got.Query()
		if got.Host != "shop.example:8443" || got.Scheme != "https" || got.User != nil || got.Fragment != "" ||
			len(query) != 2 || query.Get("a") != q || query.Get("b") != "2" {
			t.Fatalf("%q: %s", q, full)
		}
	})
}

// A value in a query is one string literal that means the value, and after =~
// one pattern that matches the value and nothing else.
func TestQueryKeepsItsShape(t *testing.T) {
	t.Parallel()
	q, bad := parseQueryTemplate(`up{a="x{v}", b!='{v}', c=~"{v}|y"} and on (d) x{e="}\"{v}"}`, &vars{})
	if bad != nil {
		t.Fatal(bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.StringOf(rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.P, unicode.S, unicode.Zs)).Draw(t, "v")
		literals := stringLiterals(t, q.fill(map[string]string{"v": v}))
		if len(literals) != 4 || literals[0] != "x"+v || literals[1] != v || literals[3] != `}"`+v {
			t.Fatalf("%q: %q", v, literals)
		}
		re, err := regexp.Compile("^(?:" + literals[2] + ")$")
		if err != nil || !re.MatchString(v) || !re.MatchString("y") || re.MatchString(v+"x") && v+"x" != "y" {
			t.Fatalf("%q: pattern %q: %v", v, literals[2], err)
		}
	})
}

// stringLiterals are the values of a query's string literals, and that there is
// nothing but the author's text outside them.
func stringLiterals(t *rapid.T, query string) []string {
	t.Helper()
	var found []string
	var outside strings.Builder
	for i := 0; i < len(query); {
		c := query[i]
		if c != '"' && c != '\'' {
			outside.WriteByte(c)
			i++
			continue
		}
		end := i + 1
		for query[end] != c {
			if query[end] == '\\' {
				end++
			}
			end++
		}
		raw := query[i+1 : end]
		if c == '\'' { // strconv takes it with the other quote
			raw = strings.ReplaceAll(strings.ReplaceAll(raw, `\'`, "'"), `"`, `\"`)
		}
		value, err := strconv.Unquote(`"` + raw + `"`)
		if err != nil {
			t.Fatalf("literal %q of %q: %v", raw, query, err)
		}
		found = append(found, value)
		i = end + 1
	}
	if outside.String() != "up{a=, b!=, c=~} and on (d) x{e=}" {
		t.Fatalf("outside the literals there is %q", outside.String())
	}
	return found
}
