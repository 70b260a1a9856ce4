package redis_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func batch(n int) *incidents.Batch {
	return &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC().Round(0), GroupKey: fmt.Sprint("g", n%5), Alerts: []incidents.Alert{{
		Labels: incidents.LabelsFromMap(map[string]string{"alertname": "A", "n": fmt.Sprint(n)}), StartsAt: time.Now().UTC().Round(0),
	}}}
}

func effect(key string, wait time.Duration) incidents.Effect {
	return incidents.Effect{Key: key, Kind: incidents.DoDiagnose, Incident: 1, Lane: "test", Due: time.Now().Add(wait), Urgency: 2}
}

// counts says how often each batch is in the logs.
func counts(t testing.TB, s *redis.Store) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for log := range s.Shards() {
		after := int64(0)
		for {
			entries, err := s.ReadLog(t.Context(), log, after, 1<<20)
			check(t, err)
			if len(entries) == 0 {
				break
			}
			for _, e := range entries {
				after = e.Offset
				for _, b := range e.Batches {
					seen[b.Alerts[0].Labels.Get("n")]++
				}
			}
		}
	}
	return seen
}

func claimAll(t testing.TB, s *redis.Store, lease time.Duration) []incidents.Claim {
	t.Helper()
	got, _, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: "test", Owner: "a", Max: 100, Lease: lease})
	check(t, err)
	return got
}

// eventually waits until f says yes.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	limit := time.Now().Add(time.Minute)
	for !f() {
		if time.Now().After(limit) {
			t.Fatalf("it never came to this: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestLostReply (R14): the server did it and its answer was lost, with the
// connection or without a word. Nothing happens twice, and where we can know
// what happened we say so.
func TestLostReply(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	for _, test := range lostReplies { // have the server know every script
		test(t, open(t, server, 1), nil)
	}
	for _, silent := range []bool{false, true} {
		for name, test := range lostReplies {
			t.Run(name+map[bool]string{false: ", closed", true: ", silent"}[silent], func(t *testing.T) {
				t.Parallel()
				p := newProxy(t, server.Addr())
				s := openURL(t, fmt.Sprintf("redis://%s?prefix=p%d:", p.addr, prefixes.Add(1)), 1)
				test(t, s, func() { p.lose("evalsha", silent) })
				if p.losses() != 1 {
					t.Errorf("%d answers were lost, want 1", p.losses())
				}
			})
		}
	}
}

// lostReplies has one case for each kind of write. lose is nil in a first run
// that only has the server know the scripts.
var lostReplies = map[string]func(t *testing.T, s *redis.Store, lose func()){
	"append": func(t *testing.T, s *redis.Store, lose func()) {
		check(t, s.Append(t.Context(), batch(1000)))
		losing(lose)
		check(t, s.Append(t.Context(), batch(1001)))
		check(t, s.Append(t.Context(), batch(1002)))
		seen := counts(t, s)
		for _, n := range []string{"1000", "1001", "1002"} {
			if seen[n] != 1 {
				t.Errorf("batch %s is there %d times", n, seen[n])
			}
		}
	},
	"commit": func(t *testing.T, s *redis.Store, lose func()) {
		check(t, s.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{effect("c", 0)}}))
		c := claimAll(t, s, time.Minute)[0]
		losing(lose)
		check(t, s.Commit(t.Context(), &incidents.Commit{
			Once: "commit", Done: &c, Facts: []incidents.Fact{{Kind: incidents.FactVote}}, Effects: []incidents.Effect{effect("later", time.Hour)},
		}))
		facts, err := s.Facts(t.Context(), 0, 0, 100)
		check(t, err)
		if len(facts) != 1 {
			t.Errorf("%d facts, want 1", len(facts))
		}
		if err := s.Commit(t.Context(), &incidents.Commit{Once: "commit"}); !errors.Is(err, incidents.ErrOnce) {
			t.Errorf("the name is not taken: %v", err)
		}
	},
	"post": func(t *testing.T, s *redis.Store, lose func()) {
		losing(lose)
		p, err := s.Post(t.Context(), "room", "k", []byte("body"), time.Now())
		check(t, err)
		list, err := s.LastPostings(t.Context(), "room", 0, 10)
		check(t, err)
		if p.Seq != 1 || p.Rev != 1 || len(list) != 1 {
			t.Errorf("posted %+v; %d in the room", p, len(list))
		}
	},
	"number": func(t *testing.T, s *redis.Store, lose func()) {
		first, err := s.NewIDs(t.Context(), 0, 1)
		check(t, err)
		losing(lose)
		id, err := s.NewIDs(t.Context(), 0, 1)
		unknown(t, lose, err)
		third, err := s.NewIDs(t.Context(), 0, 1)
		check(t, err)
		if third <= first || third == id {
			t.Errorf("%s after %s and %s", third, first, id)
		}
	},
	"claim": func(t *testing.T, s *redis.Store, lose func()) {
		check(t, s.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{effect("e", 0)}}))
		losing(lose)
		_, _, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: "test", Max: 1, Lease: 50 * time.Millisecond})
		unknown(t, lose, err)
		eventually(t, "the lease of the lost claim ends", func() bool {
			got := claimAll(t, s, time.Minute)
			return len(got) == 1 && got[0].Attempt == 2
		})
	},
	"extend": func(t *testing.T, s *redis.Store, lose func()) {
		check(t, s.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{effect("e", 0)}}))
		c := claimAll(t, s, time.Minute)[0]
		losing(lose)
		unknown(t, lose, s.Extend(t.Context(), &c, time.Hour))
		check(t, s.Extend(t.Context(), &c, time.Hour))
		check(t, s.Commit(t.Context(), &incidents.Commit{Done: &c}))
	},
	"retry": func(t *testing.T, s *redis.Store, lose func()) {
		check(t, s.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{effect("e", 0)}}))
		c := claimAll(t, s, time.Minute)[0]
		losing(lose)
		unknown(t, lose, s.Retry(t.Context(), &c, time.Now(), ""))
		if err := s.Retry(t.Context(), &c, time.Now(), ""); !errors.Is(err, incidents.ErrClaimLost) {
			t.Fatalf("put back twice: %v", err)
		}
		got := claimAll(t, s, time.Minute)
		if len(got) != 1 || got[0].Attempt != 2 {
			t.Fatalf("claimed %+v", got)
		}
	},
	"redrive": func(t *testing.T, s *redis.Store, lose func()) {
		check(t, s.Commit(t.Context(), &incidents.Commit{Effects: []incidents.Effect{effect("e", 0)}}))
		c := claimAll(t, s, time.Minute)[0]
		c.Dead = "no"
		check(t, s.Commit(t.Context(), &incidents.Commit{Done: &c}))
		letters, err := s.DeadLetters(t.Context(), 10)
		check(t, err)
		if len(letters) != 1 {
			t.Fatalf("dead letters %+v", letters)
		}
		losing(lose) // the answer of the look, which changes nothing
		unknown(t, lose, s.Redrive(t.Context(), "e"))
		if lose != nil {
			check(t, s.Redrive(t.Context(), "e"))
		}
		got := claimAll(t, s, time.Minute)
		if len(got) != 1 || got[0].Attempt != 1 {
			t.Fatalf("claimed %+v", got)
		}
	},
	"lease": func(t *testing.T, s *redis.Store, lose func()) {
		losing(lose)
		_, err := s.Lease(t.Context(), "job", "a", time.Minute)
		unknown(t, lose, err)
		for owner, want := range map[string]bool{"a": true, "b": false} {
			held, err := s.Lease(t.Context(), "job", owner, time.Minute)
			check(t, err)
			if held != want {
				t.Errorf("%s holds it: %v", owner, held)
			}
		}
	},
}

func losing(lose func()) {
	if lose != nil {
		lose()
	}
}

// unknown: where the answer was lost nobody can know.
func unknown(t *testing.T, lose func(), err error) {
	t.Helper()
	if lose == nil {
		check(t, err)
	} else if incidents.CodeOf(err) != incidents.Unavailable {
		t.Fatalf("got %v, want that nobody knows", err)
	}
}

// TestServerKilled (R11): the server is killed again and again while batches
// come in. Nothing acknowledged is lost, nothing is there twice, and it goes on
// by itself.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := open(t, server, 4)
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var acknowledged []int
	next, failed := 0, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				err := s.Append(t.Context(), batch(n))
				mu.Lock()
				if err == nil {
					acknowledged = append(acknowledged, n)
				} else if failed++; incidents.CodeOf(err) != incidents.Unavailable {
					t.Errorf("append: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	enough := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return len(acknowledged) >= n }
	}
	for range 3 {
		mu.Lock()
		had := len(acknowledged)
		mu.Unlock()
		eventually(t, "batches are accepted", enough(had+100))
		server.Kill()
		server.Restart()
	}
	mu.Lock()
	had := len(acknowledged)
	mu.Unlock()
	eventually(t, "batches are accepted again", enough(had+100))
	stop()
	wg.Wait()
	seen := counts(t, s)
	for _, n := range acknowledged {
		if seen[fmt.Sprint(n)] != 1 {
			t.Errorf("batch %d is there %d times", n, seen[fmt.Sprint(n)])
		}
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("batch %s is there %d times", n, times)
		}
	}
	if failed == 0 {
		t.Log("no append failed: the server was back too soon")
	}
}

// TestServerAway (R19): a store opens without its server, says why nothing
// works, and works when the server comes.
func TestServerAway(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	server.Kill()
	s := openURL(t, server.URL, 0)
	if s.Shards() != redis.DefaultShards {
		t.Fatalf("%d shards", s.Shards())
	}
	started := time.Now()
	for what, err := range map[string]error{
		"append": s.Append(t.Context(), batch(1)),
		"commit": s.Commit(t.Context(), &incidents.Commit{Once: "x"}),
		"load":   func() error { _, err := s.Load(t.Context(), 1); return err }(),
		"push":   push(t, s, "x"),
		"pull":   func() error { _, _, err := s.PullRings(t.Context(), "logs", 0, 1); return err }(),
		"list":   func() error { _, err := s.List(t.Context(), incidents.Query{}); return err }(),
		"claim":  func() error { _, _, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: "x"}); return err }(),
	} {
		if incidents.CodeOf(err) != incidents.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	h := s.Health(t.Context())
	if h.Durable || len(h.Problems) != 1 || h.Problems[0].Phrase != "store.away" {
		t.Errorf("health: %+v", h)
	}
	if took := time.Since(started); took > 45*time.Second {
		t.Errorf("it took %v to say so", took)
	}
	server.Restart()
	eventually(t, "the store works", func() bool { return s.Append(t.Context(), batch(2)) == nil })
	check(t, push(t, s, "after"))
	if items, last, err := s.PullRings(t.Context(), "logs", 0, 1000); err != nil || last != 1 || len(items) != 1 || string(items[0].Body) != "after" {
		t.Errorf("rings: %v %d %v", items, last, err)
	}
	if h := s.Health(t.Context()); !h.Durable {
		t.Errorf("health with a server: %+v", h)
	}
	if seen := counts(t, s); seen["2"] != 1 {
		t.Errorf("seen %v", seen)
	}
}

func push(t *testing.T, s *redis.Store, body string) error {
	_, err := s.PushRings(t.Context(), "logs", incidents.RingBound{Ring: 1000, All: 1000}, []incidents.RingItem{{Ring: "a", Body: []byte(body)}})
	return err
}

// TestARingWhoseListEnded: what is left of a ring to which nothing was added for long
// does not push out what is added now.
func TestARingWhoseListEnded(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := openURL(t, server.URL+"?prefix=ended:", 1)
	body := strings.Repeat("x", 80)
	bound := incidents.RingBound{Ring: 3 * (&incidents.RingItem{Ring: "a", Body: []byte(body + "1")}).Cost(), All: 1 << 20}
	add := func(ring, end string) {
		t.Helper()
		_, err := s.PushRings(t.Context(), "logs", bound, []incidents.RingItem{{Ring: ring, Body: []byte(body + end)}})
		check(t, err)
	}
	kept := func() string {
		t.Helper()
		items, _, err := s.PullRings(t.Context(), "logs", 0, 1<<20)
		check(t, err)
		var b strings.Builder
		for _, i := range items {
			b.WriteString(i.Ring + string(i.Body[len(body):]) + " ")
		}
		return b.String()
	}
	for _, end := range []string{"1", "2", "3"} {
		add("a", end)
		add("b", end)
	}
	gone, err := admin(t, server.Addr()).Del(t.Context(), "ended:{ring-logs}:of:"+incidents.KeyOf("a").String()).Result()
	check(t, err)
	add("a", "4")
	if got := kept(); gone != 1 || got != "b1 a2 b2 a3 b3 a4 " {
		t.Errorf("kept is %s", got)
	}
	add("a", "5")
	add("b", "4")
	if got := kept(); got != "b2 a3 b3 a4 a5 b4 " {
		t.Errorf("then %s", got)
	}
}

// admin talks to the server itself.
func admin(t testing.TB, addr string) *client.Client {
	t.Helper()
	c := client.NewClient(&client.Options{Addr: addr, MaxRetries: -1})
	t.Cleanup(func() { c.Close() })
	return c
}

// lines counts log lines.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) with(word string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, word) {
			n++
		}
	}
	return n
}

// TestServerRefuses (R12): whatever the server refuses with, the store says
// Unavailable, logs it once, and goes on as soon as the server does.
func TestServerRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason      string
		args        []string
		break_, fix func(t *testing.T, c *client.Client)
	}{
		{reason: "OOM", break_: set("maxmemory", "1mb"), fix: set("maxmemory", "0")},
		{reason: "NOREPLICAS", break_: set("min-replicas-to-write", "1"), fix: set("min-replicas-to-write", "0")},
		{reason: "READONLY", break_: do("REPLICAOF", "127.0.0.1", "1"), fix: do("REPLICAOF", "NO", "ONE")},
		{reason: "MISCONF", args: []string{"--enable-protected-configs", "yes", "--save", "3600 1"}, break_: failSave, fix: set("stop-writes-on-bgsave-error", "no")},
		{reason: "BUSY", args: []string{"--busy-reply-threshold", "50"}, break_: endless, fix: do("SCRIPT", "KILL")},
		{reason: "NOAUTH", break_: set("requirepass", "secret"), fix: func(t *testing.T, c *client.Client) {
			check(t, c.Do(t.Context(), "CONFIG", "SET", "requirepass", "").Err())
		}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			t.Parallel()
			server := testenv.Redis(t, c.args...)
			out := &lines{}
			s, err := redis.Open(t.Context(), redis.Config{URL: server.URL, Logger: slog.New(slog.NewTextHandler(out, nil))})
			check(t, err)
			defer s.Close()
			check(t, s.Append(t.Context(), batch(0)))
			adm := admin(t, server.Addr())
			check(t, adm.Ping(t.Context()).Err())
			c.break_(t, adm)
			var refusal error
			eventually(t, "an append is refused", func() bool {
				refusal = s.Append(t.Context(), batch(1))
				if c.reason == "NOAUTH" { // connections that are in use stay authenticated
					check(t, adm.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
				}
				return refusal != nil
			})
			for range 5 {
				if err := s.Append(t.Context(), batch(2)); incidents.CodeOf(err) != incidents.Unavailable {
					t.Errorf("append: %v", err)
				}
				if err := s.Commit(t.Context(), &incidents.Commit{Once: "x"}); incidents.CodeOf(err) != incidents.Unavailable {
					t.Errorf("commit: %v", err)
				}
				if err := push(t, s, "x"); incidents.CodeOf(err) != incidents.Unavailable {
					t.Errorf("push: %v", err)
				}
			}
			if n := out.with("reason=" + c.reason); n != 1 {
				t.Errorf("%d log lines with the reason %s, want 1:\n%s", n, c.reason, out.buf.String())
			}
			c.fix(t, adm)
			eventually(t, "an append is accepted", func() bool { return s.Append(t.Context(), batch(3)) == nil })
			if err := s.Commit(t.Context(), &incidents.Commit{Once: "x"}); err != nil {
				t.Errorf("commit: %v", err)
			}
		})
	}
}

func set(name, value string) func(*testing.T, *client.Client) {
	return do("CONFIG", "SET", name, value)
}

func do(args ...any) func(*testing.T, *client.Client) {
	return func(t *testing.T, c *client.Client) {
		t.Helper()
		check(t, c.Do(t.Context(), args...).Err())
	}
}

func failSave(t *testing.T, c *client.Client) {
	t.Helper()
	check(t, c.ConfigSet(t.Context(), "dir", "/proc").Err())
	_ = c.BgSave(t.Context()).Err() // that it fails is the point
	eventually(t, "the save has failed", func() bool {
		return strings.Contains(c.Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err")
	})
}

func endless(t *testing.T, c *client.Client) {
	t.Helper()
	conn, err := net.Dial("tcp", c.Options().Addr)
	check(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = conn.Write([]byte("EVAL \"while true do end\" 0\r\n"))
	check(t, err)
	eventually(t, "the script runs", func() bool { return client.HasErrorPrefix(c.Ping(t.Context()).Err(), "BUSY") })
}

// TestScriptsForgotten: a server that has lost our scripts gets them again.
func TestScriptsForgotten(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := open(t, server, 2)
	for i := range 3 {
		check(t, s.Append(t.Context(), batch(i)))
		check(t, s.Commit(t.Context(), &incidents.Commit{Once: fmt.Sprint(i)}))
		check(t, admin(t, server.Addr()).ScriptFlush(t.Context()).Err())
	}
	if seen := counts(t, s); len(seen) != 3 {
		t.Fatalf("seen %v", seen)
	}
}
