package worker

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Store is what the worker needs of a store besides the engine's part.
type Store interface {
	LoadMany(ctx context.Context, refs []incidents.Ref) ([]*incidents.Incident, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
	Commit(ctx context.Context, c *incidents.Commit) error
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
	Watch() (<-chan incidents.Signal, func())
}

// Options are what a Worker is made of. Zero durations take the defaults.
type Options struct {
	Engine *Engine
	Folder *Folder
	Store  Store
	Queue  Queue
	Ports  Ports
	Shards int
	Policy incidents.Policy
	Gate   Gate   // asked before a run; without it none starts
	Own    string // the chat that is kept in Store itself; "": none is
	Owner  string // names this process, unique among replicas and restarts
	Now    func() time.Time
	Logger *slog.Logger

	// Refused is told of each run that the gate stopped; nil: nobody is.
	Refused func(ctx context.Context, s *incidents.Incident, r *incidents.Run, no *Refusal)

	Lease   time.Duration // how long a claim lasts; default 30 s
	Poll    time.Duration // how often to look without a signal; default 4 s
	Timeout time.Duration // of one effect but a run; default 20 s, so that its outcome can be committed within the lease
	Drain   time.Duration // how long a stop waits for effects under way; default 25 s
}

// Worker folds and carries out, until its context ends.
type Worker struct {
	engine *Engine
	folder *Folder
	store  Store
	queue  Queue
	ports  Ports
	gate   Gate
	shards int
	policy incidents.Policy
	owner  string
	now    func() time.Time
	logger *slog.Logger
	lanes  map[string]*lane

	refused func(ctx context.Context, s *incidents.Incident, r *incidents.Run, no *Refusal)
	trouble atomic.Int64 // ns: when this process started, or last had trouble with the store

	lease, poll, timeout, drain time.Duration

	folding  atomic.Bool  // this process holds the folding lease
	leased   time.Time    // when it was asked for that last and got it; of the goroutine that folds
	lastFold atomic.Int64 // ns: when folding last succeeded
	quiet    complaints
}

// How many effects of a lane run at once in one process. Rooms wait for their
// provider, or, where the chat is our own, for commits, of which many ride on one
// fsync: in a storm as many rooms open in half the time. A run waits for a machine;
// timers and ranking compute.
const (
	chatSlots     = 8
	ownChatSlots  = 48
	ticketSlots   = 4
	diagnoseSlots = 16
	rankSlots     = 2
	runSlots      = 8
	timerSlots    = 4
)

// New makes a worker; Run starts it.
func New(o Options) *Worker {
	w := &Worker{
		engine: o.Engine, folder: o.Folder, store: o.Store, queue: o.Queue, ports: o.Ports, gate: o.Gate, refused: o.Refused,
		shards: o.Shards, policy: o.Policy, owner: o.Owner, now: o.Now, logger: o.Logger,
		lease: o.Lease, poll: o.Poll, timeout: o.Timeout, drain: o.Drain,
	}
	w.trouble.Store(o.Now().UnixNano())
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&w.lease, 30 * time.Second}, {&w.poll, 4 * time.Second}, {&w.timeout, 20 * time.Second}, {&w.drain, 25 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	w.lease = hurried(w.lease)
	w.engine.shelf, w.engine.turns = w.folder.shelf, w.folder.turns // of one process, one
	w.lanes = map[string]*lane{
		incidents.LaneDiagnose: newLane(w, incidents.LaneDiagnose, diagnoseSlots),
		incidents.LaneRank:     newLane(w, incidents.LaneRank, rankSlots),
		incidents.LaneRun:      newLane(w, incidents.LaneRun, runSlots),
		incidents.LaneTimer:    newLane(w, incidents.LaneTimer, timerSlots),
	}
	for _, chat := range o.Policy.Chats {
		slots := chatSlots
		if chat == o.Own {
			slots = ownChatSlots
		}
		w.lanes[chat] = newLane(w, chat, slots)
	}
	for tracker := range o.Ports.Tickets {
		name := incidents.LaneOfTracker(tracker)
		w.lanes[name] = newLane(w, name, ticketSlots)
	}
	return w
}

// Run works until ctx ends, then drains: nothing new is claimed, what is under
// way gets Options.Drain to end, and what has not ended then is cancelled and
// left to its lease (a remediation becomes unknown). It returns when all of
// its goroutines have.
func (w *Worker) Run(ctx context.Context) {
	carry, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	signals, unwatch := w.store.Watch()
	defer unwatch()

	var loops, work sync.WaitGroup
	for _, l := range w.lanes {
		loops.Go(func() { l.claiming(ctx, carry, &work) })
	}
	fold := make(chan int, 256)
	loops.Go(func() { w.folds(ctx, fold) })
	loops.Go(func() { w.listen(ctx, signals, fold) })

	<-ctx.Done()
	loops.Wait()
	ended := make(chan struct{})
	go func() { work.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(w.drain):
		w.logger.Warn("effects are still under way after the drain; they are cancelled")
		stop()
		<-ended
	}
}

// listen passes signals on to whom they concern.
func (w *Worker) listen(ctx context.Context, signals <-chan incidents.Signal, fold chan<- int) {
	for {
		select {
		case <-ctx.Done():
			return
		case s, ok := <-signals:
			if !ok {
				return
			}
			switch s.Kind {
			case incidents.SignalIntake:
				if s.Shard < 0 || s.Shard >= w.shards { // another process said so, and it may be wrong
					continue
				}
				select {
				case fold <- s.Shard:
				default: // it is behind; what this signal was about is found at the next poll
				}
			case incidents.SignalEffect:
				if l := w.lanes[s.Lane]; l != nil {
					l.nudge(s.Shard)
				}
			}
		}
	}
}

// Stats is what the worker tells metrics and readiness.
type Stats struct {
	Lanes    map[string]LaneStats
	Folding  bool
	LastFold time.Time // when the intake log was last seen empty or folded without an error
	Folded   int64     // alerts
	Repeats  int64     // commands from reports that changed nothing
	Aside    int64     // alerts that could not be folded and are in no incident
	Late     int64     // resolved alerts of which no incident knew
}

// Stats returns the counts since the start.
func (w *Worker) Stats() Stats {
	s := Stats{
		Lanes: make(map[string]LaneStats, len(w.lanes)), Folding: w.folding.Load(), LastFold: time.Unix(0, w.lastFold.Load()),
		Folded: w.folder.Alerts.Load(), Repeats: w.folder.Repeats.Load(), Late: w.folder.Late.Load(), Aside: w.folder.Aside.Load(),
	}
	for name, l := range w.lanes {
		l.count(func(st *LaneStats) { s.Lanes[name] = *st })
	}
	return s
}
