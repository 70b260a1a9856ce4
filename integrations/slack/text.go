package slack

import (
	api "github.com/slack-go/slack"
)

// Slack's bounds (https://docs.slack.dev/reference/block-kit/blocks), in
// characters unless it says otherwise.
const (
	maxBlocks   = 50
	maxHeader   = 150
	maxButton   = 75
	maxActionID = 255
	maxActions  = 25 // elements of one block of them
	maxURL      = 3000
	maxPart     = 3000 // of one text
	// maxText is what one message may show. Slack refuses with
	// msg_blocks_too_long somewhat above 13,000, and counts more than letters.
	maxText = 10_000
	// maxFallback is what notifications get; they show less.
	maxFallback = 1000
)

// words is a text in a block that shows it as it is: no markup, no emoji by
// name, no mention.
func words(s string) *api.TextBlockObject {
	return api.NewTextBlockObject(api.PlainTextType, s, false, false)
}

// rich is a block whose texts nothing parses: a mention in it would be an
// element of its own, which we never make.
type rich struct {
	elements []api.RichTextElement
	line     []api.RichTextSectionElement
	size     int
}

func (r *rich) text(s string) *rich { return r.styled(s, nil) }
func (r *rich) bold(s string) *rich {
	return r.styled(s, &api.RichTextSectionTextStyle{Bold: true})
}
func (r *rich) faint(s string) *rich {
	return r.styled(s, &api.RichTextSectionTextStyle{Italic: true})
}

func (r *rich) styled(s string, style *api.RichTextSectionTextStyle) *rich {
	if s = cut(s, maxPart); s != "" {
		r.size += length(s)
		r.line = append(r.line, api.NewRichTextSectionTextElement(s, style))
	}
	return r
}

// link leads somewhere. An address that is too long is left out, its words stay.
func (r *rich) link(url, label string) *rich {
	if url == "" || len(url) > maxURL {
		return r.text(label)
	}
	if label = cut(label, maxPart); label == "" {
		label = cut(url, maxPart)
	}
	r.size += length(label)
	r.line = append(r.line, api.NewRichTextSectionLinkElement(url, label, nil))
	return r
}

// end ends the paragraph.
func (r *rich) end() *rich {
	if len(r.line) > 0 {
		r.elements = append(r.elements, api.NewRichTextSection(r.line...))
		r.line = nil
	}
	return r
}

// code adds a preformatted text.
func (r *rich) code(s string) *rich {
	r.end()
	if s = cut(s, maxPart); s != "" {
		r.size += length(s)
		r.elements = append(r.elements, &api.RichTextPreformatted{
			Type: api.RTEPreformatted, Elements: []api.RichTextSectionElement{api.NewRichTextSectionTextElement(s, nil)},
		})
	}
	return r
}

func (r *rich) block() api.Block { return api.NewRichTextBlock("", r.end().elements...) }
func (r *rich) empty() bool      { return len(r.elements) == 0 && len(r.line) == 0 }
