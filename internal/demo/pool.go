package demo

import (
	"context"
	"errors"
	"sync"
	"time"
)

var (
	errQueueFull = errors.New("the queue is full")
	errNoAnswer  = errors.New("no worker answered in time")
	errClosing   = errors.New("the shop is closing")
)

// A pool is the shop's workers and the queue they read from.
type pool struct {
	queue   chan *job
	workers []*worker
	closing chan struct{} // closed when no more work comes
	wg      sync.WaitGroup
}

type job struct {
	name string
	ctx  context.Context // the customer's patience: work for nobody is not done
	do   func(w *worker) error
	done chan error // buffered, so a worker never waits for a customer
}

// A worker does one job at a time and says what it is at.
type worker struct {
	id int

	mu    sync.Mutex
	job   string // "" when idle
	doing string
	since time.Time
}

// workerState is what a worker is at, for people and for health.
type workerState struct {
	ID      int     `json:"id"`
	Job     string  `json:"job,omitempty"`
	Doing   string  `json:"doing,omitempty"`
	Seconds float64 `json:"seconds,omitempty"` // how long the job has been going
}

func newPool(workers, queue int) *pool {
	p := &pool{queue: make(chan *job, queue), closing: make(chan struct{})}
	for i := range workers {
		w := &worker{id: i + 1}
		p.workers = append(p.workers, w)
		p.wg.Go(func() { p.work(w) })
	}
	return p
}

func (p *pool) work(w *worker) {
	for {
		select {
		case j := <-p.queue:
			w.run(j)
		case <-p.closing:
			p.finish(w)
			return
		}
	}
}

// finish does what is still queued.
func (p *pool) finish(w *worker) {
	for {
		select {
		case j := <-p.queue:
			w.run(j)
		default:
			return
		}
	}
}

func (w *worker) run(j *job) {
	if err := j.ctx.Err(); err != nil {
		j.done <- err
		return
	}
	w.begin(j.name)
	err := j.do(w)
	w.begin("")
	j.done <- err
}

func (w *worker) begin(job string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.job, w.doing, w.since = job, "", time.Now()
}

// say notes what the worker is at within its job.
func (w *worker) say(doing string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doing = doing
}

func (w *worker) state(now time.Time) workerState {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := workerState{ID: w.id, Job: w.job, Doing: w.doing}
	if w.job != "" {
		s.Seconds = now.Sub(w.since).Seconds()
	}
	return s
}

// post queues a job and does not wait for it.
func (p *pool) post(ctx context.Context, name string, do func(w *worker) error) (*job, error) {
	j := &job{name: name, ctx: ctx, do: do, done: make(chan error, 1)}
	select {
	case <-p.closing:
		return nil, errClosing
	default:
	}
	select {
	case p.queue <- j:
		return j, nil
	default:
		return nil, errQueueFull
	}
}

// submit queues a job and waits for its end or for the customer to give up.
func (p *pool) submit(ctx context.Context, name string, do func(w *worker) error) error {
	j, err := p.post(ctx, name, do)
	if err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return errNoAnswer
	}
}

func (p *pool) states(now time.Time) []workerState {
	all := make([]workerState, len(p.workers))
	for i, w := range p.workers {
		all[i] = w.state(now)
	}
	return all
}

func (p *pool) busy() int {
	n := 0
	for _, s := range p.states(time.Time{}) {
		if s.Job != "" {
			n++
		}
	}
	return n
}

// close lets the workers finish the queue and waits for them. When they are
// wedged it waits for ever, as programs do that wait for their own threads: that
// is why a supervisor kills.
func (p *pool) close() {
	close(p.closing)
	p.wg.Wait()
}
