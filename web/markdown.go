package web

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// block is one block of a Markdown text. Only what our own postmortems use is
// understood: headings, paragraphs, lists, tables, quotations, fenced code and rules; inside a
// line, **bold**, _emphasis_, `code` and <https://links>. Everything else stays the text it is: nothing can become
// markup, because the template escapes every string.
type block struct {
	Kind  string // h1 h2 h3 h4 p ul ol table code quote hr
	Spans []span
	Items []item     // ul, ol
	Head  [][]span   // table
	Rows  [][][]span // table
	Text  string     // code
}

// item is an entry of a list, indented by Depth.
type item struct {
	Depth int
	Task  string // "", "todo", "done"
	Spans []span
}

// span is a stretch of a line.
type span struct {
	Kind string // "", "b", "i", "code", "a"
	Text string
}

// markdown parts a text into blocks.
func markdown(text string) []block {
	p := mdParser{lines: strings.Split(bot.Clean(text), "\n")}
	for p.at < len(p.lines) {
		p.block()
	}
	return p.blocks
}

type mdParser struct {
	lines  []string
	at     int
	blocks []block
}

func (p *mdParser) add(b block) { p.blocks = append(p.blocks, b) }

func (p *mdParser) block() {
	line := p.lines[p.at]
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "":
		p.at++
	case strings.HasPrefix(trimmed, "```"):
		p.code(trimmed)
	case heading(trimmed) > 0:
		n := heading(trimmed)
		p.add(block{Kind: "h" + string(rune('0'+n)), Spans: spans(strings.TrimSpace(trimmed[n:]))})
		p.at++
	case trimmed == "---" || trimmed == "***":
		p.add(block{Kind: "hr"})
		p.at++
	case strings.HasPrefix(trimmed, "|"):
		p.table()
	case strings.HasPrefix(trimmed, ">"):
		var quoted []string
		for ; p.at < len(p.lines) && strings.HasPrefix(strings.TrimSpace(p.lines[p.at]), ">"); p.at++ {
			quoted = append(quoted, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(p.lines[p.at]), ">")))
		}
		p.add(block{Kind: "quote", Spans: spans(strings.Join(quoted, "\n"))})
	default:
		if _, _, kind := bullet(line); kind != "" {
			p.list(kind)
			return
		}
		p.paragraph()
	}
}

// code takes everything up to the closing fence, which has at least as many
// backticks as the opening one; without one, up to the end.
func (p *mdParser) code(open string) {
	fence := open[:len(open)-len(strings.TrimLeft(open, "`"))]
	var inside []string
	indent := p.lines[p.at][:len(p.lines[p.at])-len(strings.TrimLeft(p.lines[p.at], " "))] // in a list
	for p.at++; p.at < len(p.lines); p.at++ {
		if t := strings.TrimSpace(p.lines[p.at]); strings.HasPrefix(t, fence) && strings.Trim(t, "`") == "" {
			p.at++
			break
		}
		inside = append(inside, strings.TrimPrefix(p.lines[p.at], indent))
	}
	p.add(block{Kind: "code", Text: strings.Join(inside, "\n")})
}

func (p *mdParser) paragraph() {
	var words []string
	for ; p.at < len(p.lines); p.at++ {
		line := strings.TrimSpace(p.lines[p.at])
		_, _, kind := bullet(p.lines[p.at])
		if line == "" || heading(line) > 0 || kind != "" || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "```") || strings.HasPrefix(line, ">") {
			break
		}
		words = append(words, line)
	}
	if len(words) == 0 { // something that begins no block after all: show it
		words = append(words, p.lines[p.at])
		p.at++
	}
	p.add(block{Kind: "p", Spans: spans(strings.Join(words, "\n"))})
}

func (p *mdParser) list(kind string) {
	b := block{Kind: kind}
	for ; p.at < len(p.lines); p.at++ {
		depth, text, k := bullet(p.lines[p.at])
		if k == "" {
			// A continuation is indented and belongs to the item before.
			if line := p.lines[p.at]; strings.HasPrefix(line, "  ") && strings.TrimSpace(line) != "" {
				last := &b.Items[len(b.Items)-1]
				last.Spans = append(last.Spans, spans("\n"+strings.TrimSpace(line))...)
				continue
			}
			break
		}
		it := item{Depth: depth}
		for mark, state := range map[string]string{"[ ] ": "todo", "[x] ": "done"} {
			if rest, ok := strings.CutPrefix(text, mark); ok {
				it.Task, text = state, rest
			}
		}
		it.Spans = spans(text)
		b.Items = append(b.Items, it)
	}
	p.add(b)
}

func (p *mdParser) table() {
	b := block{Kind: "table"}
	for n := 0; p.at < len(p.lines) && strings.HasPrefix(strings.TrimSpace(p.lines[p.at]), "|"); n, p.at = n+1, p.at+1 {
		line := strings.TrimSpace(p.lines[p.at])
		if strings.Trim(line, "|-: ") == "" && n == 1 {
			continue // the rule below the head
		}
		var cells [][]span
		for _, c := range splitCells(line) {
			cells = append(cells, spans(c))
		}
		if n == 0 {
			b.Head = cells
		} else {
			b.Rows = append(b.Rows, cells)
		}
	}
	p.add(b)
}

// splitCells parts a row at its bars; \| is a bar inside a cell.
func splitCells(line string) []string {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	var cells []string
	var cell strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == '|':
			cell.WriteString(`\|`)
			i++
		case line[i] == '|':
			cells = append(cells, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(line[i])
		}
	}
	return append(cells, strings.TrimSpace(cell.String()))
}

func heading(line string) int {
	n := len(line) - len(strings.TrimLeft(line, "#"))
	if n >= 1 && n <= 4 && len(line) > n && line[n] == ' ' {
		return n
	}
	return 0
}

// bullet reads the beginning of a list's entry.
func bullet(line string) (depth int, text, kind string) {
	rest := strings.TrimLeft(line, " ")
	depth = min((len(line)-len(rest))/2, 3)
	for _, mark := range []string{"- ", "* "} {
		if text, ok := strings.CutPrefix(rest, mark); ok {
			return depth, text, "ul"
		}
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits > 0 && digits < 4 {
		if text, ok := strings.CutPrefix(rest[digits:], ". "); ok {
			return depth, text, "ol"
		}
	}
	return depth, "", ""
}

// spans parts a line at its marks. A backslash takes the meaning of the
// punctuation that follows; a mark that is not closed is text.
func spans(s string) []span {
	var out []span
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			out = append(out, span{Text: plain.String()})
			plain.Reset()
		}
	}
	for i := 0; i < len(s); {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\\`*_{}[]()#+-.!|<>~&:@\"'", s[i+1]) >= 0 {
			plain.WriteByte(s[i+1])
			i += 2
			continue
		}
		kind, inside, size := marked(s, i)
		if kind == "" {
			plain.WriteByte(s[i])
			i++
			continue
		}
		flush()
		out = append(out, span{Kind: kind, Text: inside})
		i += size
	}
	flush()
	return out
}

// marked reads a marked stretch that begins at i: what it is, what it holds,
// how long it is with its marks.
func marked(s string, i int) (kind, inside string, size int) {
	if rest, ok := strings.CutPrefix(s[i:], "<"); ok {
		link, _, closed := strings.Cut(rest, ">")
		if u, err := url.Parse(link); closed && err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && !strings.ContainsAny(link, " <\n\\") {
			return "a", link, len(link) + 2
		}
		return "", "", 0
	}
	ticks := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
	marks := []struct{ mark, kind string }{{strings.Repeat("`", ticks), "code"}, {"**", "b"}, {"_", "i"}}
	for _, m := range marks {
		rest, ok := strings.CutPrefix(s[i:], m.mark)
		if !ok || m.mark == "" || m.kind == "i" && i > 0 && s[i-1] != ' ' && s[i-1] != '(' && s[i-1] != '\n' {
			continue
		}
		end := strings.Index(rest, m.mark)
		if end <= 0 {
			continue
		}
		text := rest[:end]
		if m.kind == "code" {
			return m.kind, strings.TrimSpace(text), 2*len(m.mark) + end
		}
		return m.kind, unescape(text), 2*len(m.mark) + end
	}
	return "", "", 0
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] < 0x80 && strings.IndexByte("\\`*_{}[]()#+-.!|<>~&:@\"'", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// shortCell is how many characters a cell of a table may have that is not
// broken: a time, a name, a result.
const shortCell = 28

func short(cell []span) bool {
	n := 0
	for _, s := range cell {
		n += utf8.RuneCountInString(s.Text)
	}
	return n <= shortCell
}
