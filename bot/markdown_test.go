package bot

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text, with: marks (some)!": "plain text, with: marks (some)!",
		"# heading":                       `\# heading`,
		"- list":                          `\- list`,
		"12. list":                        `12\. list`,
		"1) list":                         `1\) list`,
		"10.0.0.7":                        `10\.0.0.7`,
		"*bold* _it_ ~no~ `code`":         "\\*bold\\* \\_it\\_ \\~no\\~ \\`code\\`",
		"[link](http://evil)":             `\[link\](http\://evil)`,
		"![image](x)":                     `!\[image\](x)`,
		"<script>alert(1)</script>":       "&lt;script&gt;alert(1)&lt;/script&gt;",
		"&lt;b&gt;":                       "&amp;lt;b&amp;gt;",
		"a | b":                           `a \| b`,
		"two\n\n# lines":                  `two \# lines`,
		"www.evil.example":                `www\.evil.example`,
		"\\":                              `\\`,
		"$x$":                             `\$x\$`,
		"===":                             "===",
		"\u202e\x1b[31mred":               "red",
	} {
		if got := markdown(in); got != want {
			t.Errorf("markdown(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestMarkdownStaysText: after taking away what we escaped, nothing is left
// that could begin markup.
func TestMarkdownStaysText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		out := markdown(nasty.Draw(t, "text"))
		if strings.ContainsAny(out, "\n<>") {
			t.Fatalf("%q holds a line's end or HTML", out)
		}
		for i := 0; i < len(out); i++ {
			switch c := out[i]; {
			case c == '\\':
				i++
			case strings.IndexByte("`*_[]|~#$", c) >= 0:
				t.Fatalf("%q holds a bare %q", out, c)
			}
		}
		if strings.Contains(strings.ReplaceAll(out, `\://`, ""), "://") || strings.Contains(strings.ToLower(out), "www.") {
			t.Fatalf("%q holds what sites make a link of", out)
		}
	})
}

func TestFenceCannotBeClosed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := nasty.Draw(t, "text")
		out := fence(text)
		marks := out[:strings.Index(out, "text\n")]
		inside := strings.TrimSuffix(strings.TrimPrefix(out, marks+"text\n"), "\n"+marks)
		if strings.Contains(inside, marks) || len(marks) < 3 {
			t.Fatalf("%q closes its own fence %q", text, marks)
		}
	})
}

// TestPostmortemHoldsNoForeignMarkup: an incident whose every text is hostile
// gives a postmortem whose structure is ours alone.
func TestPostmortemHoldsNoForeignMarkup(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawIncident(t)
		s.ID = 42
		got := Story{Now: func() time.Time { return someDay }}.Postmortem("en", s, nil)
		inCode := ""
		headings := 0
		for line := range strings.SplitSeq(got, "\n") {
			if inCode != "" {
				if line == inCode {
					inCode = ""
				}
				continue
			}
			if strings.HasPrefix(line, "```") {
				inCode = strings.TrimSuffix(line, "text")
				continue
			}
			if strings.HasPrefix(line, "#") {
				headings++
			}
			if strings.Contains(line, "<") {
				t.Fatalf("%q holds HTML", line)
			}
		}
		if inCode != "" {
			t.Fatal("a block of code was not closed")
		}
		if want := 11 + len(s.Runs); headings > want {
			t.Fatalf("%d headings, want at most %d", headings, want)
		}
	})
}
