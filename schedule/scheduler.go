package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings is where it stands how far each schedule has come.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Runner carries out the checks of a runbook that changes nothing, and refuses
// any other.
type Runner interface {
	Check(ctx context.Context, runbook string, params map[string]string) ([]incidents.StepResult, error)
}

// Log takes alerts.
type Log interface {
	Append(ctx context.Context, b *incidents.Batch) error
}

// Entry is one schedule.
type Entry struct {
	Name    string
	When    When
	Runbook string
	Params  map[string]string
}

// Options are what a Scheduler is made of.
type Options struct {
	Entries  []Entry
	Settings Settings
	Runner   Runner
	Log      Log
	Now      func() time.Time
	Logger   *slog.Logger
}

// Scheduler starts what is planned.
type Scheduler struct{ Options }

// New makes a scheduler; Run starts it.
func New(o Options) *Scheduler { return &Scheduler{o} }

// state is how far a schedule has come. Whoever writes it starts what is planned.
type state struct {
	Spec    string    `json:"spec"`             // another one starts afresh
	Planned time.Time `json:"planned"`          // up to here everything was started or reported
	Began   time.Time `json:"began,omitzero"`   // the latest start
	Done    time.Time `json:"done,omitzero"`    // its result is in the log
	Failing time.Time `json:"failing,omitzero"` // since when it fails
	Missing time.Time `json:"missing,omitzero"` // since when planned times were missed
}

const (
	// grace is how late a start may be: a pause, a restart, a lost lease.
	grace = time.Minute
	// pollEvery bounds how late a jump of the clock is noticed.
	pollEvery = 30 * time.Second
	// retryEvery is how long to wait after a failure of the store.
	retryEvery = 5 * time.Second
)

// Run starts what is planned until ctx ends. A check that is under way then has
// no result, which the next start reports.
func (s *Scheduler) Run(ctx context.Context) {
	var all sync.WaitGroup
	for i := range s.Entries {
		all.Go(func() { s.follow(ctx, &s.Entries[i]) })
	}
	all.Wait()
}

func (s *Scheduler) follow(ctx context.Context, e *Entry) {
	var next time.Time
	last := s.Now()
	for ctx.Err() == nil {
		now, wait := s.Now(), pollEvery
		if !now.Before(next) || now.Before(last) {
			var err error
			if next, err = s.look(ctx, e, now); err != nil && ctx.Err() == nil {
				s.Logger.Warn("could not look after a schedule", "schedule", e.Name, "error", err)
				next = time.Time{}
			}
		}
		last = now
		if next.IsZero() {
			wait = retryEvery
		} else {
			wait = max(0, min(pollEvery, next.Sub(s.Now())))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// look does what is due at now, where nobody else does, and returns when the
// next is planned.
func (s *Scheduler) look(ctx context.Context, e *Entry, now time.Time) (next time.Time, err error) {
	st, version, err := s.read(ctx, e)
	if err != nil {
		return next, err
	}
	if st.Spec != e.When.spec { // new, or planned anew: nothing was missed
		st.Spec, st.Planned, st.Began, st.Done = e.When.spec, now, time.Time{}, time.Time{}
		return e.When.after(now), s.write(ctx, e, version, &st)
	}
	if ahead := e.When.after(e.When.after(now)); st.Planned.After(ahead) {
		// The clock was ahead for a while, and would keep it from starting for as long.
		s.Logger.Warn("the clock went back; a schedule goes on from here", "schedule", e.Name, "planned", st.Planned)
		return s.reported(ctx, e, version, &st, now, e.Name+" goes on from "+clock(now)+": the clock had been at "+clock(st.Planned))
	}
	first, planned, n := e.When.between(st.Planned, now)
	if n == 0 {
		return e.When.after(st.Planned), nil
	}
	starts := now.Sub(planned) <= grace
	var lacks []string
	if !st.Began.IsZero() && st.Done.IsZero() {
		lacks = append(lacks, e.Name+" was started at "+clock(st.Began)+" and has no result yet")
	}
	if starts && n > 1 {
		_, before, _ := e.When.between(st.Planned, planned.Add(-1))
		lacks = append(lacks, e.missed(first, before, n-1))
	} else if !starts {
		lacks = append(lacks, e.missed(first, planned, n))
	}
	if len(lacks) > 0 {
		return s.lacking(ctx, e, version, &st, now, planned, starts, strings.Join(lacks, "; "))
	}
	return s.start(ctx, e, version, &st, now, planned, true)
}

// lacking reports first, and then takes the planned time: a report twice is one
// alert, and no report would be silence.
func (s *Scheduler) lacking(ctx context.Context, e *Entry, version int64, st *state, now, planned time.Time, starts bool, what string) (time.Time, error) {
	s.Logger.Warn("planned checks did not take place", "schedule", e.Name, "what", what)
	if !starts {
		st.Planned = planned
		return s.reported(ctx, e, version, st, planned, what)
	}
	if err := s.report(ctx, e, st, now, what); err != nil {
		return time.Time{}, err
	}
	return s.start(ctx, e, version, st, now, planned, false)
}

func (s *Scheduler) report(ctx context.Context, e *Entry, st *state, now time.Time, what string) error {
	if st.Missing.IsZero() {
		st.Missing = now
	}
	if err := s.Log.Append(ctx, e.alert(RunMissed, what, st.Missing, s.Now(), false)); err != nil {
		return fmt.Errorf("report what was missed: %w", err)
	}
	return nil
}

// reported reports, and goes on from planned without a start.
func (s *Scheduler) reported(ctx context.Context, e *Entry, version int64, st *state, planned time.Time, what string) (time.Time, error) {
	if err := s.report(ctx, e, st, s.Now(), what); err != nil {
		return time.Time{}, err
	}
	st.Planned, st.Began, st.Done = planned, time.Time{}, time.Time{}
	return e.When.after(planned), s.write(ctx, e, version, st)
}

// start takes the planned time, which one replica can, checks and tells. whole
// says that nothing was missed just now.
func (s *Scheduler) start(ctx context.Context, e *Entry, version int64, st *state, now, planned time.Time, whole bool) (time.Time, error) {
	st.Planned, st.Began, st.Done = planned, now, time.Time{}
	err := s.write(ctx, e, version, st)
	if errors.Is(err, incidents.ErrConflict) {
		return time.Time{}, nil // somebody was faster: look how it stands
	}
	if err != nil {
		return time.Time{}, err
	}
	results, err := s.Runner.Check(ctx, e.Runbook, e.Params)
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err() // stopped in its middle: that is no result
	}
	if err := s.tell(ctx, e, st, whole, results, err); err != nil {
		return time.Time{}, err
	}
	st.Done = s.Now().UTC()
	if err := s.write(ctx, e, version+1, st); err != nil && !errors.Is(err, incidents.ErrConflict) {
		return time.Time{}, err
	}
	return e.When.after(planned), nil
}

// tell puts the result into the intake log. Where nothing was missed just now, what
// was missed before is over.
func (s *Scheduler) tell(ctx context.Context, e *Entry, st *state, whole bool, results []incidents.StepResult, failure error) error {
	now := s.Now().UTC()
	if failure != nil || !incidents.AllOK(results) {
		if st.Failing.IsZero() {
			st.Failing = st.Began
		}
		s.Logger.Info("a scheduled check failed", "schedule", e.Name, "what", e.said(results, failure))
		if err := s.insist(ctx, e.alert(CheckFailed, e.said(results, failure), st.Failing, now, false)); err != nil {
			return err
		}
	} else if !st.Failing.IsZero() {
		if err := s.insist(ctx, e.alert(CheckFailed, e.said(results, nil), st.Failing, now, true)); err != nil {
			return err
		}
		st.Failing = time.Time{}
	}
	if whole && !st.Missing.IsZero() {
		if err := s.insist(ctx, e.alert(RunMissed, e.Name+" takes place again", st.Missing, now, true)); err != nil {
			return err
		}
		st.Missing = time.Time{}
	}
	return nil
}

// insists is how often an alert is offered to a log that is away. After that it
// has no result, and the next start reports it.
const insists = 6

func (s *Scheduler) insist(ctx context.Context, b *incidents.Batch) error {
	var err error
	for range insists {
		if err = s.Log.Append(ctx, b); err == nil {
			return nil
		}
		timer := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return fmt.Errorf("tell the result: %w", err)
}

func (e *Entry) setting() string { return "schedule/" + e.Name }

func (s *Scheduler) read(ctx context.Context, e *Entry) (st state, version int64, err error) {
	kept, err := s.Settings.Setting(ctx, e.setting())
	if err != nil {
		return st, 0, fmt.Errorf("read how far it has come: %w", err)
	}
	if kept.Version > 0 {
		if err := json.Unmarshal(kept.Body, &st); err != nil {
			return st, 0, fmt.Errorf("read how far it has come: %w", err)
		}
	}
	return st, kept.Version, nil
}

func (s *Scheduler) write(ctx context.Context, e *Entry, version int64, st *state) error {
	body, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encode how far it has come: %w", err)
	}
	if err := s.Settings.PutSetting(ctx, e.setting(), version, body); err != nil {
		return fmt.Errorf("write how far it has come: %w", err)
	}
	return nil
}
