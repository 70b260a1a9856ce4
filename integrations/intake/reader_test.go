package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func reader(body string) *Reader { return NewReader([]byte(body), DefaultLimits()) }

func TestWhatIsNotOneStrictJSONValueIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, says string }{
		"empty":                {"", "empty"},
		"spaces":               {" \n", "empty"},
		"not JSON":             {"alert!", "not valid JSON"},
		"byte order mark":      {"\ufeff[]", "not valid JSON"},
		"cut off":              {`[{"a":"b"`, "ends in the middle"},
		"cut off in a string":  {`[{"a":"b`, "ends in the middle"},
		"trailing value":       {`[] []`, "follows the end"},
		"trailing text":        {`[] x`, "not valid JSON"},
		"duplicate":            {`[{"a":"b","a":"c"}]`, "alert 1: a key comes twice"},
		"escaped duplicate":    {`[{},{"a":"b","\u0061":"c"}]`, "alert 2: a key comes twice"},
		"NUL in the structure": {"[\x00]", "not valid JSON"},
		"raw NUL in a string":  {"[{\"a\":\"\x00\"}]", "not valid JSON"},
		"raw newline":          {"[{\"a\":\"\n\"}]", "not valid JSON"},
		"object for array":     {`{}`, "the body must be an array, not an object"},
		"string for object":    {`["a"]`, "alert 1: labels must be an object, not a string"},
		"array for object":     {`[[]]`, "alert 1: labels must be an object, not an array"},
		"number for string":    {`[{"a":5}]`, "a value of labels must be a string, not a number"},
		"object for string":    {`[{"a":{}}]`, "a value of labels must be a string, not an object"},
		"true for string":      {`[{"a":true}]`, "not true"},
		"number for key":       {`[{5:"a"}]`, "not valid JSON"},
		"missing comma":        {`[{"a":"b" "c":"d"}]`, "not valid JSON"},
		"trailing comma":       {`[{"a":"b",}]`, "not valid JSON"},
		"comma at the end":     {`[{},]`, "not valid JSON"},
		"wrong bracket":        {`[{"a":"b"]]`, "not valid JSON"},
		"bad escape":           {`[{"a":"\x"}]`, "not valid JSON"},
	} {
		_, _, err := decodeList([]byte(tt.body), "eu", noon, DefaultLimits())
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Code != incidents.Invalid || !strings.Contains(e.Message, tt.says) || !strings.Contains(e.Message, "(byte ") {
			t.Errorf("%s: got %v, want %q", name, err, tt.says)
		}
	}
}

func TestErrorsDoNotRepeatWhatWasSent(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, body := range []string{
		`[{"hunter2":"b","hunter2":"c"}]`, `[{"a":hunter2}]`, `[{"a":"hunter2\q"}]`, `[{"hunter2":{}}]`, `["hunter2"]`, `hunter2`,
	} {
		_, _, err := decodeList([]byte(body), "eu", noon, DefaultLimits())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestHostileTextIsKeptAsText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"{{ .Env }}", "<script>alert(1)</script>", "<!channel>", "$(id)", "`id`", "a\nb", "\u202egnp", "火消し 🚒", `"quoted"`, `back\slash`, "\x1b]0;x\a",
	} {
		body := fmt.Sprintf(`[{"alertname":%s,%s:"x"}]`, quote(text), quote(text))
		b, mended, err := decodeList([]byte(body), "eu", noon, DefaultLimits())
		if err != nil || mended != (Mended{}) {
			t.Errorf("%q: %v, mended %+v", text, err, mended)
			continue
		}
		if l := b.Alerts[0].Labels; l.Get("alertname") != text || l.Get(text) != "x" {
			t.Errorf("%q became %v", text, l)
		}
	}
}

// quote writes s as a JSON string, every byte of it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func TestNamesAndValuesAtTheirBoundaries(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		name, value string
		cut         int
	}{
		"at the limits":    {strings.Repeat("n", 128), strings.Repeat("v", 4096), 0},
		"name + 1":         {strings.Repeat("n", 129), "v", 1},
		"value + 1":        {"n", strings.Repeat("v", 4097), 1},
		"wide value + 1":   {"n", strings.Repeat("火", 1365) + "vv", 1},
		"value of 500 KiB": {"n", strings.Repeat("v", 500<<10), 1},
	} {
		b, mended, err := decodeList([]byte(`[{`+quote(tt.name)+`:`+quote(tt.value)+`}]`), "eu", noon, DefaultLimits())
		if err != nil || mended != (Mended{Cut: tt.cut}) {
			t.Errorf("%s: %v, %+v", name, err, mended)
			continue
		}
		l := b.Alerts[0].Labels[0]
		if len(l.Name) > 128 || len(l.Value) > 4096 || !utf8.ValidString(l.Value) {
			t.Errorf("%s: %d and %d bytes", name, len(l.Name), len(l.Value))
		}
		if marked := strings.Contains(l.Name+l.Value, "…(cut "); marked != (tt.cut > 0) {
			t.Errorf("%s: marked is %v: %q", name, marked, l)
		}
	}
}

func TestOneAbsurdAlertCostsNoOther(t *testing.T) {
	t.Parallel()
	absurd := []string{
		`{"alertname":"long","v":"` + strings.Repeat("x", 100_000) + `"}`,
		`{"alertname":"nul","v":"a\u0000b"}`,
		"{\"alertname\":\"latin1\",\"v\":\"caf\xe9\"}",
		`{"alertname":"half","v":"\ud83d"}`,
		manyLabels(5000),
	}
	list := strings.Repeat(`{"alertname":"good"},`, 500) + strings.Join(absurd, ",") + strings.Repeat(`,{"alertname":"good"}`, 495)
	b, mended, err := decodeList([]byte("["+list+"]"), "eu", noon, DefaultLimits())
	if err != nil || len(b.Alerts) != 1000 {
		t.Fatalf("%v", err)
	}
	if want := (Mended{Cut: 1, Text: 3, LeftOut: 5001 - 63}); mended != want {
		t.Errorf("mended %+v, want %+v", mended, want)
	}
	for i, want := range []string{"…(cut ", "a\ufffdb…(mended ", "caf\ufffd…(mended ", "\ufffd…(mended "} {
		if v := b.Alerts[500+i].Labels.Get("v"); !strings.Contains(v, want) {
			t.Errorf("%s: %.60q", b.Alerts[500+i].Name(), v)
		}
	}
}

func manyLabels(n int) string {
	var b strings.Builder
	b.WriteString(`{"service":"checkout"`)
	for i := range n {
		fmt.Fprintf(&b, `,"l%05d":"v"`, i)
	}
	b.WriteString("}")
	return b.String()
}

func TestTooManyLabelsKeepWhatTheyTell(t *testing.T) {
	t.Parallel()
	read := func(body string) (incidents.Labels, int) {
		r := reader(body)
		l, err := r.Labels()
		if err != nil {
			t.Fatal(err)
		}
		return l, r.Mended.LeftOut
	}
	if l, out := read(manyLabels(63)); len(l) != 64 || out != 0 {
		t.Errorf("at the limit: %d labels, %d left out", len(l), out)
	}
	for _, n := range []int{64, 10_000} {
		l, out := read(manyLabels(n))
		if len(l) != 64 || out != n+1-63 || l.Get("service") != "checkout" {
			t.Errorf("%d labels: %d kept, %d left out, service %q", n+1, len(l), out, l.Get("service"))
		}
		if !strings.HasPrefix(l.Get(CutLabel), fmt.Sprintf("%d left out, ", out)) {
			t.Errorf("%d labels: marked %q", n+1, l.Get(CutLabel))
		}
		if !slices.IsSortedFunc(l, func(a, b incidents.Label) int { return strings.Compare(a.Name, b.Name) }) {
			t.Error("not sorted")
		}
	}
	a, _ := read(manyLabels(100))
	b, _ := read(strings.Replace(manyLabels(100), `"l00099":"v"`, `"l00099":"w"`, 1))
	if a.Key() == b.Key() {
		t.Error("two alerts that differ in a label left out are one")
	}
	ann := reader(manyLabels(100))
	l, err := ann.Annotations()
	if err != nil || len(l) != 64 || l.Get(CutLabel) != "38 left out" {
		t.Errorf("annotations: %v %d %q", err, len(l), l.Get(CutLabel))
	}
}

// Whatever is mended is clean and within bounds, and labels that were
// different stay different, in names and values, with and without escapes.
func TestMendingKeepsAlertsApart(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	limits.Name, limits.Value = 40, 48
	piece := rapid.SampledFrom([]string{"a", "b", "火", "\xff", "\xfe", "\\u0000", "\\ud800", "\\udbff", "\\n", strings.Repeat("x", 50)})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 1, 4).Draw(t, "pieces"), "") })
	rapid.Check(t, func(t *rapid.T) {
		parse := func(name, value string) incidents.Labels {
			r := NewReader([]byte(`{"`+name+`":"`+value+`"}`), limits)
			l, err := r.Labels()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range l {
				for s, max := range map[string]int{p.Name: limits.Name, p.Value: limits.Value} {
					if len(s) > max || !utf8.ValidString(s) || strings.Contains(s, "\x00") {
						t.Fatalf("%q is not clean", s)
					}
				}
			}
			return l
		}
		n1, v1, n2, v2 := text.Draw(t, "n1"), text.Draw(t, "v1"), text.Draw(t, "n2"), text.Draw(t, "v2")
		same := n1 == n2 && v1 == v2
		if got := parse(n1, v1).Key() == parse(n2, v2).Key(); got != same {
			t.Fatalf("{%q:%q} and {%q:%q}: equal is %v", n1, v1, n2, v2, got)
		}
	})
}

func TestAnnotationsAreCutWithAPlainMark(t *testing.T) {
	t.Parallel()
	r := reader(`{"long":"` + strings.Repeat("火", 2000) + `","nul":"a\u0000b","null":null,"empty":""}`)
	l, err := r.Annotations()
	if err != nil || len(l) != 2 {
		t.Fatalf("%v %v", err, l)
	}
	if v := l.Get("long"); !strings.HasSuffix(v, "火…(cut)") || len(v) > 4096 || len(v) < 4090 {
		t.Errorf("%d bytes end in %q", len(v), v[len(v)-20:])
	}
	if v := l.Get("nul"); v != "a\ufffdb" {
		t.Errorf("nul: %q", v)
	}
	if r.Mended != (Mended{Cut: 1, Text: 1}) {
		t.Errorf("mended %+v", r.Mended)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Time{
		`"2026-11-22T12:00:00Z"`:              noon,
		`"2026-11-22T21:00:00+09:00"`:         noon,
		`"2026-11-22T12:00:00.000000001Z"`:    noon.Add(1),
		`"0001-01-01T00:00:00Z"`:              {},
		`"1969-12-31T23:59:59Z"`:              {},
		`"9999-12-31T23:59:59Z"`:              {},
		`"2200-12-31T23:59:59.999999999Z"`:    time.Date(2200, 12, 31, 23, 59, 59, 999999999, time.UTC),
		`""`:                                  {},
		`null`:                                {},
		`"2026-11-22T12:00:00.123456789123Z"`: noon.Add(123456789),
	} {
		if got, err := reader(body).Time("startsAt"); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: got %v %v", body, got, err)
		}
	}
	for _, body := range []string{`"yesterday"`, `"2026-11-22"`, `1766404800`, `"2026-13-22T12:00:00Z"`} {
		if _, err := reader(body).Time("startsAt"); incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"https://x/y?a=b"`: "https://x/y?a=b", `"HTTP://x"`: "HTTP://x", `""`: "", `null`: "",
		`"javascript:alert(1)"`: "", `"javascript://x"`: "", `"data:text/html,x"`: "", `"/relative"`: "", `"http"`: "",
		`"https://x/\u0000"`: "", `"https://x/\n"`: "", `"https://` + strings.Repeat("x", 4089) + `"`: "",
		`"https://` + strings.Repeat("x", 4088) + `"`: "https://" + strings.Repeat("x", 4088),
	} {
		r := reader(body)
		got, err := r.Link("link")
		left := 0
		if want == "" && body != `""` && body != "null" {
			left = 1
		}
		if err != nil || got != want || r.Mended != (Mended{Links: left}) {
			t.Errorf("%.40s: got %.40q %v %+v", body, got, err, r.Mended)
		}
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{`0`: 0, `17`: 17, `null`: 0, `999999999999999`: 999999999999999} {
		if got, err := reader(body).Count("n"); err != nil || got != want {
			t.Errorf("%s: %d %v", body, got, err)
		}
	}
	for _, body := range []string{`-1`, `1.5`, `1e3`, `"7"`, `99999999999999999999`, `{}`} {
		if _, err := reader(body).Count("n"); incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestKeysThatDifferOnlyInCaseAreRefused(t *testing.T) {
	t.Parallel()
	r := reader(`"resolved"`)
	if err := r.SkipUnknown("STATUS", []string{"status"}); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("got %v", err)
	}
	if err := r.SkipUnknown("state", []string{"status"}); err != nil {
		t.Error(err)
	}
}

func TestClocksThatAreOffAreCountedAndBounded(t *testing.T) {
	t.Parallel()
	r := reader(`[]`)
	b := r.Finish(&incidents.Batch{ReceivedAt: noon, Alerts: []incidents.Alert{
		{StartsAt: noon.Add(24 * time.Hour)},
		{StartsAt: noon.Add(24 * time.Hour), EndsAt: noon.Add(25 * time.Hour), Resolved: true},
		{StartsAt: noon.Add(time.Minute)},
		{StartsAt: noon.Add(-24 * time.Hour)},
		{},
	}})
	if r.Mended != (Mended{Clocks: 2}) {
		t.Errorf("%+v", r.Mended)
	}
	for i, a := range b.Alerts {
		if a.StartsAt.After(noon) || a.StartsAt.IsZero() || a.Resolved && a.EndsAt.After(noon) {
			t.Errorf("alert %d: %+v", i, a)
		}
	}
}

func TestABatchKeepsNothingOfTheBody(t *testing.T) {
	t.Parallel()
	body := []byte(`[{"plain":"value","escaped":"a\nb"}]`)
	b, _, err := decodeList(body, "eu", noon, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if l := b.Alerts[0].Labels; l.Get("plain") != "value" || l.Get("escaped") != "a\nb" {
		t.Errorf("got %v", l)
	}
}

func TestLabelsOfManyAlertsDoNotShareRoom(t *testing.T) {
	t.Parallel()
	b, _, err := decodeList([]byte(`[{"a":"1"},{"b":"2"},{"c":"3"}]`), "eu", noon, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	_ = append(b.Alerts[0].Labels, incidents.Label{Name: "z", Value: "z"})
	if got := b.Alerts[1].Labels.Get("b"); got != "2" {
		t.Errorf("appending to one alert's labels changed the next: %v", b.Alerts[1].Labels)
	}
}
