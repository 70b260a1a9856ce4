package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
)

func phrases(h incidents.Health) []string {
	var out []string
	for _, p := range h.Problems {
		out = append(out, p.Phrase)
	}
	slices.Sort(out)
	return out
}

// TestHealth (R2): each way in which a server is not safe is found and named.
func TestHealth(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := open(t, server, 1)
	adm := admin(t, server.Addr())
	config := func(name, value string) { t.Helper(); check(t, adm.ConfigSet(t.Context(), name, value).Err()) }
	for _, c := range []struct {
		what       string
		spoil, fix func()
		durable    bool
		phrase     string
	}{
		{"as it should be", func() {}, func() {}, true, ""},
		{"everysec", func() { config("appendfsync", "everysec") }, func() { config("appendfsync", "always") }, false, "store.fsync"},
		{"no fsync", func() { config("appendfsync", "no") }, func() { config("appendfsync", "always") }, false, "store.fsync"},
		{"dumps only", func() { config("appendonly", "no") }, func() { config("appendonly", "yes") }, false, "store.no_aof"},
		{"evicting", func() { config("maxmemory-policy", "allkeys-lru") }, func() { config("maxmemory-policy", "noeviction") }, false, "store.evicts"},
		{"evicting volatile keys", func() { config("maxmemory-policy", "volatile-ttl") }, func() { config("maxmemory-policy", "noeviction") }, false, "store.evicts"},
		{"a replica", func() { check(t, adm.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err()) },
			func() { check(t, adm.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err()) }, false, "store.replica"},
		{"nearly full", func() { config("maxmemory", "1500kb") }, func() { config("maxmemory", "0") }, true, "store.memory"},
	} {
		c.spoil()
		h := s.Health(t.Context())
		want := []string{c.phrase}
		if c.phrase == "" {
			want = nil
		}
		if h.Kind != "redis" || h.Durable != c.durable || !slices.Equal(phrases(h), want) {
			t.Errorf("%s: %+v", c.what, h)
		}
		if c.phrase == "store.memory" {
			if err := s.Append(t.Context(), batch(1)); incidents.CodeOf(err) != incidents.Overloaded {
				t.Errorf("append to a nearly full server: %v", err)
			}
		}
		c.fix()
	}
	if h := s.Health(t.Context()); !h.Durable || len(h.Problems) > 0 || !h.ClockSeen || h.ClockOff != 0 {
		t.Errorf("in the end: %+v", h)
	}
	for _, off := range []time.Duration{time.Hour, -time.Hour} { // the server is on this machine
		wrong, err := redis.Open(t.Context(), redis.Config{URL: server.URL, Now: func() time.Time { return time.Now().Add(off) }})
		check(t, err)
		if h := wrong.Health(t.Context()); !h.Durable || (h.ClockOff-off).Abs() > time.Minute {
			t.Errorf("a clock that is off by %s: %+v", off, h)
		}
		check(t, wrong.Close())
	}
	check(t, s.Append(t.Context(), batch(2)))
	_, err := s.NewIDs(t.Context(), 0, 5)
	check(t, err)
	if h := s.Health(t.Context()); !h.Durable {
		t.Errorf("after numbering: %+v", h)
	}
	check(t, adm.FlushAll(t.Context()).Err())
	if h := s.Health(t.Context()); h.Durable || !slices.Equal(phrases(h), []string{"store.rolled_back"}) {
		t.Errorf("an emptied server: %+v", h)
	}
	server.Pause()
	started := time.Now()
	h := s.Health(t.Context())
	took := time.Since(started)
	server.Resume()
	if h.Durable || !slices.Equal(phrases(h), []string{"store.away"}) || took > 20*time.Second {
		t.Errorf("a server that hangs, after %v: %+v", took, h)
	}
}

// TestLimitedUser: a user who may touch nothing but our keys is enough; that we
// then cannot see the configuration is said.
func TestLimitedUser(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	adm := admin(t, server.Addr())
	check(t, adm.Do(t.Context(), "ACL", "SETUSER", "bot", "on", ">p@ss/w", "~ours:*", "&ours:*", "+@all", "-@dangerous", "+info", "-config").Err())
	s := openURL(t, "redis://bot:p%40ss%2Fw@"+server.Addr()+"?prefix=ours:", 2)
	check(t, s.Append(t.Context(), batch(1)))
	check(t, s.Commit(t.Context(), &incidents.Commit{Once: "x", Effects: []incidents.Effect{effect("e", 0)}}))
	if h := s.Health(t.Context()); h.Durable || !slices.Equal(phrases(h), []string{"store.hidden"}) {
		t.Errorf("health: %+v", h)
	}
	openURL(t, "redis://bot:wrong@"+server.Addr(), 0) // not our configuration's fault alone: the server may be mended
}

// TestTwoReplicas: what one does, the other sees.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	url := server.URL + "?prefix=two:"
	a, b := openURL(t, url, 4), openURL(t, url, 0)
	if b.Shards() != 4 {
		t.Fatalf("the second sees %d shards", b.Shards())
	}
	signals, cancel := b.Watch()
	defer cancel()
	await := func(what string, match func(incidents.Signal) bool) {
		t.Helper()
		limit := time.After(time.Minute)
		for {
			select {
			case sig := <-signals:
				if match(sig) {
					return
				}
			case <-limit:
				t.Fatalf("no signal of %s", what)
			}
		}
	}
	eventually(t, "the second listens", func() bool {
		return admin(t, server.Addr()).PubSubNumSub(t.Context(), "two:signals").Val()["two:signals"] == 2
	})
	check(t, a.Append(t.Context(), batch(1)))
	await("an append", func(s incidents.Signal) bool { return s.Kind == incidents.SignalIntake })
	check(t, a.Commit(t.Context(), &incidents.Commit{Shard: 3, Effects: []incidents.Effect{{Key: "x", Lane: "l", Shard: 3, Due: time.Now()}}}))
	await("an effect", func(s incidents.Signal) bool {
		return s.Kind == incidents.SignalEffect && s.Shard == 3 && s.Lane == "l"
	})
	_, err := a.Post(t.Context(), "lobby", "k", []byte("x"), time.Now())
	check(t, err)
	await("a post", func(s incidents.Signal) bool { return s.Kind == incidents.SignalRoom && s.Room == "lobby" })
	if seen := counts(t, b); seen["1"] != 1 {
		t.Fatalf("the second sees %v", seen)
	}

	held, err := a.Lease(t.Context(), "fold", "a", 3*time.Second)
	check(t, err)
	if !held {
		t.Fatal("nobody has it, and it cannot be had")
	}
	held, err = b.Lease(t.Context(), "fold", "b", time.Minute)
	check(t, err)
	if held {
		t.Fatal("two hold it")
	}
	eventually(t, "the lease passes on", func() bool {
		held, err := b.Lease(t.Context(), "fold", "b", time.Minute)
		return err == nil && held
	})
	if held, err := a.Lease(t.Context(), "fold", "a", time.Minute); err != nil || held {
		t.Fatalf("it was taken back: %v", err)
	}

	// Of two that fold the same entries one wins.
	won := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, s := range []*redis.Store{a, b, a, b} {
		wg.Go(func() {
			err := s.Commit(t.Context(), &incidents.Commit{Fold: &incidents.Fold{Log: 1, From: 0, To: 5}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, incidents.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Fatalf("%d folded the same entries", won)
	}
}

func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok || e.Code != incidents.Invalid || e.Hint == "" || e.Phrase == "" {
		t.Fatalf("got %+v, want an error for people", err)
	}
	for _, w := range words {
		if !strings.Contains(e.Message+" "+e.Hint, w) {
			t.Fatalf("%q (%s) does not mention %q", e.Message, e.Hint, w)
		}
	}
}

func TestOtherShardsAndSchema(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	url := server.URL + "?prefix=x:"
	openURL(t, url, 3)
	about := func() string { return admin(t, server.Addr()).HGet(t.Context(), "x:{meta}:about", "schema").Val() }
	check(t, admin(t, server.Addr()).HSet(t.Context(), "x:{meta}:about", "schema", "1").Err())
	_, err := redis.Open(t.Context(), redis.Config{URL: url, Shards: 16})
	refused(t, err, "3", "16", "shards")
	if got := about(); got != "1" {
		t.Fatalf("whoever was refused has made the schema %s", got)
	}
	s := openURL(t, url, 3)
	if got, want := about(), strconv.Itoa(redis.Schema); got != want {
		t.Fatalf("an older store that is written has schema %s, want %s", got, want)
	}
	check(t, s.Append(t.Context(), batch(1)))
	for _, newer := range []bool{true, false} { // also where the newer one's work is taken back
		stored := map[bool]string{true: "99", false: strconv.Itoa(redis.Schema)}[newer]
		check(t, admin(t, server.Addr()).HSet(t.Context(), "x:{meta}:about", "schema", stored).Err())
		if h := s.Health(t.Context()); h.Newer != newer || h.Durable == newer || slices.Contains(phrases(h), "store.newer") != newer {
			t.Errorf("schema %s: %+v", stored, h)
		}
		_, _, claimed := s.Claim(t.Context(), incidents.ClaimQuery{Lane: "test", Max: 1})
		_, read := s.ReadLog(t.Context(), 0, 0, 1<<10)
		_, leased := s.Lease(t.Context(), "fold", "me", time.Minute)
		for what, err := range map[string]error{"append": s.Append(t.Context(), batch(2)), "claim": claimed, "read": read, "lease": leased,
			"commit": s.Commit(t.Context(), &incidents.Commit{Once: "y", Effects: []incidents.Effect{effect("f", 0)}})} {
			if (err != nil) != newer || newer && incidents.CodeOf(err) != incidents.Unavailable { // its sender is to try the others
				t.Errorf("schema %s, %s: %v", stored, what, err)
			}
		}
	}
	check(t, admin(t, server.Addr()).HSet(t.Context(), "x:{meta}:about", "schema", "99").Err())
	_, err = redis.Open(t.Context(), redis.Config{URL: url})
	refused(t, err, "99", "newer")

	// The same found out late: the server was away when the store was opened.
	server.Kill()
	late := openURL(t, url, 16)
	server.Restart()
	eventually(t, "the store says so", func() bool {
		return slices.Equal(phrases(late.Health(t.Context())), []string{"store.refused"})
	})
	if err := late.Append(t.Context(), batch(1)); incidents.CodeOf(err) != incidents.Invalid {
		t.Fatalf("append: %v", err)
	}
}

// TestWaitReplicas (R16): where replicas must confirm, a write that they have
// not confirmed is not acknowledged.
func TestWaitReplicas(t *testing.T) {
	t.Parallel()
	master := testenv.Redis(t)
	host, port, _ := strings.Cut(master.Addr(), ":")
	replica := testenv.Redis(t, "--replicaof", host+" "+port)
	eventually(t, "the replica is in step", func() bool {
		return strings.Contains(admin(t, replica.Addr()).Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	s := openURL(t, master.URL+"?wait_replicas=1", 2)
	// A replica on a busy machine may need a second chance to confirm.
	commits := func(once string) {
		t.Helper()
		eventually(t, "the commit is confirmed", func() bool {
			err := s.Commit(t.Context(), &incidents.Commit{Once: once})
			return err == nil || errors.Is(err, incidents.ErrOnce)
		})
	}
	eventually(t, "the append is confirmed", func() bool { return s.Append(t.Context(), batch(1)) == nil })
	commits("a")
	replica.Pause()
	if err := s.Append(t.Context(), batch(2)); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("append without the replica: %v", err)
	}
	if err := s.Commit(t.Context(), &incidents.Commit{Once: "b"}); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("commit without the replica: %v", err)
	}
	replica.Resume()
	eventually(t, "it is confirmed again", func() bool { return s.Append(t.Context(), batch(3)) == nil })
	commits("c")
	for n, times := range counts(t, s) {
		if times != 1 {
			t.Errorf("batch %s is there %d times", n, times)
		}
	}
}

// TestCluster runs the whole suite against a Cluster of three.
func TestCluster(t *testing.T) {
	t.Parallel()
	var nodes []*testenv.RedisServer
	var addrs []string
	for range 3 {
		n := testenv.Redis(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "5000")
		nodes, addrs = append(nodes, n), append(addrs, n.Addr())
	}
	for i, n := range nodes {
		adm := admin(t, n.Addr())
		slots := [][2]int{{0, 5460}, {5461, 10922}, {10923, 16383}}[i]
		check(t, adm.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]).Err())
		host, port, _ := strings.Cut(nodes[0].Addr(), ":")
		check(t, adm.Do(t.Context(), "CLUSTER", "MEET", host, port).Err())
	}
	for _, n := range nodes {
		eventually(t, "the cluster is whole", func() bool {
			info := admin(t, n.Addr()).ClusterInfo(t.Context()).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	url := "redis://" + strings.Join(addrs, ",")
	t.Run("conformance", func(t *testing.T) {
		conformance.Run(t, func(t *testing.T) storage.Store {
			return openURL(t, fmt.Sprintf("%s?prefix=t%d:", url, prefixes.Add(1)), 16)
		})
	})
	s := openURL(t, "redis+cluster://"+addrs[0], 16)
	check(t, s.Append(t.Context(), batch(1)))
	if h := s.Health(t.Context()); !h.Durable || len(h.Problems) > 0 {
		t.Errorf("health: %+v", h)
	}
	check(t, admin(t, addrs[2]).ConfigSet(t.Context(), "appendfsync", "everysec").Err())
	if h := s.Health(t.Context()); h.Durable || !slices.Equal(phrases(h), []string{"store.fsync"}) {
		t.Errorf("health with one unsafe node: %+v", h)
	}
	for _, addr := range addrs { // whichever is looked at last
		check(t, admin(t, addr).ConfigSet(t.Context(), "maxmemory", "1500kb").Err())
		for range 3 {
			s.Health(t.Context())
			if err := s.Append(t.Context(), batch(2)); incidents.CodeOf(err) != incidents.Overloaded {
				t.Errorf("append where one node is nearly full: %v", err)
			}
		}
		check(t, admin(t, addr).ConfigSet(t.Context(), "maxmemory", "0").Err())
	}
	s.Health(t.Context())
	check(t, s.Append(t.Context(), batch(3)))
}

// TestSentinel: the store finds its master through a Sentinel, and the new one
// after a failover.
func TestSentinel(t *testing.T) {
	t.Parallel()
	bin := testenv.Need(t, "redis-server")
	master := testenv.Redis(t)
	host, port, _ := strings.Cut(master.Addr(), ":")
	replica := testenv.Redis(t, "--replicaof", host+" "+port)
	eventually(t, "the replica is in step", func() bool {
		return strings.Contains(admin(t, replica.Addr()).Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	sentinel := startSentinel(t, bin, host, port)
	s := openURL(t, "redis+sentinel://"+sentinel+"/main/0", 2)
	check(t, s.Append(t.Context(), batch(1)))
	adm := admin(t, sentinel)
	eventually(t, "the sentinel has a replica to promote", func() bool {
		return adm.Do(t.Context(), "SENTINEL", "FAILOVER", "main").Err() == nil
	})
	eventually(t, "the replica is the master", func() bool {
		return strings.Contains(admin(t, replica.Addr()).Info(t.Context(), "replication").Val(), "role:master")
	})
	eventually(t, "the store has followed", func() bool {
		return s.Append(t.Context(), batch(2)) == nil && admin(t, replica.Addr()).DBSize(t.Context()).Val() > 0 && s.Health(t.Context()).Durable
	})
	if seen := counts(t, s); seen["1"] != 1 || seen["2"] == 0 {
		t.Fatalf("seen %v", seen)
	}
}

func startSentinel(t *testing.T, bin, host, port string) string {
	t.Helper()
	dir := t.TempDir()
	for range 20 {
		p := 20000 + time.Now().UnixNano()%11000
		conf := filepath.Join(dir, fmt.Sprint("sentinel", p, ".conf"))
		check(t, os.WriteFile(conf, fmt.Appendf(nil, "port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor main %s %s 1\nsentinel down-after-milliseconds main 2000\n", p, dir, host, port), 0o600))
		cmd := exec.Command(bin, conf, "--sentinel")
		check(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		t.Cleanup(func() {
			_ = cmd.Process.Kill() // it may have ended
			<-ended
			ended <- nil
		})
		addr := fmt.Sprint("127.0.0.1:", p)
		limit := time.Now().Add(time.Minute)
		for time.Now().Before(limit) {
			if out, err := admin(t, addr).Do(t.Context(), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main").StringSlice(); err == nil && len(out) == 2 {
				return addr
			}
			select {
			case err := <-ended: // the port was taken
				ended <- err
				limit = time.Time{}
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	t.Fatal("no sentinel could be started")
	return ""
}

// TestUnfoldedLimit: a log that nobody folds does not grow for ever.
func TestUnfoldedLimit(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s, err := redis.Open(t.Context(), redis.Config{URL: server.URL, Shards: 1, MaxUnfolded: 5, Logger: slog.New(slog.DiscardHandler)})
	check(t, err)
	defer s.Close()
	n := 0
	for ; n < 100; n++ {
		if err = s.Append(t.Context(), batch(n)); err != nil {
			break
		}
	}
	if n != 5 || incidents.CodeOf(err) != incidents.Overloaded {
		t.Fatalf("after %d appends: %v", n, err)
	}
	check(t, s.Commit(t.Context(), &incidents.Commit{Fold: &incidents.Fold{Log: 0, From: 0, To: 3}}))
	check(t, s.Append(t.Context(), batch(n)))
}

// TestDeadline: a server that hangs holds nobody for longer than an operation
// has (R13), and what piles up is bounded by it.
func TestDeadline(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := open(t, server, 2)
	check(t, s.Append(t.Context(), batch(0)))
	server.Pause()
	defer server.Resume()
	started := time.Now()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := s.Append(t.Context(), batch(i+1)); incidents.CodeOf(err) != incidents.Unavailable {
				t.Errorf("append: %v", err)
			}
			if err := s.Commit(t.Context(), &incidents.Commit{Once: fmt.Sprint(i)}); incidents.CodeOf(err) != incidents.Unavailable {
				t.Errorf("commit: %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(started); took > 45*time.Second {
		t.Errorf("it took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	started = time.Now()
	if _, err := s.Load(ctx, 1); incidents.CodeOf(err) == incidents.Internal {
		t.Errorf("load: %v", err)
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("a caller in a hurry waited for %v", took)
	}
}
