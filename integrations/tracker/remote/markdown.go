package remote

import (
	"strings"
	"unicode"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// Markdown writes texts for trackers that read CommonMark and more. lineBreak
// is what ends a line that another one follows: trackers differ there.
func Markdown(lineBreak string) Markup {
	return Markup{
		Plain:   plainMarkdown,
		Heading: func(line string) string { return "### " + line + "\n" },
		Bold:    func(words string) string { return "**" + words + "**" },
		Item:    func(line string) string { return "- " + line },
		Code:    fenced,
		Link:    func(label, address string) string { return "[" + label + "](" + address + ")" },
		Break:   lineBreak,
	}
}

// parting are the characters that make a mention, or a reference to something
// else, of what follows them: a backslash is not everywhere enough.
const parting = "@#!~%$&^"

// plainMarkdown makes text from outside ordinary (CommonMark 0.31.2, section 2.4:
// a backslash makes any punctuation ordinary), and of no line a command
// (https://docs.gitlab.com/user/project/quick_actions/).
func plainMarkdown(s string) string {
	lines := strings.Split(bot.Clean(s), "\n")
	for i, l := range lines {
		lines[i] = plainLine(strings.TrimSpace(l))
	}
	return strings.Join(lines, "\n")
}

func plainLine(s string) string {
	var b strings.Builder
	start := true // nothing but digits so far: what begins a list or a heading
	for i, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;" + Joiner)
		case strings.ContainsRune(parting, r):
			b.WriteString(`\` + string(r) + Joiner)
		case strings.ContainsRune("\\`*_[]|", r), i == 0 && r == '/', start && strings.ContainsRune("+-.)=:", r):
			b.WriteString(`\` + string(r))
		case r == ':' && strings.HasPrefix(s[i:], "://"), // sites make links of bare addresses
			r == '.' && strings.HasSuffix(strings.ToLower(s[:i]), "www"):
			b.WriteString(Joiner + string(r))
		default:
			b.WriteRune(r)
		}
		start = start && unicode.IsDigit(r)
	}
	return b.String()
}

// Parted is text for a title, which is no Markdown and may mention all the same.
func Parted(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ReplaceAll(bot.Line(s, most), "://", ":"+Joiner+"//") {
		add := string(r)
		if strings.ContainsRune(parting, r) {
			add += Joiner
		}
		if n += len([]rune(add)); n > most {
			break
		}
		b.WriteString(add)
	}
	return b.String()
}

// fenced shows text as it is, in a block of code that nothing in it can close,
// and in which no line is a command either.
func fenced(s string) string {
	lines := strings.Split(strings.TrimRight(bot.Clean(s), "\n"), "\n")
	longest, run := 2, 0
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), "/") {
			lines[i] = Joiner + l
		}
		for _, r := range l {
			if run++; r != '`' {
				run = 0
			}
			longest = max(longest, run)
		}
		run = 0
	}
	marks := strings.Repeat("`", longest+1)
	return marks + "text\n" + strings.Join(lines, "\n") + "\n" + marks + "\n"
}
