package logs

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func masked(line string) string {
	var m masker
	m.mask([]byte(line), 128)
	return string(m.line)
}

func TestMask(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"took 12 ms":                                   "took <*>",
		"took 12ms, 3.5 KB sent":                       "took <*>ms, <*> sent",
		"lifetime <1 sec":                              "lifetime <*>",
		"lifetime 00:07":                               "lifetime <*>",
		"from 10.0.0.7:4711 port 22":                   "from <*> port <*>",
		"from web01.example.com port 22":               "from <*> port <*>",
		"to db.shop:5432 refused":                      "to <*> refused",
		"open /var/lib/app/x.db failed":                "open <*> failed",
		"read C:\\Windows\\a\\b.dll: gone":             "read <*> gone",
		"at Sun Jul 17 06:45:03 2005 ok":               "at <*> ok",
		"id f47ac10b-beef-4372-cafe-deadbeefdead done": "id <*> done",
		"mac de:ad:be:ef:ca:fe up":                     "mac <*> up",
		"ptr 0xDEADBEEF and deadbeef":                  "ptr <*> and <*>",
		"delete blk_1 blk_22 blk_333":                  "delete blk_<*>",
		`user="Eve Adams" ok`:                          `user="<*>" ok`,
		`"GET /a/b HTTP/1.1" 200`:                      `"GET <*> HTTP/<*>" <*>`,
		"org.apache.hadoop.Foo started and/or May be":  "org.apache.hadoop.Foo started and/or May be",
		"火事です 42 台":                                    "火事です <*> 台",
		"  spaces\tand   tabs ":                        "spaces and tabs",
		"rc=-1 t=1.5e3":                                "rc=<*> t=<*>",
		"attempt_14 x-3":                               "attempt_<*> x<*>",
	} {
		if got := masked(line); got != want {
			t.Errorf("%q became %q, want %q", line, got, want)
		}
	}
}

func feed(m *Miner, lines ...string) (last Match) {
	for _, line := range lines {
		last = m.Add([]byte(line))
	}
	return last
}

func TestWordsBecomeValuesOnceTheyHaveHadSeveral(t *testing.T) {
	t.Parallel()
	m := NewMiner(DefaultLimits())
	a := feed(m, "session closed for user root")
	b := feed(m, "session closed for user news")
	if a.ID == b.ID || !b.New {
		t.Errorf("two spellings are one event already: %v %v", a, b)
	}
	feed(m, "session closed for user cyrus")
	d := feed(m, "session closed for user eve")
	if d.New || d.ID != a.ID || len(d.Absorbed) != 2 {
		t.Errorf("the fourth name says that it is a value, got %+v", d)
	}
	if got := m.Text(b.ID); got != "session closed for user <*>" || m.Len() != 1 {
		t.Errorf("%q, %d templates", got, m.Len())
	}
	if e := feed(m, "session closed for user bob"); e.New || e.ID != a.ID {
		t.Errorf("a fifth name: %+v", e)
	}
}

func TestStatesStayApart(t *testing.T) {
	t.Parallel()
	m := NewMiner(DefaultLimits())
	for _, s := range []string{"NEW", "RUNNING", "FAILED", "KILLED", "DONE"} {
		if got := feed(m, "task 7 goes to state "+s); !got.New {
			t.Errorf("state %s is the same event as another", s)
		}
	}
}

func TestWhatIsNoText(t *testing.T) {
	t.Parallel()
	m := NewMiner(DefaultLimits())
	plain := feed(m, "error: disk full")
	for name, line := range map[string]string{
		"colours": "\x1b[31;1merror:\x1b[0m disk full",
		"title":   "\x1b]0;title\x07error: disk full",
		"return":  "error: disk full\r",
		"UTF-16":  "\xff\xfee\x00r\x00r\x00o\x00r\x00:\x00 \x00d\x00i\x00s\x00k\x00 \x00f\x00u\x00l\x00l\x00",
	} {
		if got := feed(m, line); got.ID != plain.ID {
			t.Errorf("%s: template %q, want that of the plain line", name, m.Text(got.ID))
		}
	}
	a := feed(m, "\x00\x01\x02\x03\x04binary")
	b := feed(m, strings.Repeat("\x07\x00\x1b\x02", 1000))
	if a.ID != b.ID || m.Stats().Binary != 2 {
		t.Errorf("two dumps make %q and %q, %+v", m.Text(a.ID), m.Text(b.ID), m.Stats())
	}
	sjis := feed(m, "\x83G\x83\x89\x81[ 12")
	if got := feed(m, "\x83G\x83\x89\x81[ 13"); got.ID != sjis.ID || strings.Contains(m.Text(got.ID), "\x83") {
		t.Errorf("another encoding: %q", m.Text(got.ID))
	}
	long := feed(m, "dump "+strings.Repeat("x1 yy ", 1<<18))
	if got := feed(m, "dump "+strings.Repeat("x7 yy ", 1<<18)); got.ID != long.ID || m.Stats().Cut != 2 {
		t.Errorf("lines of a megabyte: %v %v %+v", long, got, m.Stats())
	}
	feed(m, "", " ", "\n", "\x1b", "\x1b[", "\"", "=\"")
}

// Whatever comes, a miner keeps what it promised to keep at most.
func TestBounded(t *testing.T) {
	t.Parallel()
	l := Limits{Templates: 50, Words: 8, Bytes: 200}
	m := NewMiner(l)
	for i := range 5000 {
		m.Add(fmt.Appendf(nil, "%c%c%c %s up", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26, strings.Repeat("w ", i%9)))
	}
	if m.Len() > l.Templates || len(m.seen) > maxKeys*l.Templates || len(m.forward) > forwards*l.Templates || m.recent.Len() != m.Len() {
		t.Errorf("keeps %d templates, %d keys, %d forwards", m.Len(), len(m.seen), len(m.forward))
	}
	if m.Stats().Forgotten == 0 {
		t.Error("what was forgotten is not counted")
	}
	in := 0
	for _, b := range m.buckets {
		in += len(b)
	}
	if in != m.Len() {
		t.Errorf("%d in buckets, %d by id", in, m.Len())
	}
}

func TestOneTemplateForEachShape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := NewMiner(DefaultLimits())
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z]{3,7}`), 1, 8).Draw(t, "words")
		line := func() string {
			var b strings.Builder
			for _, w := range words {
				fmt.Fprintf(&b, "%s %d ", w, rapid.Uint32().Draw(t, "n"))
			}
			return b.String()
		}
		first := feed(m, line())
		for range 5 {
			if got := feed(m, line()); got.ID != first.ID || got.New {
				t.Fatalf("numbers made another template: %q and %q", m.Text(first.ID), m.Text(got.ID))
			}
		}
	})
}

func FuzzMiner(f *testing.F) {
	for _, s := range []string{"a=\"b c\" /x/y 10.0.0.1", "\x1b[3", "\xff\xfe\x00", "<*> <*>, KB <1 sec", "C:\\x\\y"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := NewMiner(Limits{Templates: 5, Words: 6, Bytes: 100})
		before := bytes.Clone(data)
		for line := range bytes.Lines(data) {
			got := m.Add(line)
			if again := m.Add(line); again.New || m.Root(again.ID) != m.Root(got.ID) {
				t.Fatalf("the same line twice: %+v, %+v", got, again)
			}
			if m.Len() > 5 {
				t.Fatal("too many templates")
			}
		}
		if !bytes.Equal(before, data) {
			t.Fatal("the line was changed")
		}
	})
}

func BenchmarkMiner(b *testing.B) {
	lines := make([][]byte, 1000)
	for i := range lines {
		switch i % 4 {
		case 0:
			lines[i] = fmt.Appendf(nil, "Failed password for invalid user admin%d from 10.0.%d.%d port %d ssh2", i, i%7, i%250, 1024+i)
		case 1:
			lines[i] = fmt.Appendf(nil, "081109 203615 148 INFO dfs.DataNode$PacketResponder: Received block blk_%d of size 67108864 from /10.251.42.84", i*7919)
		case 2:
			lines[i] = fmt.Appendf(nil, `10.11.10.1 "GET /v2/54fadb412c4e40cdbaed9335e4c35a9e/servers/detail HTTP/1.1" status: 200 len: %d time: 0.%d`, 1893+i, i)
		default:
			lines[i] = fmt.Appendf(nil, "session opened for user %s by (uid=%d)", strings.Repeat("x", i%11), i)
		}
	}
	m := NewMiner(DefaultLimits())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Add(lines[i%len(lines)])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
