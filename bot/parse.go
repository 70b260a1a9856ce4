package bot

import (
	"strings"
	"unicode"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// line is a parsed line of /inc.
type line struct {
	verb string
	args []string
	rest string       // what follows the verb, as it was typed
	id   incidents.ID // the incident it names before the verb; 0 for none
}

// maxLine bounds a line, in bytes; a note of 4000 bytes fits.
const maxLine = 8192

// parseLine reads what was typed: "/inc" may stand in front, then an
// incident's number, then the verb. Letters that a Japanese input method left
// full-width are read as what they mean.
func parseLine(s string) line {
	rest := strings.TrimSpace(Clean(Cut(s, maxLine)))
	word, after := firstWord(rest)
	switch strings.TrimPrefix(narrow(word), "/") {
	case "inc", "incident":
		rest = after
		word, after = firstWord(rest)
	}
	l := line{}
	if id, ok := incidents.ParseID(narrow(word)); ok {
		l.id = id
		word, after = firstWord(after)
	}
	l.verb, l.rest, l.args = strings.TrimPrefix(narrow(word), "/"), after, split(after)
	return l
}

func firstWord(s string) (word, rest string) {
	i := strings.IndexFunc(s, unicode.IsSpace)
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// split cuts words at white space; "double quotes" hold several together. A
// quote that is not closed is an ordinary character.
func split(s string) []string {
	var words []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if open, size := quote(s); open {
			if inside, after, closed := closing(s[size:]); closed {
				words, s = append(words, inside), after
				continue
			}
		}
		var word string
		word, s = firstWord(s)
		words = append(words, word)
	}
	return words
}

// quote says whether s begins with a double quote: ", or the curly ones that
// telephones and chats make of it.
func quote(s string) (is bool, size int) {
	for _, q := range []string{`"`, "“", "”", "＂"} {
		if strings.HasPrefix(s, q) {
			return true, len(q)
		}
	}
	return false, 0
}

func closing(s string) (inside, after string, ok bool) {
	for i := range s {
		if is, size := quote(s[i:]); is {
			return s[:i], s[i+size:], true
		}
	}
	return "", "", false
}

// narrow turns full-width letters, digits and signs into ordinary ones, in
// lower case: 「ＡＣＫ」 is ack.
func narrow(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			return r - 0xFF01 + '!'
		}
		return r
	}, s))
}
