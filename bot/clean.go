package bot

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from outside harmless to read: it takes out what terminals,
// browsers and chats would act upon instead of showing it: escape sequences
// (ANSI), control characters, marks that reverse or hide text (CVE-2021-42574,
// "Trojan Source"), and bytes that are not UTF-8. Line breaks and tabs stay.
// Markup is not its business: each renderer escapes for its own medium.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == 0x1B || r == 0x9B {
			s = s[escape(s):]
			continue
		}
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteRune(utf8.RuneError)
		case r == '\r' && strings.HasPrefix(s[1:], "\n"):
		case r == '\r', r == 0x85, r == 0x2028, r == 0x2029, r == 0x0B, r == 0x0C:
			b.WriteByte('\n')
		case !hidden(r):
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// Line is Clean on one line of at most n bytes: runs of white space become one
// space, and what is cut ends in an ellipsis.
func Line(s string, n int) string {
	return Cut(strings.Join(strings.Fields(Clean(s)), " "), n)
}

// Cut shortens s to at most n bytes, n at least 3, without splitting a
// character.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:max(n, 0)] + "…"
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7F || c < 0x20 && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// hidden are the characters that show nothing and change how others show.
func hidden(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case unicode.IsControl(r):
		return true
	case r >= 0xE0000 && r <= 0xE0FFF: // tags and variation selectors that can carry hidden text
		return true
	}
	// Cf: bidi marks, zero-width characters, soft hyphens, byte order marks.
	return unicode.Is(unicode.Cf, r) || r == 0x3164 || r == 0x115F || r == 0x1160 || r == 0xFFA0 || r == 0x034F
}

// escape is the length of the escape sequence at the start of s: CSI ends with
// its final byte, OSC and other strings with BEL or ST (ECMA-48, section 5.4 and 5.6:
// https://ecma-international.org/publications-and-standards/standards/ecma-48/).
func escape(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	kind := byte('[')
	if s[0] == 0x1B {
		if len(s) == n {
			return n
		}
		kind, n = s[1], n+1
	}
	switch kind {
	case '[':
		for n < len(s) && s[n] >= 0x20 && s[n] <= 0x3F {
			n++
		}
		if n < len(s) && s[n] >= 0x40 && s[n] <= 0x7E {
			n++
		}
		return n
	case ']', 'P', 'X', '^', '_':
		for i := n; i < len(s) && i < n+4096; i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if s[i] == 0x1B && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
		}
		return n // unclosed: only the introducer goes, nothing of the text is lost
	}
	for n--; n < len(s) && s[n] >= 0x20 && s[n] <= 0x2F; n++ {
	}
	if n < len(s) && s[n] >= 0x30 && s[n] <= 0x7E {
		n++
	}
	return n
}
