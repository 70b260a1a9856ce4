package steps

import (
	"io"
	"strings"
	"testing"
)

// write writes pieces to standard output of a tail that was listened to.
func write(t *testing.T, w io.Writer, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if n, err := io.WriteString(w, p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
	}
}

// A secret that comes in two pieces is struck out whatever stands between them,
// wherever the border lies, and neither half of it is ever shown.
func TestNoPieceOfASecretIsShownLive(t *testing.T) {
	t.Parallel()
	many := "key-canary-one\nsecond-canary-two\n"
	r := NewRedactor("my-canary-token", many)
	shows := func(text string) bool {
		text = strings.ToLower(text)
		for n := len("canary"); n >= 4; n-- { // half of it is too much as well
			if strings.Contains(text, "canary"[:n]) || strings.Contains(text, "canary"[6-n:]) {
				return true
			}
		}
		return false
	}
	corpus := map[string]string{"of several lines": "a\n" + many + "b"}
	for name, text := range secretCorpus {
		if name != "pem tail" { // before its last line nobody can know
			corpus[name] = text
		}
	}
	for name, text := range corpus {
		text += "\n"
		for border := range len(text) {
			tail := NewTail(r, nil)
			outs, errs := tail.writers()
			for i, piece := range []string{text[:border], text[border:]} {
				write(t, outs[0], piece)
				write(t, errs[0], "from elsewhere ")
				if got, _ := tail.Text(1000); shows(got) {
					t.Fatalf("%s, cut at %d, after piece %d: %q", name, border, i+1, got)
				}
			}
			if got, _ := tail.Text(1000); !strings.Contains(got, Struck) {
				t.Fatalf("%s, cut at %d: %q", name, border, got)
			}
		}
	}
}

// What was cut off in front may have been the first half of a secret.
func TestTheEdgeOfALongTailIsNotShown(t *testing.T) {
	t.Parallel()
	const secret = "first-half-second-canary\n"
	nothing := func(n int) string { // once it is cleaned
		whole := strings.Repeat(strings.Repeat("\x01", 1023)+"\n", n/1024+1)
		return whole[len(whole)-n:]
	}
	for half := range len(secret) {
		tail := NewTail(NewRedactor(strings.TrimSpace(secret)), nil)
		outs, _ := tail.writers()
		front := nothing(tailKept - half)
		write(t, outs[0], front, secret, nothing(2*tailKept+1-len(secret)-len(front)))
		if got, before := tail.Text(1000); strings.Contains(got, "canary") || before != 2*tailKept+1-int64(len(got)) || !tail.cut {
			t.Fatalf("%d bytes before the border: %d bytes before %q", half, before, got)
		}
		write(t, outs[0], strings.Repeat("0123456789\n", 2000), "end\n")
		if got, _ := tail.Text(1000); !strings.HasSuffix(got, "789\nend\n") || len(got) < 900 {
			t.Fatalf("afterwards: %q", got)
		}
	}
}

func TestATailIsTheLastWholeLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		said   []string
		want   string
		before int64
	}{
		"nothing":           {nil, "", 0},
		"half a line":       {[]string{"half"}, "", 0},
		"lines":             {[]string{"one\ntw", "o\nth"}, "one\ntwo\n", 0},
		"windows":           {[]string{"one\r", "\ntwo\r\n"}, "one\n\ntwo\n", 0},
		"a progress bar":    {[]string{"10%\r", "20%\r", "30"}, "10%\n20%\n", 0},
		"colours":           {[]string{"\x1b[3", "1mred\x1b[0m\n"}, "red\n", 0},
		"too much":          {[]string{strings.Repeat("0123456789\n", 10)}, "0123456789\n0123456789\n", 88},
		"a line without an": {[]string{strings.Repeat("x", tailLine), "yy", "\nend\n"}, "\n[… 8194 bytes …]\nend\n", 0},
		"half a character":  {[]string{"再起\xe5", "\x8b\x95\n"}, "再起動\n", 0},
		"not text":          {[]string{"\x00\xff\x07\n"}, "\uFFFD\n", 0},
		"a very long line":  {[]string{strings.Repeat("y", 40), "\n"}, strings.Repeat("y", 29) + "\n", 11},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			tail := NewTail(NewRedactor(), func() { calls++ })
			outs, _ := tail.writers()
			write(t, outs[0], c.said...)
			if got, before := tail.Text(30); got != c.want || before != c.before {
				t.Errorf("%q, %d bytes before, want %q, %d", got, before, c.want, c.before)
			}
			if (calls > 0) != (c.want != "") {
				t.Errorf("%d calls", calls)
			}
		})
	}
}
