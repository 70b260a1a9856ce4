package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A command of docs/api.md, and the answer below it where there is one.
var (
	docExample = regexp.MustCompile("(?s)```sh\ncurl (.*?)\n```\n(?:```json\n(.*?)\n```)?")
	aBody      = regexp.MustCompile(`--json '([^']*)'`)
	aCookie    = regexp.MustCompile(`--cookie (\w+)=(\w+)`)
	anURL      = regexp.MustCompile(`http://localhost:8080([^'\s]*)`)
)

func TestTheExamplesOfTheDocumentationAreTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, s := handler(t, nil)
	all := docExample.FindAllStringSubmatch(string(page), -1)
	if n := strings.Count(string(page), "\ncurl "); len(all) != n || n < 10 {
		t.Fatalf("%d of %d examples can be read", len(all), n)
	}
	for _, e := range all {
		method, body := http.MethodGet, ""
		if m := aBody.FindStringSubmatch(e[1]); m != nil {
			method, body = http.MethodPost, m[1]
		}
		got := ask(s, method, anURL.FindStringSubmatch(e[1])[1], body, func(r *http.Request) {
			if m := aCookie.FindStringSubmatch(e[1]); m != nil {
				r.AddCookie(&http.Cookie{Name: m[1], Value: m[2]})
			}
		})
		if e[2] == "" {
			if got.Code != http.StatusOK {
				t.Errorf("curl %s: %d", e[1], got.Code)
			}
			continue
		}
		var want, is any
		if err := json.Unmarshal([]byte(e[2]), &want); err != nil {
			t.Fatalf("%s: %v", e[2], err)
		}
		if err := json.Unmarshal(got.Body.Bytes(), &is); err != nil {
			t.Fatalf("curl %s: %s", e[1], got.Body)
		}
		if missing := lacks(is, want, ""); missing != "" {
			t.Errorf("curl %s\nlacks %s; it answers %.2000s", e[1], missing, got.Body)
		}
	}
}

// lacks says what of want is not in is: fields of objects, and elements of
// lists in their order.
func lacks(is, want any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		object, _ := is.(map[string]any)
		for name, v := range want {
			if missing := lacks(object[name], v, path+"."+name); missing != "" {
				return missing
			}
		}
	case []any:
		list, ok := is.([]any)
		if !ok {
			return path
		}
		for i, v := range want {
			for len(list) > 0 && lacks(list[0], v, "") != "" {
				list = list[1:]
			}
			if len(list) == 0 {
				return fmt.Sprintf("%s[%d]", path, i)
			}
			list = list[1:]
		}
	default:
		if is != want {
			return fmt.Sprintf("%s: %v is not %v", path, is, want)
		}
	}
	return ""
}

func TestTheDocumentedErrorsAndAddressesAreThoseThereAre(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for code, status := range statusOf {
		if row := fmt.Sprintf("| `%s` | %d |", code, status); !strings.Contains(string(page), row) {
			t.Errorf("docs/api.md does not say %q", row)
		}
	}
	for _, rt := range routes {
		if rt.form == formAPI && !strings.Contains(string(page), "`"+rt.pattern+"`") {
			t.Errorf("docs/api.md does not tell of %s", rt.pattern)
		}
	}
	for _, limit := range []string{fmt.Sprintf("a body of %d KiB", maxBody>>10), fmt.Sprintf("at most %d bytes", maxSaid),
		fmt.Sprintf("at most %d streams a", maxStreamsPerson), fmt.Sprintf("at least %d bytes", MinToken)} {
		if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), limit) {
			t.Errorf("docs/api.md does not say %q", limit)
		}
	}
}
