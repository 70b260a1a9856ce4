package discord

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// rendered is m within every limit of Discord: what does not fit is cut, counted
// and linked to; Discord never has a reason to refuse it. mark names the
// message (see ours); more is where the whole of it can be read.
func rendered(m *bot.Message, lang, mark, more string) payload {
	p := payload{Embeds: []embed{}, Components: []row{}, Attached: []attachment{}, Mentions: nobody()}
	if m.Kind == bot.KindLine || m.Kind == bot.KindSaid {
		p.Content = said(m, lang, more)
		p.Flags = flagNoPreviews
		return p
	}
	p.images(m.Images, color(m.Tone))
	s := sheet{lang: lang, more: more, left: maxEmbedSum}
	for i := range p.Embeds {
		s.left -= units(p.Embeds[i].Title)
	}
	s.head(m, mark)
	s.facts(m.Fields)
	s.checks(m.Checks)
	s.items(m.Items)
	s.codes(m.Code)
	var loose []bot.Link
	var lost int
	p.Components, loose, lost = controls(m, lang, more)
	s.lost += lost
	s.links(loose)
	p.Embeds = slices.Insert(p.Embeds, 0, s.done())
	for i, f := range s.files {
		p.Attached = append(p.Attached, attachment{ID: i, Name: f.Name})
	}
	p.files = s.files
	return p
}

// flagNoPreviews keeps Discord from fetching what links lead to.
const flagNoPreviews = 1 << 2

// said is one line of what happened, or of what somebody said, with the time in
// each reader's own zone.
func said(m *bot.Message, lang, more string) string {
	text := line(m.Title)
	if m.Kind == bot.KindSaid && m.By != "" {
		text = "**" + line(m.By) + "** " + text
	}
	if !m.At.IsZero() {
		text = stamp(m.At) + " " + text
	}
	if m.Text != "" {
		for _, l := range strings.Split(plain(m.Text), "\n") {
			text += "\n> " + l
		}
	}
	if units(text) <= maxContent {
		return text
	}
	tail := "\n" + phrases.T(lang, "discord.longer")
	if more != "" {
		tail += " <" + more + ">"
	}
	return cut(text, maxContent-units(tail)) + tail
}

// stamp is a time that each reader sees in their own zone.
func stamp(t time.Time) string { return "<t:" + strconv.FormatInt(t.Unix(), 10) + ":t>" }

// sheet fills one embed and knows how much room there is left.
type sheet struct {
	lang  string
	more  string
	left  int // units
	out   embed
	lost  int // pieces that did not fit
	files []file
}

// kept is set aside for the line that says what did not fit.
const kept = 600

func (s *sheet) head(m *bot.Message, mark string) {
	s.out.Title = cut(line(m.Title), maxTitle)
	if s.out.Title == "" {
		s.out.Title = "\u200b"
	}
	s.out.Text = cut(plain(m.Text), 1500)
	if followable(s.more) {
		s.out.URL = s.more
	}
	s.out.Color = color(m.Tone)
	s.left -= units(s.out.Title) + units(s.out.Text) + kept
	if mark != "" {
		s.out.Footer = &footer{cut(mark, maxFooter)}
		s.left -= units(s.out.Footer.Text)
	}
	if !m.At.IsZero() {
		s.out.At = m.At.UTC().Format(time.RFC3339)
	}
}

func color(t bot.Tone) int {
	switch t {
	case bot.ToneBad:
		return 0xC62828
	case bot.ToneWarn:
		return 0xEF8F00
	case bot.ToneGood:
		return 0x2E7D32
	case bot.ToneInfo:
		return 0x1565C0
	}
	return 0x607D8B
}

// field adds one, or counts it as lost. value is Discord's markup already.
func (s *sheet) field(name, value string, inline bool) {
	if value == "" {
		value = "\u200b"
	}
	if name == "" {
		name = "\u200b"
	}
	name = cut(name, maxFieldName)
	size := units(name) + units(value)
	if len(s.out.Fields) >= maxFields-1 || size > s.left || units(value) > maxValue {
		s.lost++
		return
	}
	s.left -= size
	s.out.Fields = append(s.out.Fields, embedField{name, value, inline})
}

func (s *sheet) facts(fields []bot.Field) {
	for _, f := range fields {
		value := plain(f.Value)
		s.field(line(f.Name), cut(value, maxValue), units(value) <= 40)
	}
}

// checks are lines under their groups' headings, as many to a field as fit.
func (s *sheet) checks(checks []bot.Check) {
	heading, text, whole := "", "", ""
	flush := func() {
		if text != "" {
			s.field(heading, strings.TrimRight(text, "\n"), false)
		}
		text = ""
	}
	for i := range checks {
		c := &checks[i]
		if g := line(c.Group); g != heading {
			flush()
			heading = g
		}
		entry := cut(check(c), 500) + "\n"
		if c.Detail != "" && c.State != bot.CheckOK {
			entry += s.block(c.Detail, 360) + "\n"
		}
		if units(c.Detail) > 360 {
			whole += c.Name + "\n" + c.Detail + "\n\n"
		}
		if units(text)+units(entry) > maxValue {
			flush()
		}
		text += entry
	}
	flush()
	s.attach("output.txt", whole)
}

func check(c *bot.Check) string {
	sign := map[bot.CheckState]string{bot.CheckOK: "✅", bot.CheckBad: "❌", bot.CheckUnknown: "❔", bot.CheckWaiting: "⏳", bot.CheckNote: "🔹"}[c.State]
	text := sign + " " + line(c.Name)
	switch {
	case c.Before != "":
		text += ": " + line(c.Before) + " → **" + line(bot.Cut(c.Value, 200)) + "**"
	case c.Value != "":
		text += ": **" + line(bot.Cut(c.Value, 200)) + "**"
	}
	if c.Elapsed != "" {
		text += " (" + line(c.Elapsed) + ")"
	}
	return text
}

// block is preformatted text of at most n units with its fences.
func (s *sheet) block(text string, n int) string {
	return code(cut(unfence(bot.Clean(text)), n-10))
}

func (s *sheet) items(items []bot.Item) {
	for i := range items {
		it := &items[i]
		name := strconv.Itoa(it.Rank) + " · " + line(it.Title)
		if it.Moved != "" {
			arrow := "▲"
			if it.Fell {
				arrow = "▼"
			}
			name += " (" + arrow + " " + line(it.Moved) + ")"
		}
		text := cut(line(it.Evidence), 300)
		if it.Risk != "" {
			text = strings.TrimPrefix(text+" · "+line(it.Risk), " · ")
		}
		if it.Link != nil { // people see where it leads
			to := "`" + strings.ReplaceAll(bot.Line(it.Link.URL, 300), "`", "%60") + "`"
			if followable(it.Link.URL) {
				to = it.Link.URL
			}
			text = strings.TrimPrefix(text+"\n"+cut(line(it.Link.Label), 100)+": "+to, "\n")
		}
		for j, c := range it.Code {
			b := s.block(c.Text, 400)
			if units(text)+units(b) > maxValue-20 {
				text += "\n" + phrases.T(s.lang, "discord.more", "n", strconv.Itoa(len(it.Code)-j))
				break
			}
			text += "\n" + b
		}
		s.field(name, strings.TrimPrefix(text, "\n"), false)
	}
}

// codes are blocks; a long one is attached whole.
func (s *sheet) codes(codes []bot.Code) {
	whole := ""
	for i := range codes {
		c := &codes[i]
		s.field(line(c.Label), s.block(c.Text, maxValue), false)
		if units(c.Text) > maxValue-20 {
			whole += c.Label + "\n" + c.Text + "\n\n"
		}
	}
	s.attach("plan.txt", whole)
}

// maxAttached bounds a file, in bytes; Discord's own limit is 10 MiB.
const maxAttached = 256 << 10

func (s *sheet) attach(name, text string) {
	if text != "" {
		s.files = append(s.files, file{name, bot.Cut(bot.Clean(text), maxAttached), "text/plain; charset=utf-8"})
	}
}

// links are those that no button could hold.
func (s *sheet) links(links []bot.Link) {
	text := ""
	for _, l := range links {
		entry := cut(line(l.Label), 200) + ": `" + strings.ReplaceAll(bot.Line(l.URL, 300), "`", "%60") + "`\n"
		if units(text)+units(entry) > maxValue {
			s.lost++
			continue
		}
		text += entry
	}
	if text != "" {
		s.field(phrases.T(s.lang, "discord.links"), text, false)
	}
}

// done says what did not fit.
func (s *sheet) done() embed {
	if s.lost > 0 {
		text := phrases.T(s.lang, "discord.more", "n", strconv.Itoa(s.lost))
		if s.more != "" {
			text += fmt.Sprintf(" <%s>", s.more)
		}
		s.out.Fields = append(s.out.Fields, embedField{Name: "…", Value: cut(text, kept-10)})
	}
	return s.out
}
