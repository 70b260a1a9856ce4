package remote

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// Markup is how a tracker's texts are written. All but Block and Link take what
// is escaped already.
type Markup struct {
	Plain   func(text string) string // text from outside as it is: nothing in it acts
	Heading func(line string) string
	Bold    func(words string) string
	Item    func(line string) string
	Code    func(text string) string // preformatted text from outside, which ends where we end it
	Link    func(label, address string) string
	Break   string // what ends a line
}

// Joiner shows nothing and parts two characters that would mean something
// together.
const Joiner = "\u2060"

// How much of ours goes into a ticket.
const (
	maxOurs    = 24000 // bytes
	maxComment = 10000
	maxCode    = 4000
	// MaxSummary is below what trackers take (GitLab 255, Backlog 255 characters).
	MaxSummary = 255
)

// ends stands between our part of a description and a person's.
const ends = "Hikeshi ⬆"

// Line is text from outside on one line, at most so long.
func (m Markup) Line(s string, n int) string { return m.Plain(bot.Line(s, n)) }

// Describe is our part of a description; tail is what its last line has besides.
func (m Markup) Describe(messages []bot.Message, tail string) string {
	var b strings.Builder
	for i := range messages {
		part := m.section(&messages[i])
		if b.Len()+len(part) > maxOurs {
			b.WriteString("…\n")
			break
		}
		b.WriteString(part)
	}
	return b.String() + ends + tail
}

func (m Markup) section(msg *bot.Message) string {
	var b strings.Builder
	line := func(parts ...string) { b.WriteString(strings.Join(parts, "") + m.Break) }
	if msg.Title != "" {
		b.WriteString(m.Heading(m.Line(msg.Title, 300)) + "\n")
	}
	if msg.Text != "" {
		b.WriteString(m.Plain(bot.Cut(msg.Text, 4000)) + "\n\n")
	}
	for _, f := range msg.Fields {
		b.WriteString(m.Item(m.Bold(m.Line(f.Name, 80)+":")+" "+m.Line(f.Value, 500)) + "\n")
	}
	for _, c := range msg.Checks {
		b.WriteString(m.Item(sign(c.State)+" "+m.Line(c.Name, 200)+" "+m.Line(c.Value, 300)) + "\n")
	}
	for _, it := range msg.Items {
		b.WriteString(m.Item(m.Line(it.Title, 300)+" "+m.Line(it.Evidence, 300)) + "\n")
	}
	for _, c := range msg.Code {
		if c.Label != "" {
			line("\n", m.Bold(m.Line(c.Label, 120)))
		}
		b.WriteString("\n" + m.Code(bot.Cut(c.Text, maxCode)) + "\n")
	}
	var links []string
	for _, l := range msg.Links {
		if address := web(l.URL); address != "" {
			links = append(links, m.Link(m.Line(l.Label, 120), address))
		}
	}
	if len(links) > 0 {
		line("\n", strings.Join(links, " · "))
	}
	b.WriteString("\n")
	return b.String()
}

// web is an address as it may stand in a link; "" for what is none.
func web(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return strings.NewReplacer("|", "%7C", "[", "%5B", "]", "%5D", "(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "{", "%7B", "}", "%7D", `\`, "%5C", " ", "%20", "'", "%27", "\n", "").Replace(u.String())
}

func sign(s bot.CheckState) string {
	switch s {
	case bot.CheckOK:
		return "✅"
	case bot.CheckBad:
		return "❌"
	default:
		return "❔"
	}
}

// Comment is one comment; tail stands at its end and says which one it is.
func (m Markup) Comment(c bot.TicketComment, tail string) string {
	head := c.At.UTC().Format("2006-01-02 15:04 UTC")
	if c.By != "" {
		head = m.Bold(m.Line(c.By, 80)) + " · " + head
	}
	return head + m.Break + m.Plain(bot.Cut(c.Text, maxComment)) + "\n\n" + tail
}

// anyEnd is the last line of ours with another incident's marker, or with none:
// editors drop what does not show.
var anyEnd = regexp.MustCompile(`(?m)^` + ends + `(?: <!-- \S* -->|(?: ·)? hikeshi-inc-\S+)?[ \t]*$`)

// Keep is the new description: ours, and below it what a person wrote; ""
// where that would be longer than most characters, because a person's words are
// not cut.
func Keep(ours, old string, most int) string {
	theirs := strings.TrimRight(below(ours, strings.ReplaceAll(old, "\r\n", "\n")), "\n")
	if utf8.RuneCountInString(ours)+utf8.RuneCountInString(theirs) > most {
		return ""
	}
	return ours + theirs
}

// below is what stands below the last line of ours in old. Where that line is
// gone nothing tells whose the words are: all of them stay, but for those that
// are in ours word for word.
func below(ours, old string) string {
	end := strings.LastIndexByte(ours, '\n') + 1
	if _, theirs, found := strings.Cut(old, ours[end:]); found {
		return theirs
	}
	if at := anyEnd.FindStringIndex(old); at != nil {
		return old[at[1]:]
	}
	if body := strings.TrimSpace(ours[:end]); body != "" {
		old = strings.Replace(old, body, "", 1)
	}
	if old = strings.TrimSpace(old); old == "" {
		return ""
	}
	return "\n\n" + old
}

// Same says whether two texts read the same: trackers keep line ends their own way.
func Same(a, b string) bool {
	trim := func(s string) string {
		lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " \t")
		}
		return strings.TrimSpace(strings.Join(lines, "\n"))
	}
	return trim(a) == trim(b)
}
