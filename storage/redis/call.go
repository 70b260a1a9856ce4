package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hikeshi-ops/hikeshi/storage/fault"
)

// call is one script to be run.
type call struct {
	script *redis.Script
	key    string
	args   []any
	read   bool // it changes nothing
	out    any
	err    error
}

// run runs one script. A script that the server does not know is sent whole.
func (s *Store) run(ctx context.Context, c *call) (any, error) {
	if s.target.replicas > 0 && !c.read {
		s.many(ctx, []*call{c})
		return c.out, c.err
	}
	cmd := c.sent(ctx, s.client)
	if noScript(cmd.Err()) {
		cmd = c.script.Eval(ctx, s.client, []string{c.key}, c.args...)
	}
	return answered(cmd, nil)
}

var errNoAnswer = errors.New("no answer")

// answered is what a command came back with. Every script of ours says
// something, so nothing is no answer: the client leaves a command of a pipeline
// without a result and without an error when the server refuses the connection
// (NOAUTH on HELLO), and only the pipeline as a whole then knows of it.
func answered(cmd *redis.Cmd, whole error) (any, error) {
	out, err := cmd.Result()
	if err == nil && out == nil {
		if err = whole; err == nil {
			err = errNoAnswer
		}
	}
	return out, err
}

func (c *call) sent(ctx context.Context, to redis.Scripter) *redis.Cmd {
	if c.read {
		return c.script.EvalShaRO(ctx, to, []string{c.key}, c.args...)
	}
	return c.script.EvalSha(ctx, to, []string{c.key}, c.args...)
}

func noScript(err error) bool { return err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") }

// do runs one script within the time an operation has.
func (s *Store) do(ctx context.Context, doing string, c *call) (any, error) {
	if err := s.ready(doing); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	out, err := s.run(ctx, c)
	return out, s.mean(doing, err)
}

// doTwice is do for what happens once however often it is sent: where the
// answer was lost, it asks once more.
func (s *Store) doTwice(ctx context.Context, doing string, c *call) (any, error) {
	if err := s.ready(doing); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	out, err := s.run(ctx, c)
	if lost(err) && ctx.Err() == nil {
		out, err = s.run(ctx, c)
	}
	return out, s.mean(doing, err)
}

// many runs several scripts in one round trip (in a Cluster, one to each node).
// Each call has its own outcome.
func (s *Store) many(ctx context.Context, calls []*call) {
	s.pipeline(ctx, calls, (*call).sent)
	var unknown []*call
	for _, c := range calls {
		if noScript(c.err) {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) > 0 {
		s.pipeline(ctx, unknown, func(c *call, ctx context.Context, to redis.Scripter) *redis.Cmd {
			return c.script.Eval(ctx, to, []string{c.key}, c.args...)
		})
	}
}

// confirmTimeout is how long replicas have to confirm a write.
const confirmTimeout = 500 * time.Millisecond

var errNotConfirmed = errors.New("too few replicas have confirmed the write")

// pipeline sends the calls on one connection, and where replicas must confirm
// writes, a WAIT after them: it speaks of the writes of its own connection.
func (s *Store) pipeline(ctx context.Context, calls []*call, send func(*call, context.Context, redis.Scripter) *redis.Cmd) {
	pipe := s.client.Pipeline()
	cmds := make([]*redis.Cmd, len(calls))
	writes := false
	for i, c := range calls {
		cmds[i] = send(c, ctx, pipe)
		writes = writes || !c.read
	}
	var wait *redis.Cmd
	if writes && s.target.replicas > 0 {
		wait = pipe.Do(ctx, "WAIT", s.target.replicas, confirmTimeout.Milliseconds())
	}
	_, err := pipe.Exec(ctx)
	for i, c := range calls {
		c.out, c.err = answered(cmds[i], err)
		if c.err == nil && !c.read && wait != nil {
			if n, err := wait.Int64(); err != nil || n < int64(s.target.replicas) {
				c.out, c.err = nil, errors.Join(errNotConfirmed, err)
			}
		}
	}
}

// all runs several reading scripts and fails as a whole.
func (s *Store) all(ctx context.Context, doing string, calls []*call) error {
	if err := s.ready(doing); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	s.many(ctx, calls)
	for _, c := range calls {
		if c.err != nil {
			return s.mean(doing, c.err)
		}
	}
	return nil
}

// lost says that there was no answer, so nobody knows whether it happened. An
// error that the server sent is an answer.
func lost(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) {
		return false
	}
	var answer redis.Error
	return !errors.As(err, &answer)
}

// mean turns a client's error into ours. Whatever the server says, "MISCONF" or
// "LOADING" or nothing at all, the store cannot be used now; only what our own
// scripts got wrong is ours to mend.
func (s *Store) mean(doing string, err error) error {
	if err == nil {
		return nil
	}
	word, _, _ := strings.Cut(err.Error(), " ")
	if !lost(err) && word == "ERR" && strings.Contains(err.Error(), "script:") {
		s.complaints.say(s, "script", doing, err)
		return fmt.Errorf("%s: %w", doing, err)
	}
	if lost(err) {
		word = "no answer"
	}
	if !errors.Is(err, context.Canceled) {
		s.complaints.say(s, word, doing, err)
	}
	return fault.Unavailable(doing, err)
}

// complaints bounds the log to one line in ten seconds for each reason.
type complaints struct {
	mu   sync.Mutex
	said map[string]time.Time
	kept map[string]int
}

const complainEvery = 10 * time.Second

func (c *complaints) say(s *Store, reason, doing string, err error) {
	c.mu.Lock()
	if c.said == nil {
		c.said, c.kept = map[string]time.Time{}, map[string]int{}
	}
	if time.Since(c.said[reason]) < complainEvery {
		c.kept[reason]++
		c.mu.Unlock()
		return
	}
	kept := c.kept[reason]
	c.said[reason], c.kept[reason] = time.Now(), 0
	c.mu.Unlock()
	s.logger.Warn("the store did not answer as it should", "reason", reason, "doing", doing, "error", err, "unsaid_before", kept)
}

// Replies come as any; what a script of ours does not say is the zero value.

func str(v any) string {
	s, _ := v.(string)
	return s
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func at(l []any, i int) any {
	if i >= len(l) {
		return nil
	}
	return l[i]
}
