package slack

import (
	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
)

var checkMark = map[bot.CheckState]string{bot.CheckOK: "✅", bot.CheckBad: "❌", bot.CheckUnknown: "❔", bot.CheckWaiting: "⏳", bot.CheckNote: "🔹"}

// checks is the table of checks; neighbours of one group stand under its name.
func (p *page) checks() {
	group := ""
	for _, c := range p.m.Checks {
		r := &rich{}
		if c.Group != group {
			group = c.Group
			r.bold(c.Group).end()
		}
		r.text(checkMark[c.State] + " ")
		if c.URL != "" {
			r.link(c.URL, c.Name)
		} else {
			r.bold(c.Name)
		}
		switch {
		case c.Before != "":
			r.text("  " + c.Before + " → " + c.Value)
		case c.Value != "":
			r.text("  " + c.Value)
		}
		if c.Elapsed != "" {
			r.faint("  " + c.Elapsed)
		}
		if c.Detail != "" {
			r.code(p.part(c.Name, c.Detail))
		}
		if last := len(p.blocks) - 1; p.joins(last, r) {
			continue
		}
		p.rich(r, 1)
	}
}

// images are links: the pictures themselves come into the thread.
func (p *page) images() {
	for _, i := range p.m.Images {
		r := (&rich{}).text("📈 ").link(i.URL, cut(i.Title, maxHeader))
		if i.Alt != "" {
			r.text("  ").faint(cut(i.Alt, 300))
		}
		if !p.joins(len(p.blocks)-1, r) {
			p.rich(r, 1)
		}
	}
}

// joins adds r to the last block where both are lines of the same table, so
// that thirty checks do not take thirty blocks.
func (p *page) joins(last int, r *rich) bool {
	if last < 0 || p.used+r.size > maxText {
		return false
	}
	b, ok := p.blocks[last].(*api.RichTextBlock)
	if !ok || len(b.Elements) > 20 {
		return false
	}
	b.Elements = append(b.Elements, r.end().elements...)
	p.used += r.size
	return true
}
