package web

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The contrast of text on what is behind it: at least 4.5 : 1, in light and in
// dark (WCAG 2.2, success criterion 1.4.3: https://www.w3.org/TR/WCAG22/#contrast-minimum).
func TestTextCanBeRead(t *testing.T) {
	t.Parallel()
	css, err := staticFiles.ReadFile("static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): (?:light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)|(#[0-9a-f]{6}));`).FindAllStringSubmatch(string(css), -1) {
		tokens[m[1]] = [2]string{m[2] + m[4], m[3] + m[4]}
	}
	for _, text := range []string{"ink", "soft", "faint", "fire", "bad", "warn", "good", "info"} {
		for _, behind := range []string{"paper", "card", "raised", "bad-wash", "good-wash", "fire-wash"} {
			if strings.HasSuffix(behind, "-wash") && text != "ink" && text+"-wash" != behind {
				continue
			}
			for i, scheme := range []string{"light", "dark"} {
				if c := contrast(t, tokens[text][i], tokens[behind][i]); c < 4.5 {
					t.Errorf("%s on %s in %s: %.2f", text, behind, scheme, c)
				}
			}
		}
	}
	// Chips: fixed colours of their own.
	for _, m := range regexp.MustCompile(`\.(sev-\d)[^{]*\{ background: ([^;]+); color: ([^;]+);`).FindAllStringSubmatch(string(css), -1) {
		pairs := regexp.MustCompile(`#[0-9a-f]{3,6}`)
		back, text := pairs.FindAllString(m[2], -1), pairs.FindAllString(m[3], -1)
		for i := range back {
			if c := contrast(t, text[i], back[i]); c < 4.5 {
				t.Errorf("%s: %.2f", m[1], c)
			}
		}
	}
	if c := contrast(t, "#ffffff", tokens["fire-fill"][0]); c < 4.5 {
		t.Errorf("a primary button: %.2f", c)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is WCAG's relative luminance (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance).
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(hex, "#")
	if len(digits) == 3 {
		digits = fmt.Sprintf("%c%[1]c%c%[2]c%c%[3]c", digits[0], digits[1], digits[2])
	}
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || len(digits) != 6 {
		t.Fatalf("%q is no colour", hex)
	}
	part := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
}

// No page asks anything of another host.
func TestNothingComesFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"static/app.css", "static/app.js", "static/mark.svg"} {
		b, err := staticFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:https?:)?//[a-z0-9.-]+\.[a-z]+`).FindAllString(string(b), -1) {
			if !strings.Contains(m, "www.w3.org") { // the name of SVG, never fetched
				t.Errorf("%s names %s", name, m)
			}
		}
	}
}
