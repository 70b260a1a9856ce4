package steps

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEcanary0\ncanary1==\n-----END RSA PRIVATE KEY-----"

// secretCorpus are texts with a secret in them, which is "canary…".
var secretCorpus = map[string]string{
	"exact":           "x my-canary-token y",
	"pem":             "key:\n" + pem + "\nrest",
	"pem without end": "key:\n-----BEGIN EC PRIVATE KEY-----\ncanary\nmore canary",
	"pem tail":        "canary\n-----END OPENSSH PRIVATE KEY-----\nrest",
	"jwt":             "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkiLCJjYW5hcnkiOjF9.canary-signature_x",
	"aws":             "id AKIACANARYCANARYCANA",
	"slack":           "xoxb-1234567890-canarycanary",
	"github":          "ghp_canarycanarycanarycanary0123456789",
	"gitlab":          "glpat-canarycanarycanary",
	"bearer":          "Authorization: Bearer canarycanary.canary",
	"basic":           "authorization: basic Y2FuYXJ5canary=",
	"password":        "db password=canary, user=bea",
	"password colon":  `{"password": "canary with spaces", "user": "bea"}`,
	"password single": `passwd = 'canary one two'`,
	"environment":     "DB_PASSWORD=canary\nPATH=/bin",
	"api key":         "X-Api-Key: canary",
	"secret":          "client_secret=canary&grant_type=x",
	"userinfo":        "redis://user:canary@10.0.0.1:6379/0",
	"userinfo odd":    "amqp://canary:p%40canary@mq/",
	"ansi hidden":     "pass\x1b[31mword=canary",
	"ansi in secret":  "my-can\x1b[0mary-token",
	"zero width":      "my-can\u200bary-token",
}

func TestRedactorStrikesSecrets(t *testing.T) {
	t.Parallel()
	r := NewRedactor("my-canary-token", "", "x") // what is too short to be a secret strikes nothing
	for name, text := range secretCorpus {
		got := r.Clean(text)
		if strings.Contains(strings.ToLower(got), "canary") || !strings.Contains(got, Struck) {
			t.Errorf("%s: %q", name, got)
		}
		if again := r.Clean(got); again != got {
			t.Errorf("%s: cleaned again it is %q", name, again)
		}
	}
}

// Knowing one key hides no other: both begin and end with the same lines.
func TestRedactorStrikesAKeyBesideOneThatItKnows(t *testing.T) {
	t.Parallel()
	key := func(body string) string {
		return "-----BEGIN OPENSSH PRIVATE KEY-----\n" + body + "\n-----END OPENSSH PRIVATE KEY-----\n"
	}
	r := NewRedactor(key("AAAAmineAAAAmine"))
	for _, text := range []string{key("AAAAcanary"), key("AAAAmineAAAAmine") + key("AAAAcanary"), key("AAAAmineAAAAmine\nAAAAcanary"), "AAAAmineAAAAmine"} {
		if got := r.Clean(text); strings.Contains(got, "canary") || strings.Contains(got, "mine") {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestRedactorLeavesTheRest(t *testing.T) {
	t.Parallel()
	r := NewRedactor("my-canary-token")
	for _, text := range []string{
		"", "all is well", "the password was wrong", "tokens: 5 of 10 used", "bearer of bad news", "https://shop.example.com/a?b=c",
		"bea@example.com", "日本語のログ\n二行目\tタブ", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "basic auth is off",
	} {
		if got := r.Clean(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := r.Clean("db password=canary, user=bea"); got != "db password="+Struck+", user=bea" {
		t.Errorf("%q", got)
	}
	if got := r.Clean("redis://user:pw@10.0.0.1:6379/0"); got != "redis://"+Struck+"@10.0.0.1:6379/0" {
		t.Errorf("%q", got)
	}
}

func TestRedactorTakesControlCharactersOut(t *testing.T) {
	t.Parallel()
	r := NewRedactor()
	for text, want := range map[string]string{
		"a\x1b[31;1mred\x1b[0m":      "ared",
		"\x1b]0;title\x07after":      "after",
		"\x1b]8;;http://x\x1b\\link": "link",
		"one\r\ntwo\rthree":          "one\ntwo\nthree",
		"nul\x00bell\x07\x7f":        "nulbell",
		"\u202eright to left\u2066":  "right to left",
		"bad \xff\xfe utf8":          "bad \uFFFD utf8",
		"c1 \u009b31m":               "c1 31m",
		"unfinished \x1b":            "unfinished ",
		"emoji 👍🏽 and 日本":            "emoji 👍🏽 and 日本",
	} {
		if got := r.Clean(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzRedactor(f *testing.F) {
	for _, text := range secretCorpus {
		f.Add(text)
	}
	r := NewRedactor("my-canary-token")
	f.Fuzz(func(t *testing.T, text string) {
		got := r.Clean(text)
		if !utf8.ValidString(got) || strings.Contains(got, "my-canary-token") || strings.ContainsAny(got, "\x00\x1b\r") {
			t.Errorf("%q", got)
		}
		if most := 200; len(r.Excerpt(text, most)) > most || len(HeadAndTail(got, most)) > most || !utf8.ValidString(HeadAndTail(got, most)) || len(CutLine(got, most)) > most {
			t.Errorf("%q is not cut well", got)
		}
	})
}

// A secret is found however the process cuts its writes (S41): split at every
// offset, and some of them written by a real process.
func TestSecretAcrossWrites(t *testing.T) {
	t.Parallel()
	r := NewRedactor("my-canary-token")
	for _, text := range []string{"x my-canary-token y", "password=canary1", pem} {
		for i := 1; i < len(text); i++ {
			said := &output{}
			for _, part := range []string{text[:i], text[i:]} {
				if _, err := said.Write([]byte(part)); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.Clean(string(said.bytes())); strings.Contains(got, "canary") || !strings.Contains(got, Struck) {
				t.Errorf("split at %d: %q", i, got)
			}
		}
		at := strings.Index(text, "canary") + 3
		result := run(t, newCommand(Config{}), commandStep(time.Minute, "sh", "-c", `printf %s "$1"; printf %s "$2"`, "sh", text[:at], text[at:]))
		if got := r.Clean(result.Output); strings.Contains(got, "canary") || !result.OK {
			t.Errorf("written by a process, split at %d: %q", at, got)
		}
	}
}

func TestHeadAndTail(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("日", 1000)
	got := HeadAndTail("begin"+long+"end", 200)
	if len(got) > 200 || !strings.HasPrefix(got, "begin日") || !strings.HasSuffix(got, "日end") || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
	if got := HeadAndTail("\nshort\n", 200); got != "short" {
		t.Errorf("%q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		most := rapid.IntRange(60, 300).Draw(t, "most")
		if got := HeadAndTail(s, most); len(got) > most || !utf8.ValidString(got) {
			t.Fatalf("%d bytes of %d: %q", len(got), most, got)
		}
		if got := CutLine(s, most); len(got) > most || strings.Contains(got, "\n") || !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
	})
}

// An excerpt of a long output is clean at both its ends, also where the cut went
// through a key.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	r := NewRedactor("my-canary-token")
	filler := strings.Repeat("filler line\n", 2*window/12)
	for name, text := range map[string]string{
		"at the beginning":   "my-canary-token" + filler,
		"at the end":         filler + "my-canary-token",
		"key at the cut":     "begin\n-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("canary\n", window) + "-----END PRIVATE KEY-----\nend",
		"passwords all over": strings.Repeat("password=canary1 my-canary-token\n", window),
	} {
		got := r.Excerpt(text, 2000)
		if strings.Contains(got, "canary") || !strings.Contains(got, Struck) || len(got) > 2000 || !strings.Contains(got, "bytes") {
			t.Errorf("%s: %.300q", name, got)
		}
	}
	if got := r.Excerpt("short my-canary-token", 2000); got != "short "+Struck {
		t.Errorf("%q", got)
	}
}

// What is left out is counted once, however often the output was cut: what is
// shown and what is said to be missing are all that the program said. A program
// cannot change the count by printing one itself.
func TestExcerptCountsOverBothCuts(t *testing.T) {
	t.Parallel()
	said := regexp.MustCompile(`\n\[… ([0-9]+) bytes …\]\n`)
	for name, total := range map[string]int{
		"not cut before": maxOutput, "one byte gone": maxOutput + 1, "few gone": maxOutput + 20, "much gone": 3 * maxOutput,
	} {
		o := &output{}
		_, _ = o.Write([]byte(strings.Repeat("x", halfOutput-window)))
		_, _ = o.Write([]byte(leftOut(7))) // forged
		_, _ = o.Write([]byte(strings.Repeat("y", total-halfOutput+window-len(leftOut(7))-len("the end"))))
		_, _ = o.Write([]byte("the end"))
		got := NewRedactor().Excerpt(string(o.bytes()), 1000)
		m := said.FindStringSubmatch(got)
		if m == nil || len(got) > 1000 || len(got) < 900 || !strings.HasPrefix(got, "xxx") || !strings.HasSuffix(got, "the end") {
			t.Fatalf("%s: %d bytes: %q", name, len(got), got)
		}
		missing, _ := strconv.Atoi(m[1])
		if shown := len(got) - len(m[0]); shown+missing != total {
			t.Errorf("%s: %d shown and %d missing are not %d", name, shown, missing, total)
		}
	}
}

// What an output keeps is the same however it was written.
func TestOutputKeepsBothEnds(t *testing.T) {
	t.Parallel()
	alphabet := bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz"), 3*maxOutput/26+1)
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 3*maxOutput).Draw(t, "total")
		all := alphabet[:total]
		o := &output{}
		for rest := all; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 2*maxOutput).Draw(t, "n"))
			if wrote, err := o.Write(rest[:n]); wrote != n || err != nil {
				t.Fatal(wrote, err)
			}
			rest = rest[n:]
		}
		want := string(all)
		if missing := total - maxOutput; missing > 0 {
			want = want[:halfOutput] + fmt.Sprintf("\n[… %d bytes …]\n", missing) + want[total-halfOutput:]
		}
		if got := string(o.bytes()); got != want {
			t.Fatalf("kept %d bytes of %d, want %d", len(got), total, len(want))
		}
	})
}
