package redis_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
)

// The test binary is also the child that gets killed: on which store it then
// works says the environment.
const (
	childEnv = "HIKESHI_REDIS_CHILD"
	firstEnv = "HIKESHI_REDIS_FIRST"
	limitEnv = "HIKESHI_REDIS_LIMIT" // rounds; without it until killed
)

func TestMain(m *testing.M) {
	url := os.Getenv(childEnv)
	if url == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := work(url); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work(url string) error {
	s, err := redis.Open(context.Background(), redis.Config{URL: url, Shards: 2})
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(os.Getenv(firstEnv))
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(cmp.Or(os.Getenv(limitEnv), "0"))
	if err != nil {
		return err
	}
	return conformance.Work(context.Background(), s, os.Stdout, first, limit)
}

// TestKilled: the process and the server are killed again and again, one or
// both; after each time everything that was acknowledged is still true.
func TestKilled(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	s := openURL(t, server.URL, 2)
	all := ""
	for round := range 4 {
		_, highest := conformance.Acknowledged(t, all)
		cmd, out := conformance.Child(t, childEnv+"="+server.URL, firstEnv+"="+strconv.Itoa(highest+2))
		<-out.After(200 + rand.IntN(2000))
		if round%2 == 1 {
			server.Kill()
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		if round%2 == 1 {
			server.Restart()
			eventually(t, "the store is back", func() bool { return s.Health(t.Context()).Durable })
		}
		all += out.String() + "\n"
		conformance.Survived(t, s, all)
	}
}
