package trail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// The test binary is also the child that gets killed.
const childEnv = "HIKESHI_TRAIL_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := halfDone(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

var (
	keyLine  = strings.Repeat("0123456789abcdef", 4)
	otherKey = strings.Repeat("fedcba9876543210", 4)
	bea      = audit.Person{ID: "console:bea"}
)

func keysOf(line string) audit.Keys {
	keys, err := audit.ParseKeys(line)
	if err != nil {
		panic(err)
	}
	return keys
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openSQLite(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func openRedis(t testing.TB, url string) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), redis.Config{URL: url, Shards: 1})
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newLog(s storage.Store, owner string, change ...func(*trail.Options)) *trail.Log {
	o := trail.Options{Store: s, Leases: s, Keys: keysOf(keyLine), Owner: owner, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Upkeep: 20 * time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	return trail.New(o)
}

// running looks after a log until the test, or stop, ends it.
func running(t testing.TB, l *trail.Log) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func intent(why string) audit.Record {
	return audit.Record{Action: audit.ActRun, By: bea, Why: why, Run: "INC-1/1"}
}

// records reads and verifies the whole chain.
func records(t testing.TB, s trail.Store, cps ...audit.Checkpoint) ([]*audit.Record, audit.Report) {
	t.Helper()
	v, after := audit.NewVerifier(keysOf(keyLine), cps), int64(0)
	var all []*audit.Record
	for {
		list, err := s.AuditEntries(t.Context(), after, 500)
		check(t, err)
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			if p := v.Next(e); p != nil {
				t.Fatalf("%+v", p)
			}
			r, err := audit.Decode(e.Body)
			check(t, err)
			all = append(all, r)
			after = e.Seq
		}
	}
	r, p := v.End(time.Now(), time.Hour)
	if p != nil {
		t.Fatalf("%+v", p)
	}
	return all, r
}

func eventually(t testing.TB, what string, good func() bool) {
	t.Helper()
	deadline := time.After(45 * time.Second)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !good() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestBeginAndEnd(t *testing.T) {
	t.Parallel()
	s := openSQLite(t, t.TempDir())
	l := newLog(s, "one")
	i, err := l.Begin(t.Context(), intent("because"))
	check(t, err)
	i.End(audit.Record{Result: audit.Done})
	i.End(audit.Record{Result: audit.Failed}) // the first counts
	check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
	for _, want := range []error{incidents.Fail(incidents.Conflict, "error.decided.approved", "secret detail"), errors.New("secret detail")} {
		if err := l.Act(t.Context(), intent(""), func() error { return want }); !errors.Is(err, want) {
			t.Errorf("%v became %v", want, err)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_ = l.Act(t.Context(), intent(""), func() error { panic("x") })
	}()
	all, report := records(t, s)
	var said []string
	for _, r := range all {
		said = append(said, fmt.Sprintf("%s %d %s %s", r.Kind, r.Of, r.Result, r.Error))
	}
	want := "intent 0  |outcome 1 done |intent 0  |outcome 3 done |intent 0  |outcome 5 failed error.decided.approved|" +
		"intent 0  |outcome 7 unknown internal|intent 0  |outcome 9 unknown "
	if got := strings.Join(said, "|"); got != want || len(report.Pending) != 0 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Two replicas that append 10,000 records at once make one chain without a fork
// or a gap, in which each has its outcomes.
func TestReplicasRace(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	a, b := newLog(openRedis(t, server.URL), "one"), newLog(openRedis(t, server.URL), "two")
	const each, hands = 1250, 64 // 2 replicas × 2 records
	perHand := 2 * each / hands
	var wg sync.WaitGroup
	for _, l := range []*trail.Log{a, b} {
		for range hands {
			wg.Go(func() {
				for range perHand {
					i, err := l.Begin(t.Context(), intent(""))
					if err != nil {
						t.Error(err)
						return
					}
					i.End(audit.Record{Result: audit.Done})
				}
			})
		}
	}
	wg.Wait()
	for _, l := range []*trail.Log{a, b} {
		running(t, l)() // an outcome that a busy machine was too slow to write in time is owed
	}
	all, report := records(t, openRedis(t, server.URL))
	owners := map[string]int{}
	for _, r := range all {
		if r.Kind == audit.Intent || r.Kind == audit.Outcome {
			owners[r.Replica]++
		}
	}
	if want := 2 * hands * perHand; owners["one"] != want || owners["two"] != want || len(report.Pending) != 0 || report.Unknown != 0 {
		t.Errorf("%v of %d each; %+v", owners, want, report)
	}
}

// halfDone begins something and is killed.
func halfDone(dir string) error {
	s, err := sqlite.Open(context.Background(), sqlite.Config{Dir: dir})
	if err != nil {
		return err
	}
	l := newLog(s, fmt.Sprintf("child-%d", os.Getpid()))
	if _, err := l.Begin(context.Background(), intent("half done")); err != nil {
		return err
	}
	fmt.Print("begun")
	select {}
}

// kill -9 between intent and outcome: the next start records unknown, once,
// however often it starts.
func TestKilledBetween(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 3 {
		child, out := conformance.Child(t, childEnv+"="+dir)
		<-out.After(len("begun"))
		check(t, child.Process.Kill())
		_ = child.Wait()
	}
	for life := range 3 {
		s := openSQLite(t, dir)
		stop := running(t, newLog(s, fmt.Sprintf("life-%d", life)))
		eventually(t, "nothing is owed", func() bool {
			owed, err := s.AuditOwed(t.Context())
			return err == nil && len(owed) == 0
		})
		stop()
		all, report := records(t, s)
		if len(all) != 6 || report.Unknown != 3 || report.Intents != 3 {
			t.Fatalf("life %d: %+v", life, report)
		}
		for _, r := range all[3:] {
			if r.Result != audit.Unknown || r.Replica != "life-0" || r.Run != "INC-1/1" || r.Action != audit.ActRun {
				t.Fatalf("%+v", r)
			}
		}
		check(t, s.Close())
	}
}

// Of a living replica nobody tells the outcome but itself; of a dead one exactly
// one other does. One that was only stopped keeps what it knows as a note.
func TestDeadReplica(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := openRedis(t, server.URL)
	alive, dead := newLog(s, "alive"), newLog(s, "dead")
	running(t, alive)
	mine, err := alive.Begin(t.Context(), intent("mine"))
	check(t, err)
	theirs, err := dead.Begin(t.Context(), intent("theirs"))
	check(t, err)
	held, err := s.Lease(t.Context(), "audit/dead", "dead", time.Millisecond) // as it is when it has run out
	check(t, err)
	if !held {
		t.Fatal("the lease was not the dead one's")
	}
	running(t, newLog(s, "third"))
	eventually(t, "the dead one's outcome", func() bool {
		owed, err := s.AuditOwed(t.Context())
		return err == nil && len(owed) == 1 && owed[0].Owner == "alive"
	})
	theirs.End(audit.Record{Result: audit.Done})
	mine.End(audit.Record{Result: audit.Done})
	all, report := records(t, s)
	if len(all) != 5 || report.Unknown != 1 || len(report.Pending) != 0 {
		t.Fatalf("%+v", report)
	}
	if late := all[3]; late.Kind != audit.Note || late.Of != 2 || late.Result != audit.Done {
		t.Errorf("what the stopped one knew: %+v", late)
	}
}

// flaky is a store whose appends fail before or after they happen.
type flaky struct {
	storage.Store
	mu     sync.Mutex
	before error
	after  error
	hang   bool
	lost   func() // called once the answer of an append was lost
}

func (f *flaky) set(before, after error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *flaky) AppendAudit(ctx context.Context, after audit.Head, entries []audit.Entry) error {
	f.mu.Lock()
	before, behind, hang, lost := f.before, f.after, f.hang, f.lost
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		return errAway
	}
	if before != nil {
		return before
	}
	err := errors.Join(f.Store.AppendAudit(ctx, after, entries), behind)
	if behind != nil && lost != nil {
		lost()
	}
	return err
}

var errAway = incidents.Fail(incidents.Unavailable, "error.store_away", "the store is away")

// Where the intent cannot be written, nothing is done, and people are told.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	f := &flaky{Store: openSQLite(t, t.TempDir())}
	l := newLog(f, "one")
	kept, err := l.Begin(t.Context(), intent("kept"))
	check(t, err)
	f.set(errAway, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = l.Act(ctx, intent("refused"), func() error { t.Error("it was done"); return nil })
	if e, ok := errors.AsType[*incidents.Error](err); !ok || e.Phrase != "error.audit_away" || e.Hint == "" {
		t.Errorf("%v", err)
	}
	kept.End(audit.Record{Result: audit.Done}) // must be told later
	l.Note(t.Context(), audit.Record{Action: audit.ActSignIn, By: bea})
	if _, notes := l.Problems(); len(notes) != 1 || notes[0].Phrase != "ready.audit_owed" || notes[0].Args["n"] != "2" {
		t.Errorf("problems: %+v", notes)
	}
	f.set(nil, nil)
	running(t, l)
	eventually(t, "what is owed", func() bool { _, notes := l.Problems(); return len(notes) == 0 })
	all, report := records(t, f)
	if len(all) != 3 || report.Unknown != 0 || all[1].Result != audit.Done || all[2].Action != audit.ActSignIn {
		t.Errorf("%+v", report)
	}
}

// An answer that was lost: the intent stands in the chain, its caller was told
// that it does not. It ends as failed, without anybody having acted; an outcome
// that was written all the same is not written twice.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	f := &flaky{Store: openSQLite(t, t.TempDir())}
	l := newLog(f, "one")
	good, err := l.Begin(t.Context(), intent("good"))
	check(t, err)
	f.set(nil, errAway)
	ctx, cancel := context.WithCancel(t.Context())
	f.lost = cancel // by then it stands in the chain
	if _, err := l.Begin(ctx, intent("lost")); err == nil {
		t.Fatal("the answer was not lost")
	}
	f.set(nil, nil)
	check(t, l.Act(t.Context(), intent("next"), func() error { return nil }))
	f.set(nil, errAway)
	good.End(audit.Record{Result: audit.Done})
	f.set(nil, nil)
	running(t, l)
	eventually(t, "nothing is owed", func() bool {
		owed, err := f.AuditOwed(t.Context())
		_, notes := l.Problems()
		return err == nil && len(owed) == 0 && len(notes) == 0
	})
	all, report := records(t, f)
	var said []string
	for _, r := range all {
		said = append(said, fmt.Sprintf("%s %d %s%s", r.Kind, r.Of, r.Why, r.Result))
	}
	if want := "intent 0 good|intent 0 lost|outcome 2 failed|intent 0 next|outcome 4 done|outcome 1 done"; strings.Join(said, "|") != want || report.Unknown != 0 {
		t.Errorf("got  %s\nwant %s", strings.Join(said, "|"), want)
	}
}

// A store that hangs costs its callers a bounded time.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	f := &flaky{Store: openSQLite(t, t.TempDir()), hang: true}
	l := newLog(f, "one")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := l.Begin(ctx, intent("")); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("%v", err)
	}
}

// cut is a store that lost its end, as after a fail-over, or to somebody.
type cut struct {
	storage.Store
	entries []audit.Entry
}

func (c *cut) AuditHead(context.Context) (audit.Head, error) {
	if len(c.entries) == 0 {
		return audit.Head{}, nil
	}
	last := c.entries[len(c.entries)-1]
	return audit.Head{Seq: last.Seq, MAC: last.MAC}, nil
}

func (c *cut) AuditEntries(_ context.Context, after int64, max int) (list []audit.Entry, err error) {
	for _, e := range c.entries {
		if e.Seq > after && len(list) < max {
			list = append(list, e)
		}
	}
	return list, nil
}

func (c *cut) AppendAudit(ctx context.Context, after audit.Head, entries []audit.Entry) error {
	if head, _ := c.AuditHead(ctx); head != after {
		return &audit.Moved{Head: head}
	}
	c.entries = append(c.entries, entries...)
	return nil
}

func (c *cut) AuditOwed(context.Context) ([]audit.Owed, error) { return nil, nil }

// Onto a chain that is not the one that was left nothing is written, and nothing
// that must be written is done: while the process runs, and, by the checkpoint,
// after a restart.
func TestTamperedChain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attack func(c *cut)
		phrase string
	}{
		"cut":     {func(c *cut) { c.entries = c.entries[:2] }, "error.audit_lost"},
		"emptied": {func(c *cut) { c.entries = nil }, "error.audit_lost"},
		"flipped": {func(c *cut) { c.entries[3].MAC[0] ^= 1 }, "error.audit_lost"},
		"foreign": {func(c *cut) {
			head, _ := c.AuditHead(context.Background())
			e, err := keysOf(otherKey).Seal(head, audit.Record{Kind: audit.Note, Action: audit.ActRun, By: bea, Replica: "x", At: audit.TimeOf(time.Now())})
			if err != nil {
				panic(err)
			}
			c.entries = append(c.entries, e)
		}, "error.audit_other_key"},
		"made up": {func(c *cut) {
			e := c.entries[3]
			e.Seq++
			c.entries = append(c.entries, e)
		}, "error.audit_broken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &cut{Store: openSQLite(t, t.TempDir())}
			sink := trail.NewSink(t.TempDir())
			withSink := func(o *trail.Options) { o.Sink = sink }
			l := newLog(s, "one", withSink)
			check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
			check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
			running(t, l)() // writes a checkpoint when it stops
			c.attack(s)
			for _, on := range []*trail.Log{l, newLog(s, "two", withSink)} {
				n, what := len(s.entries), c.phrase
				err := on.Act(t.Context(), intent(""), func() error { t.Error("it was done"); return nil })
				e, ok := errors.AsType[*incidents.Error](err)
				wrong, _ := on.Problems()
				if !ok || e.Phrase != what || len(s.entries) != n || len(wrong) != 1 || wrong[0].Phrase != what {
					t.Errorf("%v, %+v, want %s", err, wrong, what)
				}
			}
		})
	}
}

// Checkpoints: after so many records, when the process stops, where nothing is
// new none; a torn line before does not spoil the next one.
func TestCheckpoints(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, file := openSQLite(t, t.TempDir()), filepath.Join(dir, trail.CheckpointFile)
	check(t, os.WriteFile(file, []byte(`{"seq":12,"head`), 0o600))
	l := newLog(s, "one", func(o *trail.Options) { o.Sink, o.Records, o.Every = trail.NewSink(dir), 10, time.Hour })
	stop := running(t, l)
	for range 10 {
		check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
	}
	read := func() []audit.Checkpoint {
		good, bad, err := trail.ReadCheckpoints(dir, keysOf(keyLine))
		check(t, err)
		if len(bad) != 1 || bad[0].Line != 1 {
			t.Fatalf("bad lines: %+v", bad)
		}
		return good
	}
	eventually(t, "a checkpoint", func() bool { return len(read()) > 0 })
	check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
	stop()
	stop = running(t, newLog(s, "two", func(o *trail.Options) { o.Sink = trail.NewSink(file) }))
	stop()
	cps := read()
	if last := cps[len(cps)-1]; last.Seq != 22 {
		t.Errorf("%+v", cps)
	}
	if _, report := records(t, s, cps...); report.Checkpoints != len(cps) {
		t.Errorf("%+v", report)
	}
	info, err := os.Stat(file)
	check(t, err)
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v", info.Mode())
	}
}

// A place for checkpoints that cannot be written, or hangs, stops nothing, and
// is said.
func TestSinkFails(t *testing.T) {
	t.Parallel()
	s := openSQLite(t, t.TempDir())
	l := newLog(s, "one", func(o *trail.Options) { o.Sink, o.Every = trail.NewSink("/proc/nothing/here"), time.Millisecond })
	check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
	running(t, l)
	eventually(t, "the failure is said", func() bool {
		_, notes := l.Problems()
		return len(notes) == 1 && notes[0].Phrase == "ready.audit_checkpoint"
	})
	check(t, l.Act(t.Context(), intent(""), func() error { return nil }))
}

// Refusals that a stranger can cause by the thousand are sampled, and counted.
func TestSampled(t *testing.T) {
	t.Parallel()
	s := openSQLite(t, t.TempDir())
	var mu sync.Mutex
	now := time.Now()
	l := newLog(s, "one", func(o *trail.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	refused := audit.Record{Action: audit.ActRefused, Result: audit.Failed, By: bea}
	for range 100 {
		l.Note(t.Context(), refused)
	}
	l.Note(t.Context(), audit.Record{Action: audit.ActSignIn, By: bea})
	mu.Lock()
	now = now.Add(2 * time.Minute)
	mu.Unlock()
	l.Note(t.Context(), refused)
	all, _ := records(t, s)
	if len(all) != 62 || all[61].Unsaid != 40 {
		t.Errorf("%d records, the last %+v", len(all), all[len(all)-1])
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	keys, raw, made, err := trail.MakeKeys(dir)
	check(t, err)
	info, err := os.Stat(filepath.Join(dir, trail.KeyFile))
	check(t, err)
	again, _, remade, err := trail.MakeKeys(dir)
	check(t, err)
	if !made || remade || keys.Current() != again.Current() || info.Mode().Perm() != 0o600 || raw == "" {
		t.Errorf("made %v, then %v; %v", made, remade, info.Mode())
	}
	path := filepath.Join(t.TempDir(), "key")
	check(t, os.WriteFile(path, []byte(keyLine), 0o644))
	if _, _, err := trail.ReadKeys(path); !errors.Is(err, trail.ErrOpenKey) {
		t.Errorf("a key that everybody may read: %v", err)
	}
	if _, _, err := trail.ReadKeys(path + "x"); !errors.Is(err, trail.ErrNoKey) {
		t.Errorf("a key that is not there: %v", err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	race, seen := t.TempDir(), map[string]bool{}
	for range 8 {
		wg.Go(func() {
			k, _, _, err := trail.MakeKeys(race)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			seen[k.Current()] = true
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("eight starts at once made %d keys", len(seen))
	}
}
