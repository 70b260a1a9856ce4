package backlog

import (
	"regexp"
	"strings"
)

// markdownOf reads what people wrote in Backlog's own notation (Backlog記法) as
// Markdown: headings, lists, tables, quotations, code, links and stress. Marks
// that only colour or place something are taken away; the words stay.
// https://support-ja.backlog.com/hc/ja/articles/360035641594
func markdownOf(text string) string {
	r := &notationReader{}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		r.line(line)
	}
	if r.code {
		r.out = append(r.out, fence)
	}
	return strings.Join(r.out, "\n")
}

// fence is longer than what people write inside of code.
const fence = "``````"

type notationReader struct {
	out         []string
	code, quote bool
	rows        int // of the table that is being read
}

var (
	codeOpen  = regexp.MustCompile(`^\{code(:[^}]*)?\}`)
	headLine  = regexp.MustCompile(`^(\*{1,6})\s*(.+)$`)
	listLine  = regexp.MustCompile(`^(-+|\++)\s*(\S.*)$`)
	ruleLine  = regexp.MustCompile(`^-{4,}\s*$`)
	tableLine = regexp.MustCompile(`^\|(.*)\|(h?)\s*$`)
	macroLine = regexp.MustCompile(`^#(contents|rev|image|thumbnail|attach)\b`)
)

func (r *notationReader) line(line string) {
	if r.code {
		before, after, ends := strings.Cut(line, "{/code}")
		if !ends || before != "" {
			r.out = append(r.out, before)
		}
		if ends {
			r.code, r.out = false, append(r.out, fence)
			r.more(after)
		}
		return
	}
	if m := codeOpen.FindString(line); m != "" {
		r.code, r.out = true, append(r.out, fence)
		r.more(line[len(m):])
		return
	}
	if rest, ok := strings.CutPrefix(line, "{quote}"); ok {
		r.quote = true
		r.more(rest)
		return
	}
	if before, after, ok := strings.Cut(line, "{/quote}"); ok && r.quote {
		r.more(before)
		r.quote, r.out = false, append(r.out, "")
		r.more(after)
		return
	}
	r.out = append(r.out, r.read(line)...)
}

// more goes on with what stands behind a mark, if anything does.
func (r *notationReader) more(rest string) {
	if strings.TrimSpace(rest) != "" {
		r.line(rest)
	}
}

// read is a line that is no code.
func (r *notationReader) read(line string) []string {
	if r.quote {
		return []string{"> " + words(line)}
	}
	table := tableLine.FindStringSubmatch(line)
	if table == nil {
		r.rows = 0
	}
	switch {
	case table != nil:
		return r.row(table[1], table[2] == "h")
	case ruleLine.MatchString(line):
		return []string{"", "---", ""}
	case macroLine.MatchString(line) && !strings.HasPrefix(line, "#attach"):
		return nil // a picture, or a table of contents
	}
	if m := headLine.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[2], "*") {
		return []string{"", strings.Repeat("#", min(len(m[1])+1, 4)) + " " + words(m[2]), ""}
	}
	if m := listLine.FindStringSubmatch(line); m != nil {
		mark := "- "
		if m[1][0] == '+' {
			mark = "1. "
		}
		return []string{strings.Repeat("  ", len(m[1])-1) + mark + words(m[2])}
	}
	if rest, ok := strings.CutPrefix(line, ">"); ok {
		return []string{"> " + words(strings.TrimSpace(rest))}
	}
	return []string{words(line)}
}

// row is a row of a table; Markdown wants the first one to be its head.
func (r *notationReader) row(cells string, head bool) []string {
	var out []string
	for c := range strings.SplitSeq(cells, "|") {
		out = append(out, words(strings.TrimPrefix(strings.TrimSpace(c), "~")))
	}
	lines := []string{"| " + strings.Join(out, " | ") + " |"}
	if r.rows++; r.rows > 1 {
		return lines
	}
	rule := "|" + strings.Repeat("---|", len(out))
	if head || strings.Contains(cells, "~") {
		return append([]string{""}, append(lines, rule)...)
	}
	return append([]string{"", "|" + strings.Repeat("  |", len(out)), rule}, lines...)
}

var (
	linkMark   = regexp.MustCompile(`\[\[(?:([^\[\]>]*)[>:])?((?:https?://)[^\]\s]+)\]\]|https?://[^\s\]|'"<>、。）」]+`)
	strongMark = regexp.MustCompile(`''([^']+)''`)
	italicMark = regexp.MustCompile(`'''([^']+)'''`)
	colourMark = regexp.MustCompile(`&color\([^)]*\)\s*\{\s*([^}]*?)\s*\}`)
	attached   = regexp.MustCompile(`#attach\(([^:)]*)[^)]*\)`)
	inMarkdown = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "<", "\\<")
)

// words are the marks inside of a line.
func words(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range linkMark.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(plainWords(s[at:m[0]]))
		at = m[1]
		address := s[m[0]:m[1]]
		if m[4] >= 0 {
			address = s[m[4]:m[5]]
		}
		if m[2] >= 0 && m[3] > m[2] {
			b.WriteString(plainWords(s[m[2]:m[3]]) + " ")
		}
		b.WriteString("<" + address + ">")
	}
	b.WriteString(plainWords(s[at:]))
	return b.String()
}

func plainWords(s string) string {
	s = inMarkdown.Replace(s)
	s = colourMark.ReplaceAllString(s, "$1")
	s = attached.ReplaceAllString(s, "$1")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "&br;", " "), "%%", "")
	s = italicMark.ReplaceAllString(s, "_${1}_")
	return strongMark.ReplaceAllString(s, "**$1**")
}
