package discord

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// plain makes text from outside an ordinary part of a Discord message: no
// markup, no mention, no link, no emoji, no time stamp. A backslash makes any
// punctuation ordinary (https://support.discord.com/hc/en-us/articles/210298617),
// except after an @, where only a space that is not seen helps.
func plain(s string) string {
	s = bot.Clean(s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	start := true // of a line: what begins a heading, a quote or a list
	for i, r := range s {
		switch {
		case r == '@':
			b.WriteString("@\u200b")
		case strings.ContainsRune("\\*_~`|<[]", r),
			start && strings.ContainsRune(">#-+.)", r),
			r == ':' && markColon(s[i:]):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		start = r == '\n' || start && (r == ' ' || r == '\t' || unicode.IsDigit(r))
	}
	return b.String()
}

// markColon says whether the colon at the start of s makes a link or an emoji.
func markColon(s string) bool {
	if strings.HasPrefix(s, "://") {
		return true
	}
	end := strings.IndexAny(s[1:], ": \n\t")
	return end > 0 && s[1+end] == ':'
}

// line is plain on one line.
func line(s string) string {
	return strings.Join(strings.Fields(plain(s)), " ")
}

// code shows text as it is, in a block that nothing in it can close.
func code(s string) string {
	return "```\n" + unfence(strings.TrimRight(bot.Clean(s), "\n")) + "\n```"
}

// unfence parts neighbouring backticks with spaces that are not seen.
func unfence(s string) string {
	for range 2 { // the second time for those that the first joined
		s = strings.ReplaceAll(s, "``", "`\u200b`")
	}
	return s
}

// units is how long Discord's clients say that s is.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// cut shortens s to at most n units. It does not leave half a character, nor a
// backslash with nothing after it.
func cut(s string, n int) string {
	if units(s) <= n {
		return s
	}
	n--
	at := 0
	for i, r := range s {
		if n -= max(utf16.RuneLen(r), 1); n < 0 {
			at = i
			break
		}
	}
	s = s[:at]
	if tail := len(s) - len(strings.TrimRight(s, `\`)); tail%2 == 1 {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// maxURL is what a button of a link and the title of an embed may hold.
const maxURL = 512

// followable says whether Discord takes the address as a link: it refuses the
// whole message for one that it does not like.
func followable(link string) bool {
	u, err := url.Parse(link)
	if err != nil || len(link) > maxURL || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || strings.ContainsAny(link, " <>\"\\`") {
		return false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return true
	}
	host := u.Hostname()
	dot := strings.LastIndexByte(host, '.')
	return dot > 0 && len(host)-dot > 2 && strings.IndexFunc(host, func(r rune) bool { return r > unicode.MaxASCII || r == '_' }) < 0
}

// host is where a link leads, for people to see before they follow it.
func host(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Host
}
