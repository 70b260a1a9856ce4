package jira

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// joiner shows nothing and parts two characters that would mean something
// together.
const joiner = "\u2060"

// special are the characters that Jira's wiki markup acts upon.
// https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all
const special = "{}[]|!*_-+^~?#()@&"

var (
	heading = regexp.MustCompile(`(?m)^(\s*(?:h[1-6]|bq))\.`)
	macro   = regexp.MustCompile(`(?i)\{(noformat|code)`)
)

// plain makes text from outside show as it is: no macro, mention, picture,
// link or emphasis comes of it.
func plain(s string) string {
	s = bot.Clean(s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	var last rune
	for i, r := range s {
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		switch {
		case r == '\\' && !word(next): // two in a row would break the line, one before a mark would free it
			b.WriteString(`\` + joiner)
		case strings.ContainsRune("_-*+~^", r) && word(last) && word(next): // means nothing inside a word
			b.WriteRune(r)
		case strings.ContainsRune(special, r):
			b.WriteString(`\`)
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		last = r
	}
	return heading.ReplaceAllString(b.String(), `$1\.`)
}

func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// inline is plain on one line.
func inline(s string, n int) string { return plain(bot.Line(s, n)) }

// block is preformatted text, which ends where we end it.
func block(s string) string {
	s = macro.ReplaceAllString(bot.Clean(s), "{"+joiner+"$1")
	return "{noformat}\n" + strings.TrimRight(s, "\n") + "\n{noformat}\n"
}

// link leads somewhere; "" for what is no address.
func link(l bot.Link) string {
	u, err := url.Parse(l.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	address := strings.NewReplacer("|", "%7C", "[", "%5B", "]", "%5D", "{", "%7B", "}", "%7D", "!", "%21", `\`, "%5C", " ", "%20").Replace(u.String())
	return "[" + inline(l.Label, 120) + "|" + address + "]"
}

// Jira's bounds, and how much of ours goes into them.
const (
	maxSummary     = 255
	maxDescription = 32767 // characters, of which a person's part below ours is kept
	maxOurs        = 24000 // bytes
	maxComment     = 30000
	maxCode        = 4000
)

// ends stands between our part of a description and a person's.
const ends = "----\n_Hikeshi ⬆_"

// describe is our part of a description.
func describe(messages []bot.Message) string {
	var b strings.Builder
	for i := range messages {
		m := section(&messages[i])
		if b.Len()+len(m) > maxOurs {
			b.WriteString("…\n")
			break
		}
		b.WriteString(m)
	}
	return b.String() + ends
}

func section(m *bot.Message) string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\n")
	}
	if m.Title != "" {
		line("h3. ", inline(m.Title, 300))
	}
	if m.Text != "" {
		line(plain(bot.Cut(m.Text, 4000)))
	}
	for _, f := range m.Fields {
		line("* *", inline(f.Name, 80), ":* ", inline(f.Value, 500))
	}
	for _, c := range m.Checks {
		line("* ", mark(c.State), " ", inline(c.Name, 200), " ", inline(c.Value, 300))
	}
	for _, it := range m.Items {
		line("# ", inline(it.Title, 300), " ", inline(it.Evidence, 300))
	}
	for _, c := range m.Code {
		if c.Label != "" {
			line("*", inline(c.Label, 120), "*")
		}
		b.WriteString(block(bot.Cut(c.Text, maxCode)))
	}
	var links []string
	for _, l := range m.Links {
		if s := link(l); s != "" {
			links = append(links, s)
		}
	}
	if len(links) > 0 {
		line(strings.Join(links, " · "))
	}
	line()
	return b.String()
}

func mark(s bot.CheckState) string {
	switch s {
	case bot.CheckOK:
		return "✅"
	case bot.CheckBad:
		return "❌"
	default:
		return "❔"
	}
}

// keep is the new description: ours, and below it what a person wrote; "" where
// that is too long, because a person's words are not cut.
func keep(ours, old string) string {
	theirs := strings.TrimRight(below(ours, strings.ReplaceAll(old, "\r\n", "\n")), "\n")
	if utf8.RuneCountInString(ours)+utf8.RuneCountInString(theirs) > maxDescription {
		return ""
	}
	return ours + theirs
}

// below is what stands below our last line in old. Where an editor dropped that
// nothing tells whose the words are: all of them stay, but for those that are in
// ours word for word.
func below(ours, old string) string {
	for _, end := range []string{ends, "_Hikeshi ⬆_"} { // editors move the rule above it
		if _, theirs, found := strings.Cut(old, end); found {
			return theirs
		}
	}
	if body := strings.TrimSpace(strings.TrimSuffix(ours, ends)); body != "" {
		old = strings.Replace(old, body, "", 1)
	}
	if old = strings.TrimSpace(old); old == "" {
		return ""
	}
	return "\n\n" + old
}

// same says whether two descriptions read the same: Jira keeps line ends its own way.
func same(a, b string) bool {
	trim := func(s string) string {
		lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " \t")
		}
		return strings.TrimSpace(strings.Join(lines, "\n"))
	}
	return trim(a) == trim(b)
}

// comment is one comment as wiki markup.
func comment(c bot.TicketComment) string {
	head := c.At.UTC().Format("2006-01-02 15:04 UTC")
	if c.By != "" {
		head = "*" + inline(c.By, 80) + "* · " + head
	}
	return bot.Cut(head+"\n"+plain(bot.Cut(c.Text, maxComment/3)), maxComment)
}
