package trail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Store keeps the chain.
type Store interface {
	AuditHead(ctx context.Context) (audit.Head, error)
	AppendAudit(ctx context.Context, after audit.Head, entries []audit.Entry) error
	AuditEntries(ctx context.Context, after int64, max int) ([]audit.Entry, error)
	AuditOwed(ctx context.Context) ([]audit.Owed, error)
}

// Leases tell who is alive.
type Leases interface {
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (held bool, err error)
}

// Options are what a Log is made of.
type Options struct {
	Store   Store
	Leases  Leases
	Keys    audit.Keys
	Owner   string // names this process, unique among replicas and restarts
	Now     func() time.Time
	Logger  *slog.Logger
	Sink    *Sink         // nil: no checkpoints
	Every   time.Duration // between checkpoints, where there is something new; 0: a minute
	Records int64         // or after so many records; 0: 100
	Upkeep  time.Duration // how often to look after what is owed; 0: 5 s
}

// Log appends to the audit.
type Log struct {
	Options
	turn chan struct{} // one batch at a time

	mu     sync.Mutex
	queue  []*item
	head   audit.Head
	first  audit.MAC
	alive  bool             // others have been told
	met    bool             // head is where the chain ended, as far as we know
	doubts [][]audit.Entry  // batches of which nobody knows whether they were appended
	told   map[int64]bool   // outcomes that turned out to be written after all
	broken *incidents.Error // the chain is not the one we know: nothing more is written

	owing   []audit.Record // outcomes that could not be written yet
	missed  int64          // notes that could not be
	unsaid  map[audit.Action]*sample
	pointed int64  // the latest checkpoint
	sinkErr string // why the latest one failed
	nudge   chan struct{}
}

// New makes a Log. It reads nothing until something is to be written.
func New(o Options) *Log {
	if o.Every == 0 {
		o.Every = time.Minute
	}
	if o.Records == 0 {
		o.Records = 100
	}
	if o.Upkeep == 0 {
		o.Upkeep = 5 * time.Second
	}
	return &Log{
		Options: o, turn: make(chan struct{}, 1), told: map[int64]bool{}, unsaid: map[audit.Action]*sample{}, nudge: make(chan struct{}, 1),
	}
}

// How long Begin tries, and how long End makes its caller wait; what End could
// not write by then is written later.
const (
	beginFor = 5 * time.Second
	endFor   = 2 * time.Second
)

// Intent is something that was begun.
type Intent struct {
	log   *Log
	rec   audit.Record
	seq   int64
	began time.Time
	once  sync.Once
}

// Begin writes down what is about to be done. Unless it returns nil, nothing may
// be done. The error is for people.
func (l *Log) Begin(ctx context.Context, r audit.Record) (*Intent, error) {
	ctx, cancel := context.WithTimeout(ctx, beginFor)
	defer cancel()
	r.Kind = audit.Intent
	for try := 1; ; try++ {
		seq, err := l.intend(ctx, r)
		if err == nil {
			failpoint.Hit("audit.intent.written")
			return &Intent{log: l, rec: r, seq: seq, began: l.Now()}, nil
		}
		if again := incidents.CodeOf(err) == incidents.Unavailable && !l.isBroken(); !again || !wait(ctx, try) {
			return nil, l.refusal(err)
		}
	}
}

// intend appends an intent of a process that others know to be alive.
func (l *Log) intend(ctx context.Context, r audit.Record) (int64, error) {
	l.mu.Lock()
	alive := l.alive
	l.mu.Unlock()
	if !alive {
		if err := l.live(ctx); err != nil {
			return 0, err
		}
	}
	return l.append(ctx, r)
}

func wait(ctx context.Context, try int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(min(time.Duration(try)*100*time.Millisecond, time.Second)):
		return true
	}
}

// refusal is what people are told when something was not done.
func (l *Log) refusal(cause error) error {
	if b := l.brokenBy(); b != nil {
		return b
	}
	l.Logger.Warn("the audit cannot be written, so what needs it is not done", "error", cause)
	return errors.Join(incidents.Fail(incidents.Unavailable, "error.audit_away", "the audit cannot be written, so nothing was done").
		WithHint("GET /readyz"), cause)
}

// End writes down what came of it: Result, and whatever else out has. The first
// call counts. It waits for a moment at most; what the store does not take by
// then is written as soon as it does.
func (i *Intent) End(out audit.Record) {
	i.once.Do(func() {
		out.Kind, out.Of, out.Action, out.By = audit.Outcome, i.seq, i.rec.Action, i.rec.By
		out.Incident, out.Run, out.Step, out.Runbook = i.rec.Incident, i.rec.Run, i.rec.Step, i.rec.Runbook
		out.At, out.TookMS = audit.TimeOf(i.log.Now()), i.log.Now().Sub(i.began).Milliseconds()
		ctx, cancel := context.WithTimeout(context.Background(), endFor)
		defer cancel()
		failpoint.Hit("audit.outcome.before_write")
		i.log.owe(ctx, out)
	})
}

// Act does f between an intent and its outcome. Where the intent cannot be
// written f is not called.
func (l *Log) Act(ctx context.Context, r audit.Record, f func() error) error {
	i, err := l.Begin(ctx, r)
	if err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended { // a panic: nobody knows how far it got
			i.End(audit.Record{Result: audit.Unknown})
		}
	}()
	err = f()
	ended = true
	result, class := ResultOf(err)
	i.End(audit.Record{Result: result, Error: class})
	return err
}

// ResultOf is what an error says of what was begun, and its class. The error's
// text may say more than is good to keep.
func ResultOf(err error) (audit.Result, string) { return resultOf(err), errorOf(err) }

// resultOf is done, failed, or unknown where the error says that nobody knows.
func resultOf(err error) audit.Result {
	if err == nil {
		return audit.Done
	}
	switch incidents.CodeOf(err) {
	case incidents.Unavailable, incidents.Internal:
		return audit.Unknown
	}
	return audit.Failed
}

func errorOf(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*incidents.Error](err); ok && e.Phrase != "" {
		return e.Phrase
	}
	return string(incidents.CodeOf(err))
}

// Note writes down something that stands for itself. It does not fail: what
// cannot be written now is written later, and what was lost is counted.
func (l *Log) Note(ctx context.Context, r audit.Record) {
	r.Kind, r.At = audit.Note, audit.TimeOf(l.Now())
	if !l.sampled(&r) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, endFor)
	defer cancel()
	l.owe(ctx, r)
}

// Notes that strangers can cause are sampled: so many a minute of each action.
const notesPerMinute = 60

type sample struct {
	since  time.Time
	n      int
	unsaid int64
}

func (l *Log) sampled(r *audit.Record) bool {
	if r.Result != audit.Failed {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.unsaid[r.Action]
	if s == nil || l.Now().Sub(s.since) > time.Minute || l.Now().Before(s.since) {
		left := int64(0)
		if s != nil {
			left = s.unsaid
		}
		s = &sample{since: l.Now(), unsaid: left}
		l.unsaid[r.Action] = s
	}
	if s.n++; s.n > notesPerMinute {
		s.unsaid++
		return false
	}
	r.Unsaid, s.unsaid = s.unsaid, 0
	return true
}

// Stats is what metrics tell.
type Stats struct {
	Records, Checkpointed int64
	Owed                  int
	Missed                int64
	Broken                bool
}

// Stats returns what this process knows now.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{Records: l.head.Seq, Checkpointed: l.pointed, Owed: len(l.owing), Missed: l.missed, Broken: l.broken != nil}
}

// Problems are why the audit is not as it should be: wrong, and nothing that
// needs it is done; or worth knowing.
func (l *Log) Problems() (wrong, notes []incidents.Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		wrong = append(wrong, incidents.Reason{Phrase: l.broken.Phrase, Args: l.broken.Args})
	}
	if l.sinkErr != "" {
		notes = append(notes, incidents.Because("ready.audit_checkpoint", "error", l.sinkErr))
	}
	if n := len(l.owing); n > 0 {
		notes = append(notes, incidents.Because("ready.audit_owed", "n", itoa(int64(n))))
	}
	return wrong, notes
}
