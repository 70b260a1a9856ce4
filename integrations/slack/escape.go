package slack

import (
	"regexp"
	"strings"
	"unicode/utf16"
)

// escaper makes the three characters ordinary that Slack's mrkdwn reads as the
// beginning of a mention, a link or an entity
// (https://docs.slack.dev/messaging/formatting-message-text#escaping).
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape is for the one place that Slack parses: a message's text, which
// notifications and screen readers show in place of its blocks. All else stands
// in plain_text and rich_text, where nothing is parsed.
func escape(s string) string { return escaper.Replace(s) }

// length counts as Slack's clients do, in UTF-16 units.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// cut shortens s to at most n UTF-16 units, without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n || length(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if used += utf16.RuneLen(r); used > n-1 {
			return s[:i] + "…"
		}
	}
	return s
}

var (
	entity   = regexp.MustCompile(`<([^<>]*)>`)
	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// plain is what somebody wrote, as they saw it: links and mentions as their
// labels, entities as the characters they stand for.
func plain(s string) string {
	s = entity.ReplaceAllStringFunc(s, func(m string) string {
		inside := m[1 : len(m)-1]
		target, label, labelled := strings.Cut(inside, "|")
		switch {
		case labelled && label != "":
			if strings.HasPrefix(target, "#") || strings.HasPrefix(target, "@") {
				return target[:1] + strings.TrimPrefix(label, target[:1])
			}
			return label
		case strings.HasPrefix(target, "!"):
			return "@" + strings.TrimPrefix(target, "!")
		}
		return target
	})
	return entities.Replace(s)
}
