package web

import (
	"strings"
	"testing"
)

// plainOf writes blocks back as simple text, for assertions.
func plainOf(blocks []block) string {
	var b strings.Builder
	words := func(ss []span) {
		for _, s := range ss {
			if s.Kind != "" {
				b.WriteString("‹" + s.Kind + " " + s.Text + "›")
			} else {
				b.WriteString(s.Text)
			}
		}
	}
	for _, bl := range blocks {
		b.WriteString("[" + bl.Kind + "]")
		words(bl.Spans)
		b.WriteString(bl.Text)
		for _, it := range bl.Items {
			b.WriteString("(" + strings.Repeat(">", it.Depth) + it.Task + " ")
			words(it.Spans)
			b.WriteString(")")
		}
		for _, c := range bl.Head {
			b.WriteString("|")
			words(c)
		}
		for _, r := range bl.Rows {
			b.WriteString("/")
			for _, c := range r {
				b.WriteString("|")
				words(c)
			}
		}
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"# A\n\ntext\nmore":             "[h1]A[p]text\nmore",
		"## B ##x":                      "[h2]B ##x",
		"#no":                           "[p]#no",
		"- a\n- **b** c\n  - d\n  more": "[ul]( a)( ‹b b› c)(> d\nmore)",
		"1. a\n2. b":                    "[ol]( a)( b)",
		"- [ ] a\n- [x] b":              "[ul](todo a)(done b)",
		"| a | b |\n| --- | --- |\n| 1 | x\\|y |": "[table]|a|b/|1|x|y",
		"```\n<b>\n# x\n```\nafter":               "[code]<b>\n# x[p]after",
		"````\n```\n````":                         "[code]```",
		"> q\n> r":                                "[quote]q\nr",
		"---":                                     "[hr]",
		"a `b < c` d":                             "[p]a ‹code b < c› d",
		"``a ` b``":                               "[p]‹code a ` b›",
		`\*\*no\*\* \<b\> a\_b`:                   "[p]**no** <b> a_b",
		"**open":                                  "[p]**open",
		"snake_case_name _yes_":                   "[p]snake_case_name ‹i yes›",
		"":                                        "",
		"|":                                       "[table]|",
		"see <https://h.example.com/a?b=c&d=e_f>.":                      "[p]see ‹a https://h.example.com/a?b=c&d=e_f›.",
		"<javascript:alert(1)> \\<http://x> <http://a b> <http://u@x/>": "[p]<javascript:alert(1)> <http://x> <http://a b> <http://u@x/>",
		"```never closed\nx": "[code]x",
	} {
		if got := plainOf(markdown(in)); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

// Whatever comes, it ends, and no letter of a text is lost.
func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"# a\n- b\n  c\n| d |\n```\ne", "|\n>\n#\n- \n1. ", "\\", "``` ``", "**_`", "-  \n   x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<16 {
			return
		}
		letters := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'w' || r >= 'A' && r <= 'Z' {
					return r
				}
				return -1
			}, s)
		}
		if strings.ContainsAny(s, "`\x1b\u009b") || strings.Contains(s, "x") {
			markdown(s) // a fence's language and a task's x are marks, not text
			return
		}
		var b strings.Builder
		for _, bl := range markdown(s) {
			bl.Kind = ""
			for i := range bl.Spans {
				bl.Spans[i].Kind = ""
			}
			b.WriteString(strings.NewReplacer("‹b ", "", "‹i ", "", "‹code ", "", "‹a ", "").Replace(plainOf([]block{bl})))
		}
		if got := letters(b.String()); got != letters(s) {
			t.Fatalf("%q became %q", s, b.String())
		}
	})
}
