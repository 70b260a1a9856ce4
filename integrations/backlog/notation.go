package backlog

import (
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// notation writes texts in Backlog's own notation (Backlog記法).
// https://support-ja.backlog.com/hc/ja/articles/360035641594
func notation() remote.Markup {
	return remote.Markup{
		Plain:   plain,
		Heading: func(line string) string { return "** " + line },
		Bold:    func(words string) string { return "''" + words + "''" },
		Item:    func(line string) string { return "- " + line },
		Code:    code,
		Link:    func(label, address string) string { return "[[" + inLabel.Replace(label) + ">" + address + "]]" },
		Break:   "\n",
	}
}

// inLabel takes out of a link's label what would end it.
var inLabel = strings.NewReplacer("[", "(", "]", ")", ">", "›", ":", "：")

// parting are the characters of which the notation's marks are made. Alone most
// of them mean nothing, but a backslash is not everywhere enough.
const parting = "'%[]{}&#<>|@"

// plain makes text from outside show as it is: something that shows nothing
// stands behind each character that could begin or end a mark, and before what
// would mean something at the beginning of a line.
func plain(s string) string {
	lines := strings.Split(bot.Clean(s), "\n")
	for i, l := range lines {
		var b strings.Builder
		if l = strings.TrimSpace(l); l != "" && strings.ContainsRune("*-+>|#{&=", rune(l[0])) {
			b.WriteString(remote.Joiner)
		}
		for j, r := range l {
			if r == ':' && strings.HasPrefix(l[j:], "://") { // addresses become links
				b.WriteString(remote.Joiner)
			}
			b.WriteRune(r)
			if strings.ContainsRune(parting, r) || r == '\\' {
				b.WriteString(remote.Joiner)
			}
		}
		lines[i] = b.String()
	}
	return strings.Join(lines, "\n")
}

// code is preformatted text, which ends where we end it.
func code(s string) string {
	s = strings.NewReplacer("{", "{"+remote.Joiner, "}", remote.Joiner+"}").Replace(bot.Clean(s))
	return "{code}\n" + strings.TrimRight(s, "\n") + "\n{/code}\n"
}
