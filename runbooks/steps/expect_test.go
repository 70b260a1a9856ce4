package steps

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExpectReadsBackWhatItSays(t *testing.T) {
	t.Parallel()
	text := rapid.StringN(1, 40, -1)
	compare := rapid.Custom(func(t *rapid.T) *Compare {
		path := rapid.StringMatching(`[a-z][a-z0-9_-]{0,5}(\.[a-z0-9]{1,4}){0,3}`).Draw(t, "path")
		form := rapid.SampledFrom([]string{"number", "text", "word"}).Draw(t, "form")
		var said string
		switch form {
		case "number":
			said = rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(t, "op") + " " +
				rapid.StringMatching(`-?(0|[1-9][0-9]{0,6})(\.[0-9]{1,3})?`).Draw(t, "number")
		case "text":
			said = "== " + quoted(text.Draw(t, "value"))
		default:
			said = "!= " + rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
		}
		c, err := ParseCompare(path+" "+said, true)
		if err != nil {
			t.Fatalf("%s %s: %v", path, said, err)
		}
		return c
	})
	rapid.Check(t, func(t *rapid.T) {
		want := Expect{
			Codes: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Range {
				low := rapid.IntRange(0, 599).Draw(t, "low")
				return Range{low, rapid.IntRange(low, 999).Draw(t, "high")}
			}), 0, 3).Draw(t, "codes"),
			Contains: rapid.SliceOfN(text, 0, 3).Draw(t, "contains"),
			Lacks:    rapid.SliceOfN(text, 0, 2).Draw(t, "lacks"),
			None:     rapid.Bool().Draw(t, "none"),
		}
		if rapid.Bool().Draw(t, "has json") {
			want.JSON = compare.Draw(t, "json")
		}
		got, err := ParseExpect(want.String())
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if got.String() != want.String() || !reflect.DeepEqual(got.JSON, want.JSON) ||
			len(got.Contains) != len(want.Contains) || len(got.Codes) != len(want.Codes) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func quoted(s string) string { return (&jsonText{s}).String() }

type jsonText struct{ s string }

func (j *jsonText) String() string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(strings.ToValidUTF8(j.s, "")) + `"`
}

func TestExpectRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"maybe", "code", "code x", "code 5-3", "code 1000", `contains`, `contains well`, `contains "a`, `contains "a" and `,
		"json", "json a", "json a == b", `json a < "b"`, "json a == 'b'", "json .a == 1", "json a.. == 1", "json == 1",
		"number", "number 5", "number < x", "number < NaN", "number < 1e999", `number == "5"`, "number a < 5", "code 0 contains \"a\"",
	} {
		if e, err := ParseExpect(s); err == nil {
			t.Errorf("%q was read as %q", s, e)
		}
	}
}

func FuzzParseExpect(f *testing.F) {
	for _, s := range []string{
		"", `code 0 and contains "active"`, "code 200-299,304 and json queue.depth < 10", "number > 0.5", "none",
		`contains "a and b" and lacks "\"" and none`, `json a.0.b == "x and y"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseExpect(s)
		if err != nil {
			return
		}
		again, err := ParseExpect(e.String())
		if err != nil || again.String() != e.String() {
			t.Errorf("%q says %q, which says %q: %v", s, e, again, err)
		}
		e.output([]byte(s), []byte(s))
	})
}

func TestExpectOutput(t *testing.T) {
	t.Parallel()
	const doc = `{"status":"ok","n":12.5,"deep":{"list":[{"x":1},{"x":null}]},"flag":true,"a-b":"c"}`
	for _, c := range []struct {
		expect, text string
		ok           bool
		seen         string
	}{
		{`json status == "ok"`, doc, true, "status = ok"},
		{`json status != "ok"`, doc, false, "status = ok"},
		{`json n > 12`, doc, true, "n = 12.5"},
		{`json n <= 12`, doc, false, "n = 12.5"},
		{`json n == 12.5`, doc, true, "n = 12.5"},
		{`json n == "12.5"`, doc, false, "n = 12.5"},
		{`json deep.list.0.x >= 1`, doc, true, "deep.list.0.x = 1"},
		{`json deep.list.1.x == null`, doc, true, "deep.list.1.x = null"},
		{`json deep.list.2.x == null`, doc, false, "deep.list.2.x = missing"},
		{`json deep.list.-1.x == null`, doc, false, "deep.list.-1.x = missing"},
		{`json deep.list == null`, doc, false, `deep.list = [{"x":1},{"x":null}]`},
		{`json flag == true`, doc, true, "flag = true"},
		{`json flag != false`, doc, true, "flag = true"},
		{`json a-b == "c"`, doc, true, "a-b = c"},
		{`json status.x == 1`, doc, false, "status.x = missing"},
		{`json none != 1`, doc, false, "none = missing"}, // nothing there is not a proof
		{`json a == 1`, "not json", false, "a = missing"},
		{`json a == 1`, `{"a":1} trailing`, false, "a = missing"},
		{`number < 90`, "Use%\n 42%\n", true, "42"},
		{`number < 90`, "Use%\n 97%\n", false, "97"},
		{`number == -2.5`, "t=-2.5e0 9", true, "-2.5"},
		{`number != 0`, "nothing", false, "no number"},
		{`contains "a" and lacks "b"`, "a b", false, `has "b"`},
		{`contains "a" and contains "c"`, "a b", false, `no "c"`},
		{"", "anything", true, ""},
	} {
		e, err := ParseExpect(c.expect)
		if err != nil {
			t.Fatal(err)
		}
		ok, seen, _ := e.output([]byte(c.text), []byte(c.text))
		if ok != c.ok || strings.Join(seen, ", ") != c.seen {
			t.Errorf("%s of %.40q: %t, %q; want %t, %q", c.expect, c.text, ok, seen, c.ok, c.seen)
		}
	}
}
