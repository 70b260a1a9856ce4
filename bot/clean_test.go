package bot

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "checkout is slow\n\tvery", "checkout is slow\n\tvery"},
		{"Japanese and emoji", "決済が遅い 👍️", "決済が遅い 👍️"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"a window's title", "\x1b]0;owned\x07after", "after"},
		{"a link, closed by ST", "\x1b]8;;http://evil\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"an unclosed title hides nothing", "\x1b]0;still here", "0;still here"},
		{"C1 control sequence", "\u009b31mred", "red"},
		{"reset, charset", "\x1bca\x1b(Bb", "ab"},
		{"escape at the end", "a\x1b", "a"},
		{"right-to-left override", "exe.\u202egpj", "exe.gpj"},
		{"isolates and marks", "a\u2066b\u2069c\u200ed\u061ce", "abcde"},
		{"zero width", "ad\u200bmin\u200d\ufeff\u2060\u00ad", "admin"},
		{"tags", "a\U000e0041\U000e007fb", "ab"},
		{"hangul filler", "a\u3164b", "ab"},
		{"NUL, bell, backspace", "a\x00b\x07c\bd", "abcd"},
		{"line ends", "a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne"},
		{"not UTF-8", "a\xffb\xc3", "a\uFFFDb\uFFFD"},
		{"an escape before a letter of more bytes", "\x1bé", "é"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	if got := Line("  a\n\n b\t\u202ec  ", 80); got != "a b c" {
		t.Errorf("got %q", got)
	}
	if got := Line("日本語日本語", 10); got != "日本…" {
		t.Errorf("got %q: a character was split, or too much is gone", got)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[", "\x1b]0;x\x07", "\u202e", "\xff\xfe", "\u009b", strings.Repeat("\x1b]", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Clean(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				t.Fatalf("Clean(%q) = %q still holds %U", s, got, r)
			}
		}
		if again := Clean(got); again != got {
			t.Fatalf("cleaning twice differs: %q, then %q", got, again)
		}
		if n := len(Line(s, 40)); n > 40 {
			t.Fatalf("Line(%q, 40) has %d bytes", s, n)
		}
	})
}
