package bot

import (
	"strings"
	"unicode"
)

// markdown makes text from outside an ordinary part of a sentence or of a
// table's cell: nothing in it becomes markup, HTML, a link or a new line
// (CommonMark 0.31.2, section 2.4: a backslash makes any punctuation ordinary,
// https://spec.commonmark.org/0.31.2/#backslash-escapes).
func markdown(s string) string {
	s = strings.Join(strings.Fields(Clean(s)), " ")
	var b strings.Builder
	start := true // nothing but digits so far: what begins a list or a heading
	for i, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|~#$", r),
			start && strings.ContainsRune("+-.)", r),
			r == ':' && strings.HasPrefix(s[i:], "://"), // sites make links of bare addresses
			r == '.' && strings.HasSuffix(strings.ToLower(s[:i]), "www"):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		start = start && unicode.IsDigit(r)
	}
	return b.String()
}

// fence shows text as it is, in a block of code that nothing in it can close.
func fence(s string) string {
	longest, run := 2, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	marks := strings.Repeat("`", longest+1)
	return marks + "text\n" + strings.TrimRight(s, "\n") + "\n" + marks
}
