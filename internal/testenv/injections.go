package testenv

import (
	"fmt"
	"strings"
)

// Injections are about 200 values that become commands, options, paths, markup
// or other hosts wherever somebody forgets that they are data (S26). Those that
// run make the file canary.
func Injections(canary string) []string {
	forms := []string{
		"%s", ";%s", "; %s;", "|%s", "| %s |", "||%s", "&%s", "&& %s &", "$(%s)", "`%s`", "${IFS}%s", "$((%s))", "<(%s)", ">(%s)", "a\n%s", "a\r\n%s", "\n%s\n",
		"\r%s", "\x00%s", "a\x00;%s", "'; %s; '", "\"; %s; \"", "') ; %s ; ('", "\\\"; %s #", "\\'; %s #", "a' || %s || 'b", "\"$(%s)\"", "'$(%s)'", "`\n%s\n`", "%%0a%s",
		"%%0d%%0a%s", "%%00%s", "%%3B%s", "{{%s}}", "{%% %s %%}", "{# %s #}", "${%s}", "#{%s}", "<%%= %s %%>", "${jndi:ldap://127.0.0.1/%s}",
		"!%s", "!!%s", "~%s", "*%s", "?%s", "[%s]", "{a,%s}", "\t%s", " %s", "%s &", "%s #", "-%s", "--%s", "-oProxyCommand=%s", "--rsh=%s", "-e %s", "--exec=%s", "-c%s",
		"\u2028%s", "\u2029%s", "\u00a0%s", "\u202e%s", "\ufeff%s", "\u037e%s", "\uff1b%s", "\uff5c%s", "\x1b]0;%s\x07", "\x1b[31m%s", "\x7f%s", "\u0085%s",
		"x={{ lookup('pipe','%s') }}", "{x}%s", "{var.x}%s", "\\{x}%s", "%%s%%n%s", "../../%s", "..\\..\\%s", "/%s", "//evil.example/%s", "http://evil.example/%s", "@evil.example/%s",
	}
	commands := []string{"touch " + canary, "/usr/bin/touch${IFS}" + canary}
	var all []string
	for _, c := range commands {
		for _, f := range forms {
			all = append(all, fmt.Sprintf(f, c))
		}
	}
	return append(all,
		"", " ", ".", "..", "...", "/", "//", "\\", "'", "\"", "`", "$", "a b", "*", "?", "~", "--", "-", "--help", "-rf", "%", "%2e%2e%2f", "%252e", "+", "&a=b", "?a=b", "#x", ";a=b",
		`" or vector(1) or up{a="`, `"}`, `"} or up{x="`, `.*`, `a|b`, `\d`, `\"`, `a\`, `(?i)x`, `$1`, "日本語", "👍", "é", "e\u0301", strings.Repeat("a", 1024), strings.Repeat("a", 1025), "\xff", "a\xc3",
	)
}
