package logs

import (
	"bytes"
	"strings"
)

// field cuts the first word off.
func field(line []byte) (word, rest []byte) {
	i := 0
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	j := i
	for j < len(line) && line[j] != ' ' && line[j] != '\t' {
		j++
	}
	return line[i:j], line[j:]
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }
func isWild(w []byte) bool { return bytes.Contains(w, []byte(Wildcard)) }

func isHex(run []byte) bool {
	for _, c := range run {
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return len(run) > 0
}

// plain says that a word has nothing that a rule could mask; most have not.
func plain(raw []byte) bool {
	letters := true
	for _, c := range raw {
		if isDigit(c) || c == '/' || c == '.' || c == '\\' {
			return false
		}
		letters = letters && isLetter(c)
	}
	return len(raw) < 8 || letters && !isHex(raw) || !letters && !hexWord(raw)
}

// hexWord says whether some run of the word could be hex without a digit.
func hexWord(raw []byte) bool {
	n := 0
	for _, c := range raw {
		if c|0x20 >= 'a' && c|0x20 <= 'f' {
			if n++; n >= 8 {
				return true
			}
		} else {
			n = 0
		}
	}
	return bytes.IndexByte(raw, ':') >= 0 || bytes.IndexByte(raw, '-') >= 0
}

// pathLen is how much of the word is a path of two parts or more.
func pathLen(w []byte) int {
	if len(w) < 2 || !isAlnum(w[1]) {
		return 0
	}
	n, parts := 1, 1
	for n < len(w) && (isAlnum(w[n]) || strings.IndexByte("/._-+~$%*", w[n]) >= 0) {
		if w[n] == '/' {
			parts++
		}
		n++
	}
	if parts < 2 {
		return 0
	}
	return n
}

// idLen is how much of the word is a UUID or a hardware address: three groups
// of hex or more, which may have no digit at all.
func idLen(w []byte) int {
	group := func(at int) int {
		n := at
		for n < len(w) && isAlnum(w[n]) {
			if !isHex(w[n : n+1]) {
				return 0
			}
			n++
		}
		return n - at
	}
	first := group(0)
	if first != 2 && first != 8 || len(w) < 8 {
		return 0
	}
	n, groups := first, 1
	for n+1 < len(w) && (w[n] == ':' || w[n] == '-') && w[n] == w[first] {
		g := group(n + 1)
		if first == 2 && g != 2 || first == 8 && g != 4 && g != 12 {
			break
		}
		n, groups = n+1+g, groups+1
	}
	if first == 2 && groups < 6 || first == 8 && groups != 5 {
		return 0
	}
	return n
}

// quoted takes key="text of several words" as one word: how many words it has
// differs from line to line. Without a key it stays, as in "GET /cart HTTP/1.1".
func quoted(raw, rest []byte) (word, after []byte) {
	open := bytes.IndexByte(raw, '"')
	if open <= 0 || raw[open-1] != '=' || bytes.IndexByte(raw[open+1:], '"') >= 0 {
		return raw, rest
	}
	end := bytes.IndexByte(rest, '"')
	if end < 0 || end > 256 {
		return raw, rest
	}
	tail, after := field(rest[end+1:])
	if end+1 < len(rest) && (rest[end+1] == ' ' || rest[end+1] == '\t') {
		tail, after = nil, rest[end+1:]
	}
	word = append(append([]byte(nil), raw[:open+1]...), "0\""...) // a number, so that it is masked
	return append(word, tail...), after
}

func isDatePart(w []byte) bool {
	if len(w) != 3 {
		return false
	}
	switch string(w) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}

// beforeDate says that a date goes on: the name of a month, or a number.
func beforeDate(rest []byte) bool {
	next, _ := field(rest)
	return len(next) > 0 && isDigit(next[0]) || isDatePart(bytes.TrimRight(next, ","))
}

func isUnit(w []byte) bool {
	switch string(w) {
	case "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "ns", "us", "ms", "sec", "secs":
		return true
	}
	return false
}

// topLevel are the domains that say "this is a host" of a name without a port.
func topLevel(w []byte) bool {
	switch string(w) {
	case "com", "net", "org", "edu", "gov", "mil", "info", "biz", "arpa", "local", "localdomain", "internal", "lan":
		return true
	}
	return false
}

func inHost(c byte) bool { return isAlnum(c) || strings.IndexByte("-._<*>", c) >= 0 }

// hosts masks the names of hosts in m.word: they end in a well-known domain, or
// in one of a country with two names before it, or a port follows.
func (m *masker) hosts() {
	if bytes.IndexByte(m.word, '.') < 0 {
		return
	}
	m.host = append(m.host[:0], m.word...)
	m.word = m.word[:0]
	for i := 0; i < len(m.host); {
		n := 0
		for i+n < len(m.host) && inHost(m.host[i+n]) {
			n++
		}
		if n == 0 {
			m.word, i = append(m.word, m.host[i]), i+1
			continue
		}
		name := bytes.TrimRight(m.host[i:i+n], ".")
		if isHost(name, m.host[i+n:]) {
			m.word = append(m.word, Wildcard...)
			m.word = append(m.word, m.host[i+len(name):i+n]...)
		} else {
			m.word = append(m.word, m.host[i:i+n]...)
		}
		i += n
	}
}

func isHost(name, after []byte) bool {
	dot := bytes.LastIndexByte(name, '.')
	if dot <= 0 {
		return false
	}
	last := name[dot+1:]
	country := len(last) == 2 && last[0] >= 'a' && last[0] <= 'z' && last[1] >= 'a' && last[1] <= 'z'
	return topLevel(last) || country && bytes.Count(name, []byte(".")) >= 2 ||
		bytes.HasPrefix(after, []byte(":"+Wildcard)) && !bytes.HasPrefix(name, []byte(Wildcard))
}
