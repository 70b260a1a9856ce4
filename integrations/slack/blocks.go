package slack

import (
	"strconv"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// rendered is a message as Slack takes it.
type rendered struct {
	text   string // for notifications and screen readers; parsed, hence escaped
	blocks []api.Block
	long   []bot.Code // what is shown in part only: it goes into the thread as a whole
}

// render lays a message out as blocks. It never makes one that Slack refuses:
// what does not fit is left out, counted, and found behind the link.
func render(m bot.Message, lang string) rendered {
	p := &page{lang: lang, m: m}
	p.tail()
	p.head()
	p.fields()
	p.checks()
	p.images()
	p.items()
	p.codes()
	p.close()
	return rendered{text: fallback(m), blocks: p.blocks, long: p.long}
}

// fallback is the message in a few words.
func fallback(m bot.Message) string {
	parts := []string{}
	for _, s := range []string{mark(m), m.Title} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	s := strings.Join(parts, " ")
	if m.Text != "" {
		s = strings.TrimSpace(s + "\n" + m.Text)
	}
	if m.By != "" && m.Kind != bot.KindLine { // a line says it by itself
		s = m.By + ": " + s
	}
	if s == "" {
		s = "Hikeshi"
	}
	return escape(cut(s, maxFallback))
}

// mark shows a tone to those who see no colours as well.
func mark(m bot.Message) string {
	return map[bot.Tone]string{bot.ToneBad: "🔴", bot.ToneWarn: "🟠", bot.ToneGood: "🟢", bot.ToneInfo: "🔵"}[m.Tone]
}

// page fills a message's blocks as far as there is room. The end of it, links
// and buttons, is measured first.
type page struct {
	lang   string
	m      bot.Message
	blocks []api.Block
	used   int // of maxText
	cut    int // parts that were left out
	long   []bot.Code
	ending []api.Block
}

// put adds a block unless there is no room; then it counts parts as left out.
func (p *page) put(b api.Block, size, parts int) bool {
	const notes = 2 // the blocks that say what is missing
	if len(p.blocks)+len(p.ending)+notes >= maxBlocks || p.used+size > maxText {
		p.cut += parts
		return false
	}
	p.blocks, p.used = append(p.blocks, b), p.used+size
	return true
}

func (p *page) rich(r *rich, parts int) bool {
	if r.empty() {
		return true
	}
	return p.put(r.block(), r.size, parts)
}

func (p *page) head() {
	m := p.m
	title := strings.TrimSpace(mark(m) + " " + m.Title)
	switch m.Kind {
	case bot.KindLine, bot.KindSaid, bot.KindReply:
		r := &rich{}
		if m.By != "" && m.Kind != bot.KindLine {
			r.bold(m.By).text("  ")
		}
		r.text(strings.TrimSpace(mark(m) + " " + m.Title))
		if m.Text != "" {
			if m.Title != "" {
				r.end()
			} else if m.Tone != "" && m.Kind == bot.KindReply {
				r.text(" ")
			}
			p.passage(r, m.Text)
		}
		p.rich(r.end(), 1)
		return
	}
	if title != "" {
		title = cut(strings.Join(strings.Fields(title), " "), maxHeader)
		p.put(api.NewHeaderBlock(words(title)), length(title), 1)
	}
	if m.Text != "" {
		r := &rich{}
		p.passage(r, m.Text)
		p.rich(r.end(), 1)
	}
}

// passage adds a text of any length; beyond what one element holds it goes on
// in the thread.
func (p *page) passage(r *rich, s string) {
	if length(s) > maxPart {
		p.long = append(p.long, bot.Code{Text: s})
	}
	r.text(s)
}

// fields are the short facts, a line each.
func (p *page) fields() {
	r := &rich{}
	for i, f := range p.m.Fields {
		value := cut(f.Value, maxPart/2)
		if p.used+r.size+length(f.Name)+length(value) > maxText-1000 {
			p.cut += len(p.m.Fields) - i
			break
		}
		r.bold(f.Name).text("  " + value + "\n")
	}
	p.rich(r.end(), len(p.m.Fields))
}

// maxShown is what a message shows of one output; all of it is in the thread.
const maxShown = 1200

func (p *page) part(label, s string) string {
	if length(s) <= maxShown {
		return s
	}
	p.long = append(p.long, bot.Code{Label: label, Text: s})
	return cut(s, maxShown)
}

// items are the ranked things, each with its buttons beneath it.
func (p *page) items() {
	for _, it := range p.m.Items {
		r := (&rich{}).bold(strconv.Itoa(it.Rank) + ". " + it.Title)
		if it.Moved != "" {
			arrow := "  ↑ "
			if it.Fell {
				arrow = "  ↓ "
			}
			r.text(arrow + it.Moved)
		}
		r.end()
		about := []string{}
		for _, s := range []string{it.Evidence, it.Risk} {
			if s != "" {
				about = append(about, s)
			}
		}
		r.faint(strings.Join(about, " · "))
		if it.Link != nil {
			r.text("  ").link(it.Link.URL, cut(it.Link.Label, 200))
		}
		r.end()
		for _, c := range it.Code {
			if c.Label != "" {
				r.text(c.Label).end()
			}
			r.code(p.part(it.Title+" "+c.Label, c.Text))
		}
		if row := buttons(it.Buttons); p.rich(r, 1) && row != nil {
			p.put(row, size(it.Buttons), 1)
		}
	}
}

// codes are the preformatted texts.
func (p *page) codes() {
	for _, c := range p.m.Code {
		r := &rich{}
		if c.Label != "" {
			r.text(c.Label).end()
		}
		p.rich(r.code(p.part(c.Label, c.Text)), 1)
	}
}

// tail measures what must not be missing at the end: the links and the buttons.
func (p *page) tail() {
	r := &rich{}
	for i, l := range p.m.Links {
		if i > 0 {
			r.text("  ·  ")
		}
		r.link(l.URL, cut(l.Label, 200))
		if r.size > 1500 {
			break
		}
	}
	if !r.empty() {
		p.ending, p.used = append(p.ending, r.block()), p.used+r.size
	}
	for rest := p.m.Buttons; len(rest) > 0; {
		n := min(len(rest), maxActions)
		if row := buttons(rest[:n]); row != nil {
			p.ending, p.used = append(p.ending, row), p.used+size(rest[:n])
		}
		rest = rest[n:]
	}
}

// close adds what was left out, as a number, and the end.
func (p *page) close() {
	if len(p.long) > 0 {
		p.blocks = append(p.blocks, (&rich{}).faint(phrases.T(p.lang, "slack.in_thread")).block())
	}
	if p.cut > 0 {
		r := (&rich{}).faint(more(p.lang, p.cut))
		if len(p.m.Links) > 0 {
			r.text("  ").link(p.m.Links[0].URL, cut(p.m.Links[0].Label, 200))
		}
		p.blocks = append(p.blocks, r.block())
	}
	p.blocks = append(p.blocks, p.ending...)
}

// more says how much was left out.
func more(lang string, n int) string {
	if n == 1 {
		return phrases.T(lang, "slack.more.one")
	}
	return phrases.T(lang, "slack.more.other", "n", strconv.Itoa(n))
}

func size(all []bot.Button) int {
	n := 0
	for _, b := range all {
		n += length(b.Label)
	}
	return n
}

// buttons is one row of them. What one stands for is in its id, which is
// looked up, and the presser's rights with it, when it is pressed. nil is none.
func buttons(all []bot.Button) api.Block {
	var row []api.BlockElement
	for _, b := range all {
		label := cut(b.Label, maxButton)
		if label == "" || len(b.ID) > maxActionID {
			continue
		}
		e := api.NewButtonBlockElement(b.ID, "", words(label))
		e.AccessibilityLabel = cut(b.Hint, maxButton)
		switch b.Style {
		case bot.StylePrimary:
			e.Style = api.StylePrimary
		case bot.StyleDanger:
			e.Style = api.StyleDanger
		}
		row = append(row, e)
	}
	if len(row) == 0 {
		return nil
	}
	return api.NewActionBlock("", row...)
}
