package audit_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/audit"
)

var (
	oldLine = strings.Repeat("0123456789abcdef", 4)
	newLine = strings.Repeat("fedcba9876543210", 4)
	epoch   = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
)

func keysOf(t testing.TB, lines ...string) audit.Keys {
	t.Helper()
	keys, err := audit.ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// chain is one that was written as it should be.
type chain struct {
	entries []audit.Entry
	head    audit.Head
}

func (c *chain) add(t testing.TB, keys audit.Keys, r audit.Record) int64 {
	t.Helper()
	if r.At.IsZero() {
		r.At = audit.TimeOf(epoch.Add(time.Duration(len(c.entries)) * time.Second))
	}
	if r.Action == "" {
		r.Action = audit.ActRun
	}
	r.By, r.Replica = audit.Person{ID: "console:bea"}, "one"
	e, err := keys.Seal(c.head, r)
	if err != nil {
		t.Fatal(err)
	}
	c.entries, c.head = append(c.entries, e), audit.Head{Seq: e.Seq, MAC: e.MAC}
	return e.Seq
}

// pairs makes n intents with their outcomes.
func pairs(t testing.TB, keys audit.Keys, n int) *chain {
	c := &chain{}
	for range n {
		seq := c.add(t, keys, audit.Record{Kind: audit.Intent})
		c.add(t, keys, audit.Record{Kind: audit.Outcome, Of: seq, Result: audit.Done})
	}
	return c
}

func (c *chain) checkpoint(t testing.TB, keys audit.Keys) audit.Checkpoint {
	t.Helper()
	line, err := keys.Checkpoint(audit.Checkpoint{Seq: c.head.Seq, Head: c.head.MAC, First: c.entries[0].MAC, At: audit.TimeOf(epoch), Replica: "one"})
	if err != nil {
		t.Fatal(err)
	}
	cp, err := keys.ReadCheckpoint(line)
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

func verify(keys audit.Keys, entries []audit.Entry, cps ...audit.Checkpoint) (audit.Report, *audit.Problem) {
	v := audit.NewVerifier(keys, cps)
	for _, e := range entries {
		if p := v.Next(e); p != nil {
			return audit.Report{}, p
		}
	}
	return v.End(epoch.Add(time.Minute), time.Hour)
}

func wantBreach(t testing.TB, p *audit.Problem, what audit.Breach, seq int64) {
	t.Helper()
	if p == nil || p.What != what || p.Seq != seq {
		t.Fatalf("found %+v, want %s at record %d", p, what, seq)
	}
}

func copied(entries []audit.Entry) []audit.Entry {
	out := make([]audit.Entry, len(entries))
	for i, e := range entries {
		e.Body = append([]byte{}, e.Body...)
		out[i] = e
	}
	return out
}

func TestWholeChain(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 50)
	r, p := verify(keys, c.entries, c.checkpoint(t, keys))
	if p != nil || r.Records != 100 || r.Intents != 50 || r.Checkpoints != 1 || len(r.Pending) != 0 || r.Backwards != 0 || r.Head != c.head {
		t.Fatalf("%+v, %+v", r, p)
	}
}

// Every single bit of every record and of every MAC counts.
func TestFlipped(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 3)
	for i := range c.entries {
		for b := range len(c.entries[i].Body) + len(audit.MAC{}) {
			for bit := range 8 {
				bad := copied(c.entries)
				if n := len(bad[i].Body); b < n {
					bad[i].Body[b] ^= 1 << bit
				} else {
					bad[i].MAC[b-n] ^= 1 << bit
				}
				_, p := verify(keys, bad)
				if p == nil || p.Seq != int64(i+1) {
					t.Fatalf("bit %d of byte %d of record %d was flipped: %+v", bit, b, i+1, p)
				}
			}
		}
	}
}

func TestDropped(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 5)
	for i := range len(c.entries) - 1 {
		_, p := verify(keys, append(copied(c.entries[:i]), c.entries[i+1:]...))
		wantBreach(t, p, audit.Missing, int64(i+1))
		renumbered := append(copied(c.entries[:i]), copied(c.entries[i+1:])...)
		for j := i; j < len(renumbered); j++ { // the store's own numbers are nobody's secret
			renumbered[j].Seq--
		}
		_, p = verify(keys, renumbered)
		wantBreach(t, p, audit.Swapped, int64(i+1))
	}
}

func TestSwapped(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 4)
	for i := range c.entries {
		for j := i + 1; j < len(c.entries); j++ {
			bad := copied(c.entries)
			bad[i], bad[j] = bad[j], bad[i]
			bad[i].Seq, bad[j].Seq = bad[j].Seq, bad[i].Seq
			_, p := verify(keys, bad)
			wantBreach(t, p, audit.Swapped, int64(i+1))
		}
	}
}

// Whoever does not have the key cannot make the chain anew from somewhere on.
func TestRestampedWithoutTheKey(t *testing.T) {
	t.Parallel()
	keys, foreign := keysOf(t, oldLine), keysOf(t, newLine)
	c := pairs(t, keys, 3)
	bad := &chain{entries: copied(c.entries[:2]), head: audit.Head{Seq: 2, MAC: c.entries[1].MAC}}
	bad.add(t, foreign, audit.Record{Kind: audit.Note})
	_, p := verify(keys, bad.entries)
	wantBreach(t, p, audit.OtherKey, 3)
	// Even where the record says that it is our key's.
	claimed := copied(bad.entries)
	claimed[2].Body = []byte(strings.Replace(string(claimed[2].Body), foreign.Current(), keys.Current(), 1))
	_, p = verify(keys, claimed)
	wantBreach(t, p, audit.Changed, 3)
}

// Whoever has the key can, but not what a checkpoint saw.
func TestRestampedWithTheKey(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 3)
	cp := c.checkpoint(t, keys)
	bad := pairs(t, keys, 1)
	for range 4 {
		bad.add(t, keys, audit.Record{Kind: audit.Note, Why: "nothing happened here"})
	}
	if _, p := verify(keys, bad.entries); p != nil {
		t.Fatalf("without a checkpoint: %+v", p)
	}
	_, p := verify(keys, bad.entries, cp)
	wantBreach(t, p, audit.Restamped, 6)
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 3)
	early := c.checkpoint(t, keys)
	c.add(t, keys, audit.Record{Kind: audit.Note})
	c.add(t, keys, audit.Record{Kind: audit.Note})
	late := c.checkpoint(t, keys)
	if _, p := verify(keys, c.entries, late, early); p != nil {
		t.Fatal(p)
	}
	for n := range len(c.entries) {
		_, p := verify(keys, c.entries[:n], early, late)
		wantBreach(t, p, audit.Truncated, int64(n))
		if p.To != 8 {
			t.Fatalf("%+v", p)
		}
	}
}

// A piece of another chain with the same key does not fit in.
func TestSpliced(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c, other := pairs(t, keys, 3), &chain{}
	other.add(t, keys, audit.Record{Kind: audit.Note})
	for range 5 {
		other.add(t, keys, audit.Record{Kind: audit.Note})
	}
	for i := range c.entries {
		bad := append(copied(c.entries[:i]), copied(other.entries[i:])...)
		_, p := verify(keys, bad)
		if i == 0 {
			if p != nil { // it is the other chain, whole: a checkpoint tells
				t.Fatal(p)
			}
			_, p = verify(keys, bad, c.checkpoint(t, keys))
			wantBreach(t, p, audit.Restamped, 6)
			continue
		}
		wantBreach(t, p, audit.Changed, int64(i+1))
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	second := pairs(t, keys, 1)
	second.add(t, keys, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Unknown})
	_, p := verify(keys, second.entries)
	wantBreach(t, p, audit.SecondOutcome, 3)

	none := &chain{}
	none.add(t, keys, audit.Record{Kind: audit.Note})
	none.add(t, keys, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Done})
	_, p = verify(keys, none.entries)
	wantBreach(t, p, audit.NoIntent, 2)

	open := pairs(t, keys, 1)
	open.add(t, keys, audit.Record{Kind: audit.Intent})
	r, p := verify(keys, open.entries)
	if p != nil || len(r.Pending) != 1 || r.Pending[0].Seq != 3 {
		t.Fatalf("a young intent: %+v, %+v", r, p)
	}
	v := audit.NewVerifier(keys, nil)
	for _, e := range open.entries {
		if p := v.Next(e); p != nil {
			t.Fatal(p)
		}
	}
	_, p = v.End(epoch.Add(2*time.Hour), time.Hour)
	wantBreach(t, p, audit.NoOutcome, 3)
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	before, both := keysOf(t, oldLine), keysOf(t, "# new\n"+newLine, "", oldLine)
	c := pairs(t, before, 2)
	early := c.checkpoint(t, before)
	c.add(t, both, audit.Record{Kind: audit.Note})
	late := c.checkpoint(t, both)
	r, p := verify(both, c.entries, early, late)
	if p != nil || r.Keys != 2 || r.Checkpoints != 2 {
		t.Fatalf("%+v, %+v", r, p)
	}
	_, p = verify(before, c.entries)
	wantBreach(t, p, audit.OtherKey, 5)
	_, p = verify(keysOf(t, newLine), c.entries)
	wantBreach(t, p, audit.OtherKey, 1)
	c.add(t, before, audit.Record{Kind: audit.Note}) // the old key was put away because somebody had it
	_, p = verify(both, c.entries)
	wantBreach(t, p, audit.OldKey, 6)
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"nothing": "", "a comment": "# key", "short": oldLine[2:], "long": oldLine + "00", "not hex": "x" + oldLine[1:],
		"twice": oldLine + "\n" + oldLine, "weak": strings.Repeat("00", 32), "a password": "correct horse battery staple",
	} {
		_, err := audit.ParseKeys(text)
		if err == nil {
			t.Errorf("%s was taken for a key", what)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error shows it: %v", what, err)
		}
	}
	keys := keysOf(t, oldLine)
	if s := keys.String() + keys.GoString(); strings.Contains(s, "012345") {
		t.Error("a key shows itself")
	}
	if keys.Digest("a", "b") == keys.Digest("ab") || keys.Digest("a") == keysOf(t, newLine).Digest("a") {
		t.Error("digests do not tell values apart")
	}
}

// A clock that goes back, or that of a replica which is behind, breaks nothing; it is said.
func TestClockBack(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := pairs(t, keys, 1)
	c.add(t, keys, audit.Record{Kind: audit.Note, At: audit.TimeOf(epoch.Add(-5 * time.Minute))})
	if r, p := verify(keys, c.entries); p != nil || r.Backwards != 0 {
		t.Fatalf("%+v, %+v", r, p)
	}
	c.add(t, keys, audit.Record{Kind: audit.Note, At: audit.TimeOf(epoch.Add(-time.Hour))})
	if r, p := verify(keys, c.entries); p != nil || r.Backwards != 4 {
		t.Fatalf("%+v, %+v", r, p)
	}
}

func TestForgedCheckpoints(t *testing.T) {
	t.Parallel()
	keys, foreign := keysOf(t, oldLine), keysOf(t, newLine)
	c := pairs(t, keys, 2)
	said := audit.Checkpoint{Seq: 4, Head: c.head.MAC, First: c.entries[0].MAC, At: audit.TimeOf(epoch), Replica: "one"}
	line, err := keys.Checkpoint(said)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * (len(line) - 1) {
		bad := append([]byte{}, line...)
		bad[bit/8] ^= 1 << (bit % 8)
		if cp, err := keys.ReadCheckpoint(bad); err == nil {
			t.Fatalf("bit %d was flipped: %s, %+v", bit, bad, cp)
		}
	}
	theirs, err := foreign.Checkpoint(said)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ReadCheckpoint(theirs); err == nil {
		t.Error("a checkpoint with somebody else's signature was taken")
	}
	for n := range len(line) - 2 {
		if _, err := keys.ReadCheckpoint(line[:n]); err == nil {
			t.Fatalf("%d bytes of a checkpoint were taken", n)
		}
	}
}

// Whatever is put into a record comes out in one line that hides nothing, within
// its bounds, and reads back as the very same bytes.
func TestRecordsAreCanonical(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"\u202eevil", "a\nb", "\x1b]0;x\a", "=1+1", strings.Repeat("\\\"<", 500_000), "\u2028", "火消し"}))
	rapid.Check(t, func(t *rapid.T) {
		r := audit.Record{
			At:   audit.TimeOf(time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))),
			Kind: audit.Note, Action: audit.ActStep, By: audit.Person{ID: "x" + text.Draw(t, "id"), Name: text.Draw(t, "name")},
			Replica: "r" + text.Draw(t, "replica"), Why: text.Draw(t, "why"), Argv: rapid.SliceOfN(text, 0, 70).Draw(t, "argv"), Error: text.Draw(t, "error"),
		}
		e, err := keys.Seal(audit.Head{Seq: 6}, r)
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Body) > audit.MaxBody || !utf8.Valid(e.Body) || strings.ContainsFunc(string(e.Body), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%d bytes: %q", len(e.Body), e.Body)
		}
		got, err := audit.Decode(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got.Seq != 7 || !got.At.Equal(r.At.Time) || got.Kind != r.Kind || len(got.Argv) > 65 {
			t.Fatalf("%+v", got)
		}
		for _, other := range []string{" " + string(e.Body), string(e.Body) + "{}", strings.Replace(string(e.Body), `"seq":7`, `"seq":7,"seq":7`, 1), strings.Replace(string(e.Body), `"seq":7`, `"seq":7.0`, 1)} {
			if _, err := audit.Decode([]byte(other)); err == nil {
				t.Fatalf("read %s", other)
			}
		}
	})
}

// Any mixture of attacks on any chain is found, at or before the first record
// that is not as it was.
func TestAnyAttack(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	whole := pairs(t, keys, 6)
	cp := whole.checkpoint(t, keys)
	rapid.Check(t, func(t *rapid.T) {
		bad := copied(whole.entries)
		for range rapid.IntRange(1, 4).Draw(t, "attacks") {
			if len(bad) == 0 {
				break
			}
			i := rapid.IntRange(0, len(bad)-1).Draw(t, "i")
			switch rapid.SampledFrom([]string{"flip", "drop", "swap", "double", "cut", "renumber"}).Draw(t, "attack") {
			case "flip":
				bad[i].Body[rapid.IntRange(0, len(bad[i].Body)-1).Draw(t, "byte")] ^= 1
			case "drop":
				bad = append(bad[:i:i], bad[i+1:]...)
			case "swap":
				j := rapid.IntRange(0, len(bad)-1).Draw(t, "j")
				bad[i], bad[j] = bad[j], bad[i]
			case "double":
				bad = append(bad[:i+1:i+1], bad[i:]...)
			case "cut":
				bad = bad[:i]
			case "renumber":
				for j := range bad {
					bad[j].Seq = int64(j + 1)
				}
			}
		}
		first := 0
		for first < len(bad) && first < len(whole.entries) && bad[first].MAC == whole.entries[first].MAC &&
			string(bad[first].Body) == string(whole.entries[first].Body) && bad[first].Seq == whole.entries[first].Seq {
			first++
		}
		_, p := verify(keys, bad, cp)
		if intact := first == len(bad) && len(bad) == len(whole.entries); intact != (p == nil) {
			t.Fatalf("first different at %d of %d: %+v", first+1, len(bad), p)
		}
		if p != nil && p.What != audit.Truncated && p.Seq != int64(first+1) {
			t.Fatalf("first different at %d: %+v", first+1, p)
		}
	})
}

func TestExport(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	c := &chain{}
	for _, evil := range []string{"=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", " =1", "＝1", "'=1", "\"=1", "fine", "a,b\"c"} {
		c.add(t, keys, audit.Record{Kind: audit.Note, Why: evil, Code: -1, Argv: []string{evil, "x"}})
	}
	var table, jsonl strings.Builder
	for format, to := range map[string]*strings.Builder{audit.CSV: &table, audit.JSONLines: &jsonl} {
		x := audit.NewExporter(format, to)
		for _, e := range c.entries {
			if err := x.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(table.String())).ReadAll()
	if err != nil || len(rows) != len(c.entries)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") && cell != "-1" || strings.HasPrefix(strings.TrimSpace(cell), "＝") {
				t.Errorf("%s: a spreadsheet calculates %q", rows[0][i], cell)
			}
		}
	}
	n := 0
	for line := range strings.Lines(jsonl.String()) {
		var got struct {
			MAC    audit.MAC
			Record json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.MAC != c.entries[n].MAC {
			t.Fatalf("%s: %v", line, err)
		}
		n++
	}
	if n != len(c.entries) || audit.NewExporter("xml", nil) != nil {
		t.Errorf("%d lines", n)
	}
}

func TestInvalidRecords(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, oldLine)
	good := audit.Record{Kind: audit.Note, Action: audit.ActRun, By: audit.Person{ID: "bot"}, Replica: "one", At: audit.TimeOf(epoch)}
	if _, err := keys.Seal(audit.Head{}, good); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*audit.Record){
		"nobody": func(r *audit.Record) { r.By.ID = "" }, "nothing": func(r *audit.Record) { r.Action = "" }, "never": func(r *audit.Record) { r.At = audit.Time{} },
		"no kind": func(r *audit.Record) { r.Kind = "" }, "an intent with a result": func(r *audit.Record) { r.Kind, r.Result = audit.Intent, audit.Done },
		"an outcome of nothing": func(r *audit.Record) { r.Kind, r.Result = audit.Outcome, audit.Done },
		"an outcome of itself":  func(r *audit.Record) { r.Kind, r.Result, r.Of = audit.Outcome, audit.Done, 1 },
		"maybe":                 func(r *audit.Record) { r.Kind, r.Result, r.Of = audit.Outcome, "maybe", 1 },
	} {
		r := good
		change(&r)
		if _, err := keys.Seal(audit.Head{}, r); err == nil {
			t.Errorf("%s was sealed", what)
		}
	}
	var p *audit.Problem
	if _, err := keys.Follow(audit.Head{}, []audit.Entry{{Seq: 2}}); !errors.As(err, &p) || p.What != audit.Missing {
		t.Error(err)
	}
}
