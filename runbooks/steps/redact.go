package steps

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Redactor strikes secrets out of what leaves the package: the exact ones that
// it was told of, and what looks like one.
type Redactor struct{ secrets *strings.Replacer }

// Struck stands where a secret was.
const Struck = "[redacted]"

// minSecret is the shortest secret that is struck out wherever it stands; a
// shorter one would strike out ordinary words.
const minSecret = 6

// NewRedactor knows the given secrets, and the patterns.
func NewRedactor(secrets ...string) *Redactor {
	secrets = withLines(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // the longer first
	var pairs []string
	for _, s := range secrets {
		if s = strings.TrimSpace(s); len(s) >= minSecret {
			pairs = append(pairs, s, Struck)
		}
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// withLines are the secrets, and each line of those that have several: of what is
// shown while it is said, the other lines may be still to come. What begins and ends a
// key is no secret: it is the same in each, and who strikes it hides from the patterns
// that another key stands between.
func withLines(secrets []string) []string {
	all := slices.Clone(secrets)
	for _, s := range secrets {
		if strings.Contains(strings.TrimSpace(s), "\n") {
			all = append(all, strings.Split(s, "\n")...)
		}
	}
	return slices.DeleteFunc(all, armour.MatchString)
}

// armour is the line that a key begins or ends with.
var armour = regexp.MustCompile(`^\s*-----(?:BEGIN|END) [A-Z0-9 ]+-----\s*$`)

// patterns find what looks like a secret; the first group, where there is one,
// is kept. A regular expression costs a hundred times as much as looking for a
// word, so each is only tried on a text (in lower case) that has one of its words.
var patterns = []struct {
	words []string
	re    *regexp.Regexp
	with  string
}{
	{[]string{"private key"}, regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\z)`), Struck},
	{[]string{"private key"}, regexp.MustCompile(`(?s)\A.*-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----`), Struck},     // its beginning is missing
	{[]string{"eyj"}, regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?`), Struck}, // JWT
	{[]string{"akia", "asia"}, regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), Struck},                         // AWS
	{[]string{"xox", "xapp-"}, regexp.MustCompile(`\bxox[a-z]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}`), Struck},   // Slack
	{[]string{"gh", "glpat-"}, regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,})`), Struck},
	{[]string{"bearer", "basic"}, regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`), "${1}" + Struck},
	{[]string{"pass", "pwd", "secret", "token", "key", "credential"},
		regexp.MustCompile(`(?i)((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|credentials?)["']?\s*[:=]\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s,;&"']+)`), "${1}" + Struck},
	{[]string{"://"}, regexp.MustCompile(`\b([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@"'<>]+@`), "${1}" + Struck + "@"}, // userinfo in a URL
}

// Clean makes text from outside fit to be stored and shown: valid UTF-8 without
// control characters, escape sequences of terminals and invisible characters,
// and without secrets. Escape sequences go first, lest they hide a secret.
func (r *Redactor) Clean(s string) string {
	s = plainText(s)
	s = r.secrets.Replace(s)
	lower := strings.ToLower(s)
	for _, p := range patterns {
		if slices.ContainsFunc(p.words, func(w string) bool { return strings.Contains(lower, w) }) {
			s = p.re.ReplaceAllString(s, p.with)
		}
	}
	return s
}

// window is how much of either end of a long output is looked at, in bytes: many
// times what is shown, so that a secret which the cut has split, and of which
// the part that is left looks like nothing, stands far from what is shown.
const window = 32 << 10

// Excerpt is the beginning and the end of an output, cleaned, at most most bytes
// in all. Where it leaves something out it says how many bytes, those that were
// not even kept (see output) among them.
func (r *Redactor) Excerpt(s string, most int) string {
	if len(s) <= 2*window {
		return HeadAndTail(r.Clean(s), most)
	}
	head, tail := r.Clean(s[:window]), r.Clean(s[len(s)-window:])
	return join(strings.Trim(head, "\n"), strings.Trim(tail, "\n"), len(s)+lost(s), most)
}

// join makes one text of the ends of one that had total bytes. Two thirds go to
// the end, where programs say what became of it all.
func join(head, tail string, total, most int) string {
	third := (most - leftOutRoom) / 3
	head, tail = cutAt(head, third), cutTail(tail, 2*third)
	return head + leftOut(total-len(head)-len(tail)) + tail
}

// terminal matches escape sequences: CSI, OSC and the two-character ones
// (ECMA-48, https://ecma-international.org/publications-and-standards/standards/ecma-48/).
var terminal = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_]?)")

func plainText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = terminal.ReplaceAllString(s, "")
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case c == '\r':
			return '\n'
		case unicode.IsControl(c) || unicode.Is(unicode.Cf, c):
			return -1
		}
		return c
	}, s)
}

// CutLine is the first line of s that is not empty, at most most bytes of it.
func CutLine(s string, most int) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) <= most {
		return s
	}
	return cutAt(s, most-len("…")) + "…"
}

// HeadAndTail keeps the beginning and the end of s, at most most bytes in all,
// and says how much it left out in between.
func HeadAndTail(s string, most int) string {
	s = strings.Trim(s, "\n")
	if len(s) <= most {
		return s
	}
	return join(s, s, len(s), most)
}

// leftOutRoom is what leftOut takes at most.
const leftOutRoom = 40

// cutAt is the beginning of s, at most most bytes of it.
func cutAt(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// cutTail is the end of s, at most most bytes of it.
func cutTail(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[len(s)-most:]
	for len(s) > 0 && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}
