package ssh

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// hostile are arguments that mean something to some shell.
var hostile = []string{
	"", " ", "a b", "\t", "\n", "\r\n", "a\nb", "'", "''", `'\''`, `"`, `"'"'`, "`id`", "$(id)", "${HOME}", "$HOME", "$'\\n'", "$((1+1))",
	";", "; id", "&", "&& id", "| id", "|| id", "> x", ">> x", "< /etc/passwd", "<(id)", "*", "?", "[a-z]", "{a,b}", "~", "~root", "#", "!", "!!",
	"\\", "\\'", "a\\", "-n", "--", "-oProxyCommand=id", "--flag=x", "=", "A=B", "%s", "%n", "日本語", "\u202e", "\u2028", "\xff\xfe", "\x1b[31m", "\x7f", "\x01",
	"'; touch /tmp/canary; '", "\\'; id; \\'", "$IFS", "a'b'c", "\\\n", "^C", "(", ")", "if", "done", "\ufeff", strings.Repeat("'", 500),
}

// shellReads is what a real shell makes of the quoted arguments.
func shellReads(t testing.TB, sh string, args []string) []string {
	t.Helper()
	line, err := Quote(append([]string{"printf", `%s\0`}, args...))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(sh, "-c", line).Output()
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

func TestQuoteGivesBackEachHostileArgument(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sh", "bash"} {
		sh := testenv.Need(t, name)
		if got := shellReads(t, sh, hostile); !slices.Equal(got, hostile) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// Whatever bytes an argument has, a shell reads exactly them.
func TestQuoteIsReadBack(t *testing.T) {
	t.Parallel()
	sh := testenv.Need(t, "sh")
	argument := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) string {
			return string(rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 60).Draw(t, "bytes"))
		}),
		rapid.StringOfN(rapid.RuneFrom([]rune("'\"\\$`!;&|<>(){}[]*?~#=% \n\ta-")), 0, 30, -1),
		rapid.SampledFrom(hostile),
	)
	rapid.Check(t, func(rt *rapid.T) {
		args := rapid.SliceOfN(argument, 1, 8).Draw(rt, "args")
		if got := shellReads(t, sh, args); !slices.Equal(got, args) {
			rt.Errorf("got %q, want %q", got, args)
		}
	})
}

func TestQuoteRefuses(t *testing.T) {
	t.Parallel()
	for name, argv := range map[string][]string{
		"nothing":                nil,
		"no program":             {"", "a"},
		"an option":              {"-a", "b"},
		"NUL":                    {"echo", "a\x00b"},
		"too long":               {"echo", strings.Repeat("a", maxCommand)},
		"too long by its quotes": {"echo", strings.Repeat("'", maxCommand/3)},
	} {
		if line, err := Quote(argv); err == nil {
			t.Errorf("%s: accepted as %d bytes", name, len(line))
		}
	}
	longest := []string{"printf", "%s", strings.Repeat("a", maxCommand-len(`'printf' '%s' ''`))}
	line, err := Quote(longest)
	if err != nil || len(line) != maxCommand {
		t.Fatalf("%d bytes: %v", len(line), err)
	}
	if out, err := exec.Command("sh", "-c", line).Output(); err != nil || !bytes.Equal(out, []byte(longest[2])) {
		t.Errorf("the longest one is not read: %d bytes, %v", len(out), err)
	}
}
