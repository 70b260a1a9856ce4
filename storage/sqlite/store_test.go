package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/record"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func batch(n int) *incidents.Batch {
	return &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC().Round(0), GroupKey: "g", Alerts: []incidents.Alert{{
		Labels: incidents.LabelsFromMap(map[string]string{"alertname": "A", "n": fmt.Sprint(n)}), StartsAt: time.Now().UTC().Round(0),
	}}}
}

func effect(key string, wait time.Duration) incidents.Effect {
	return incidents.Effect{Key: key, Kind: incidents.DoDiagnose, Incident: 1, Lane: "test", Due: time.Now().Add(wait), Urgency: 2}
}

func declared(t testing.TB, s *sqlite.Store, title string) (*incidents.Incident, *incidents.Commit) {
	t.Helper()
	id, err := s.NewIDs(t.Context(), 0, 1)
	check(t, err)
	st := &incidents.Incident{}
	cmd := incidents.Declare{ID: id, Title: title, By: incidents.Actor{ID: "console:you", Name: "you"}}
	events, effects, err := incidents.Advance(st, cmd, time.Now(), incidents.Policy{Chats: []string{"console"}})
	check(t, err)
	return st, &incidents.Commit{Changes: []incidents.Change{{Events: events, State: st}}, Effects: effects}
}

func claims(t testing.TB, s *sqlite.Store, lane string) []incidents.Claim {
	t.Helper()
	got, _, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: lane, Max: 100, Lease: time.Minute})
	check(t, err)
	return got
}

// TestReopen: everything is there again after the store was closed, and after
// it was only dropped, as by a crash.
func TestReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Shards: 4})
	check(t, err)
	st, c := declared(t, s, "first")
	c.Once = "slack:1"
	c.Groups = []incidents.GroupChange{{Key: incidents.Key{1}, Next: []incidents.ID{st.ID}}, {Key: incidents.Key{2}, Next: []incidents.ID{st.ID, 9}}}
	c.Facts = []incidents.Fact{{Kind: incidents.FactVote}}
	c.Effects = append(c.Effects, effect("due", -time.Minute), effect("later", time.Hour), effect("claimed", -time.Minute), effect("dead", -time.Minute), effect("tried", -time.Minute))
	check(t, s.Commit(t.Context(), c))
	for i := range 3 {
		check(t, s.Append(t.Context(), batch(i)))
	}
	log := logOf(t, s)
	check(t, s.Commit(t.Context(), &incidents.Commit{Shard: log, Fold: &incidents.Fold{Log: log, From: 0, To: 2}}))
	_, err = s.Post(t.Context(), "room", "k", []byte("body"), time.Now())
	check(t, err)
	for _, c := range claims(t, s, "test") {
		switch c.Effect.Key {
		case "dead":
			c.Dead = "no"
			check(t, s.Commit(t.Context(), &incidents.Commit{Done: &c}))
		case "tried":
			check(t, s.Retry(t.Context(), &c, time.Now(), "timeout"))
		case "due":
			check(t, s.Commit(t.Context(), &incidents.Commit{Done: &c, Effects: []incidents.Effect{effect("due", -time.Second)}}))
		}
	}
	check(t, s.Close())
	check(t, s.Close())

	s = open(t, sqlite.Config{Dir: dir})
	if s.Shards() != 4 {
		t.Fatalf("%d shards", s.Shards())
	}
	got, err := s.Load(t.Context(), st.ID)
	check(t, err)
	if got.Title != "first" || got.Version != st.Version {
		t.Fatalf("loaded %+v", got)
	}
	lists, err := s.Groups(t.Context(), 0, []incidents.Key{{1}, {2}, {3}})
	check(t, err)
	if fmt.Sprint(lists) != fmt.Sprint([][]incidents.ID{{st.ID}, {st.ID, 9}, nil}) {
		t.Fatalf("groups %v", lists)
	}
	mark, err := s.Mark(t.Context(), log, log)
	check(t, err)
	if mark != 2 {
		t.Fatalf("mark %d", mark)
	}
	if err := s.Commit(t.Context(), &incidents.Commit{Once: "slack:1"}); !errors.Is(err, incidents.ErrOnce) {
		t.Fatalf("once: %v", err)
	}
	var keys []string
	attempts := map[string]int{}
	for _, c := range claims(t, s, "test") {
		keys = append(keys, c.Effect.Key)
		attempts[c.Effect.Key] = c.Attempt
	}
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"claimed", "due", "tried"}) || attempts["tried"] != 2 || attempts["due"] != 1 {
		t.Fatalf("claimed %v, attempts %v", keys, attempts)
	}
	if got := claims(t, s, "console"); len(got) != 1 || got[0].Effect.Kind != incidents.DoSyncRoom || got[0].Effect.Incident != st.ID || got[0].Effect.Arg != "console" {
		t.Fatalf("the room's effect: %+v", got)
	}
	letters, err := s.DeadLetters(t.Context(), 10)
	check(t, err)
	if len(letters) != 1 || letters[0].Effect.Key != "dead" {
		t.Fatalf("dead letters %+v", letters)
	}
	next, err := s.NewIDs(t.Context(), 0, 1)
	check(t, err)
	if next != st.ID+1 {
		t.Fatalf("next number %s", next)
	}
	check(t, s.Commit(t.Context(), &incidents.Commit{Facts: []incidents.Fact{{Kind: incidents.FactOutcome}}}))
	facts, err := s.Facts(t.Context(), 0, 0, 10)
	check(t, err)
	if len(facts) != 2 || facts[1].Seq != 2 {
		t.Fatalf("facts %+v", facts)
	}
	check(t, s.Append(t.Context(), batch(4)))
	entries, err := s.ReadLog(t.Context(), log, 2, 1<<20)
	check(t, err)
	if len(entries) != 2 || entries[0].Offset != 3 || entries[1].Offset != 4 {
		t.Fatalf("entries %+v", entries)
	}
	page, err := s.List(t.Context(), incidents.Query{Open: true})
	check(t, err)
	if page.Open != 1 || len(page.Incidents) != 1 {
		t.Fatalf("page %+v", page)
	}
}

func logOf(t testing.TB, s *sqlite.Store) int {
	t.Helper()
	for log := range s.Shards() {
		if got, err := s.ReadLog(t.Context(), log, 0, 1); err == nil && len(got) > 0 {
			return log
		}
	}
	t.Fatal("no log has anything")
	return 0
}

func refused(t *testing.T, err error, code incidents.Code, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok || e.Code != code || e.Hint == "" || e.Phrase == "" {
		t.Fatalf("got %+v, want an error for people with the code %s", err, code)
	}
	for _, w := range words {
		if !strings.Contains(e.Message+e.Hint, w) {
			t.Fatalf("%q (%s) does not mention %q", e.Message, e.Hint, w)
		}
	}
}

func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, sqlite.Config{Dir: dir})
	_, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	refused(t, err, incidents.Conflict, dir, fmt.Sprint(os.Getpid()), "--data")
}

func TestPrivateFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := open(t, sqlite.Config{Dir: dir})
	check(t, s.Append(t.Context(), batch(1)))
	found := 0
	check(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		check(t, err)
		info, err := d.Info()
		check(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		found++
		return nil
	}))
	if found < 4 {
		t.Fatalf("only %d files", found)
	}
}

func TestOtherShards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Shards: 3})
	check(t, err)
	check(t, s.Close())
	_, err = sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Shards: 5})
	refused(t, err, incidents.Invalid, "3", "5")
	open(t, sqlite.Config{Dir: dir, Shards: 3}) // and the refusal left nothing locked
}

// tamper changes the file behind the store's back.
func tamper(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	check(t, err)
	defer db.Close()
	_, err = db.Exec(statement)
	check(t, err)
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	check(t, err)
	check(t, s.Close())
	tamper(t, dir, `UPDATE meta SET value = 99 WHERE name = 'schema'`)
	_, err = sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	refused(t, err, incidents.Invalid, "99", "newer")
}

// An older store is of this release once it was opened, so that the older one refuses it.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		check(t, err)
		check(t, s.Close())
		db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
		check(t, err)
		var stored int
		check(t, db.QueryRow(`SELECT value FROM meta WHERE name = 'schema'`).Scan(&stored))
		check(t, db.Close())
		if stored != record.Schema {
			t.Fatalf("schema %d, want %d", stored, record.Schema)
		}
		tamper(t, dir, `UPDATE meta SET value = 1 WHERE name = 'schema'`)
	}
}

func TestForeignFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, sqlite.FileName), []byte(strings.Repeat("this is no database ", 500)), 0o600))
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir}); err == nil {
		t.Fatal("opened a text")
	}
	other := t.TempDir()
	tamper(t, other, `CREATE TABLE songs (name TEXT)`)
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: other}); err == nil || !strings.Contains(err.Error(), "meta") && !strings.Contains(err.Error(), "not a store") {
		t.Fatalf("opened somebody else's database: %v", err)
	}
}

func TestNoDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Dir: filepath.Join(file, "data")}); err == nil {
		t.Fatal("opened in a file")
	}
}

var ringBound = incidents.RingBound{Ring: 1 << 20, All: 1 << 20}

func TestClosed(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	check(t, err)
	signals, cancel := s.Watch()
	defer cancel()
	check(t, s.Close())
	if _, open := <-signals; open {
		t.Fatal("the signals go on")
	}
	for what, err := range map[string]error{
		"append": s.Append(t.Context(), batch(1)),
		"commit": s.Commit(t.Context(), &incidents.Commit{Once: "x"}),
		"load":   func() error { _, err := s.Load(t.Context(), 1); return err }(),
		"push":   func() error { _, err := s.PushRings(t.Context(), "logs", ringBound, nil); return err }(),
		"pull":   func() error { _, _, err := s.PullRings(t.Context(), "logs", 0, 1); return err }(),
	} {
		if incidents.CodeOf(err) != incidents.Unavailable {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

// TestFullLane: what does not fit is refused at once, and nothing of it is
// written; what was accepted is.
func TestFullLane(t *testing.T) {
	t.Parallel()
	s := open(t, sqlite.Config{MaxUnfolded: 2000})
	appended := 0
	var err error
	for range 1000 {
		if err = s.Append(t.Context(), batch(appended)); err != nil {
			break
		}
		appended++
	}
	if incidents.CodeOf(err) != incidents.Overloaded || appended < 10 {
		t.Fatalf("after %d appends: %v", appended, err)
	}
	entries, err := s.ReadLog(t.Context(), 0, 0, 1<<20)
	check(t, err)
	if len(entries) != appended {
		t.Fatalf("%d entries, %d appended", len(entries), appended)
	}
	check(t, s.Commit(t.Context(), &incidents.Commit{Fold: &incidents.Fold{Log: 0, From: 0, To: int64(appended)}}))
	check(t, s.Append(t.Context(), batch(appended)))
}

// TestFullDisk: a database that may not grow any more stands for a full disk.
// A commit says Unavailable, what was acknowledged stays, and when there is room
// again the store goes on by itself. For the intake log see
// TestFullDiskAndRoomAgain.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, MaxPages: 60})
	check(t, err)
	const acknowledged = 20
	for n := range acknowledged {
		check(t, s.Append(t.Context(), batch(n)))
	}
	large := make([]byte, 400_000) // of which no compression makes less than 60 pages
	r := rand.New(rand.NewPCG(1, 2))
	for i := range large {
		large[i] = byte(33 + r.IntN(90))
	}
	err = s.Commit(t.Context(), &incidents.Commit{Facts: []incidents.Fact{{Action: string(large)}}})
	if incidents.CodeOf(err) != incidents.Unavailable {
		t.Fatalf("commit on a full disk: %v", err)
	}
	if _, err := s.PushRings(t.Context(), "logs", ringBound, []incidents.RingItem{{Ring: "a", Body: large}}); incidents.CodeOf(err) != incidents.Unavailable {
		t.Fatalf("push on a full disk: %v", err)
	}
	if items, last, err := s.PullRings(t.Context(), "logs", 0, 1); err != nil || len(items) > 0 || last != 0 {
		t.Fatalf("of a push that failed there is %v, %d: %v", items, last, err)
	}
	h := s.Health(t.Context())
	if h.Durable || len(h.Problems) != 1 || h.Problems[0].Phrase != "store.disk_full" {
		t.Fatalf("health of a full disk: %+v", h)
	}
	check(t, s.Close())

	s = open(t, sqlite.Config{Dir: dir}) // with room
	entries, err := s.ReadLog(t.Context(), 0, 0, 64<<20)
	check(t, err)
	n := 0
	for _, e := range entries {
		for _, b := range e.Batches {
			if got := b.Alerts[0].Labels.Get("n"); got != fmt.Sprint(n) {
				t.Fatalf("batch %d holds %s", n, got)
			}
			n++
		}
	}
	if n != acknowledged {
		t.Fatalf("%d batches, %d acknowledged", n, acknowledged)
	}
	check(t, s.Append(t.Context(), batch(n)))
	if last, err := s.PushRings(t.Context(), "logs", ringBound, []incidents.RingItem{{Ring: "a", Body: large}}); err != nil || last != 1 {
		t.Fatalf("push with room: %d, %v", last, err)
	}
	if h := s.Health(t.Context()); !h.Durable {
		t.Fatalf("health with room: %+v", h)
	}
}

// TestSpoiledOperation: an operation whose write fails takes nobody along who
// shares its transaction.
func TestSpoiledOperation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	check(t, err)
	check(t, s.Close())
	tamper(t, dir, `INSERT INTO events (row, body) VALUES (2 << 24 | 1, x'00')`) // the number of event 1 of INC-2 is taken
	s = open(t, sqlite.Config{Dir: dir})
	type result struct {
		id  incidents.ID
		err error
	}
	results := make(chan result)
	const n = 8
	var commits []*incidents.Commit
	for range n {
		_, c := declared(t, s, "x")
		commits = append(commits, c)
	}
	for _, c := range commits {
		go func() { results <- result{c.Changes[0].State.ID, s.Commit(t.Context(), c)} }()
	}
	for range n {
		r := <-results
		if (r.err != nil) != (r.id == 2) {
			t.Errorf("%s: %v", r.id, r.err)
		}
	}
	for _, c := range commits {
		_, err := s.Load(t.Context(), c.Changes[0].State.ID)
		if c.Changes[0].State.ID != 2 {
			check(t, err)
		}
	}
	if got := claims(t, s, "console"); len(got) != n-1 {
		t.Fatalf("%d effects, want those of the %d that were committed", len(got), n-1)
	}
}

// TestPruneBySize: where the file is large, folded intake goes whatever its age.
func TestPruneBySize(t *testing.T) {
	t.Parallel()
	s := open(t, sqlite.Config{MaxKept: 300 << 10})
	last := int64(0)
	for i := range 200 {
		b := batch(i)
		b.Alerts[0].Annotations = incidents.LabelsFromMap(map[string]string{"description": strings.Repeat("x", 10_000)})
		check(t, s.Append(t.Context(), b))
		last++
	}
	check(t, s.Commit(t.Context(), &incidents.Commit{Fold: &incidents.Fold{Log: 0, From: 0, To: last - 1}}))
	n, err := s.Prune(t.Context(), time.Hour)
	check(t, err)
	entries, err := s.ReadLog(t.Context(), 0, 0, 1<<30)
	check(t, err)
	if n == 0 || len(entries)+n != 200 || entries[len(entries)-1].Offset != last {
		t.Fatalf("pruned %d, %d left", n, len(entries))
	}
	small := open(t, sqlite.Config{})
	check(t, small.Append(t.Context(), batch(1)))
	check(t, small.Commit(t.Context(), &incidents.Commit{Fold: &incidents.Fold{Log: 0, From: 0, To: 1}}))
	if n, err := small.Prune(t.Context(), time.Hour); n != 0 || err != nil {
		t.Fatalf("pruned %d within the hour, %v", n, err)
	}
}

// TestDeadlyEffect: an effect that takes the process down is not tried for the
// first time for ever.
func TestDeadlyEffect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for attempt := 1; attempt <= 3; attempt++ {
		s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		check(t, err)
		if attempt == 1 {
			check(t, s.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{effect("deadly", 0)}}))
		}
		got := claims(t, s, "test")
		if len(got) != 1 || got[0].Attempt != attempt {
			t.Fatalf("claimed %+v, want attempt %d", got, attempt)
		}
		deadline := time.Now().Add(time.Minute)
		for sqlite.Noted(s) == 0 && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		check(t, s.Close()) // without having acknowledged it
	}
}

func TestOpenIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := sqlite.Open(ctx, sqlite.Config{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("opened although nobody waits: %v", err)
	}
	open(t, sqlite.Config{Dir: dir})
}

func TestEveryStatementIsWritten(t *testing.T) {
	t.Parallel()
	for i, q := range sqlite.Statements() {
		if q == "" {
			t.Errorf("statement %d is empty", i)
		}
	}
}

// TestBacklogOfAnEarlierRelease: what waits in the table is read before what
// was appended to the journal, also where it is more than one step reads.
func TestBacklogOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	check(t, err)
	check(t, s.Close())
	large := func(n int) *incidents.Batch {
		b := batch(n)
		b.Alerts[0].Annotations = incidents.LabelsFromMap(map[string]string{"description": strings.Repeat("x", 3000)})
		return b
	}
	for i := 1; i <= 3; i++ {
		tamper(t, dir, fmt.Sprintf(`INSERT INTO intake VALUES (%d, 1, x'%x')`, i, record.Batch(large(i))))
	}
	s = open(t, sqlite.Config{Dir: dir})
	check(t, s.Append(t.Context(), batch(4)))
	var got []int64
	for after := int64(0); ; after = got[len(got)-1] {
		entries, err := s.ReadLog(t.Context(), 0, after, 4000) // one large entry fits, and a small one
		check(t, err)
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			got = append(got, e.Offset)
		}
	}
	if !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Fatalf("read entries %v", got)
	}
}

// TestHealthOfTheIntakeLog: while nothing can be appended the store is not
// well, even where the database is. (That it finds out by itself when it can:
// TestFullDiskAndRoomAgain.)
func TestHealthOfTheIntakeLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, sqlite.Config{Dir: dir})
	check(t, os.RemoveAll(filepath.Join(dir, sqlite.JournalDir)))
	for range 3 {
		if err := s.Append(t.Context(), batch(1)); incidents.CodeOf(err) != incidents.Unavailable {
			t.Fatalf("appended to nowhere: %v", err)
		}
		if h := s.Health(t.Context()); h.Durable || len(h.Problems) == 0 {
			t.Fatalf("health while nothing can be appended: %+v", h)
		}
	}
}

// TestDamagedDatabase: what is no database any more is refused, with what to do.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"garbage": func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("x", 8192)), 0o600) },
		"emptied": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		dir := t.TempDir()
		s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		check(t, err)
		check(t, s.Append(t.Context(), batch(1)))
		check(t, s.Close())
		check(t, spoil(filepath.Join(dir, sqlite.FileName)))
		_, err = sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		if e, ok := errors.AsType[*incidents.Error](err); !ok || e.Hint == "" || e.Phrase == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFactThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	conformance.DamagedFact(t, open(t, sqlite.Config{Dir: dir, Shards: 2}), func(shard int, seq int64) {
		tamper(t, dir, fmt.Sprintf(`UPDATE facts SET body = x'01746f726e' WHERE row = %d`, int64(shard)<<48|seq))
	})
}
