package trail

import (
	"context"
	"errors"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// maxOwing bounds what is kept while the store is away: notes beyond it are
// counted. Outcomes are never dropped: there are no more than intents.
const maxOwing = 1000

// owe writes a record now, or keeps it.
func (l *Log) owe(ctx context.Context, r audit.Record) {
	if l.pay(ctx, r) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Kind == audit.Note && len(l.owing) >= maxOwing {
		l.missed++
		return
	}
	l.owing = append(l.owing, r)
}

// pay writes a record and says whether it is settled. An outcome that somebody
// else has told meanwhile, because this process was given up for dead, is kept
// as a note: it is the better knowledge, but an intent has one outcome.
func (l *Log) pay(ctx context.Context, r audit.Record) bool {
	_, err := l.append(ctx, r)
	closed, is := errors.AsType[*audit.Closed](err)
	switch {
	case err == nil:
		return true
	case !is && incidents.CodeOf(err) != incidents.Unavailable: // no store will ever take it
		l.Logger.Error("a record of the audit cannot be written", "action", r.Action, "error", err)
		return true
	case !is:
		return false
	}
	l.mu.Lock()
	ours := l.told[closed.Intent]
	delete(l.told, closed.Intent)
	l.mu.Unlock()
	if ours || r.Result == audit.Unknown {
		return true
	}
	r.Kind, r.Why = audit.Note, "told after somebody else had recorded it as unknown"
	_, err = l.append(ctx, r)
	return err == nil
}

// The lease by which others know that a process is alive.
const leaseFor = 30 * time.Second

func leaseOf(owner string) string { return "audit/" + owner }

// Run looks after what is owed, and writes checkpoints, until ctx ends.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(l.Upkeep)
	defer tick.Stop()
	pointed := l.Now()
	l.upkeep(ctx)
	for {
		due := false
		select {
		case <-ctx.Done():
			l.last()
			return
		case <-l.nudge:
			due = true
		case <-tick.C:
			l.upkeep(ctx)
		}
		if due || l.Now().Sub(pointed) >= l.Every {
			l.checkpoint()
			pointed = l.Now()
		}
	}
}

// last is what is done when the process stops: what is owed is offered once
// more, and the end is pinned.
func (l *Log) last() {
	ctx, cancel := context.WithTimeout(context.Background(), endFor)
	defer cancel()
	l.repay(ctx)
	l.checkpoint()
}

// live says that we are alive. An intent of a process that never did could be
// taken for a dead one's.
func (l *Log) live(ctx context.Context) error {
	held, err := l.Leases.Lease(ctx, leaseOf(l.Owner), l.Owner, leaseFor)
	if err != nil {
		return err
	}
	if !held { // we were given up for dead; what we begin from here on is ours again once it has run out
		l.Logger.Warn("another process looks after the audit's open ends of this one; was it stopped for a while?")
	}
	l.mu.Lock()
	l.alive = true
	l.mu.Unlock()
	return nil
}

func (l *Log) upkeep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*flushFor)
	defer cancel()
	if l.live(ctx) != nil {
		return // the store is away; whatever needs it says so
	}
	l.repay(ctx)
	l.look(ctx)
	l.bury(ctx)
}

// repay writes what could not be written before.
func (l *Log) repay(ctx context.Context) {
	l.mu.Lock()
	missed := l.missed
	l.mu.Unlock()
	if missed > 0 {
		gap := audit.Record{Kind: audit.Note, Action: audit.ActGap, By: bot(), Unsaid: missed}
		if _, err := l.append(ctx, gap); err == nil {
			l.mu.Lock()
			l.missed -= missed
			l.mu.Unlock()
		}
	}
	for {
		l.mu.Lock()
		if len(l.owing) == 0 {
			l.owing = nil
			l.mu.Unlock()
			return
		}
		next := l.owing[0] // the others only add behind it
		l.mu.Unlock()
		if !l.pay(ctx, next) {
			return
		}
		l.mu.Lock()
		l.owing = l.owing[1:]
		l.mu.Unlock()
	}
}

// look sees what others have appended, so that a cut or a foreign record is
// found by a process that has nothing to write, and resolves doubts.
func (l *Log) look(ctx context.Context) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return
	}
	l.mu.Lock()
	doubtful := len(l.doubts) > 0
	l.met = l.met && !doubtful
	l.mu.Unlock()
	settle, err := l.meet(ctx)
	if err != nil {
		return
	}
	if len(settle) > 0 {
		l.flushSettled(ctx, settle)
		return
	}
	if head, err := l.Store.AuditHead(ctx); err == nil {
		_ = l.follow(ctx, head) // what it finds stands in Problems
	}
}

// flushSettled appends the outcome of intents that nobody acted upon.
func (l *Log) flushSettled(ctx context.Context, settle []audit.Record) {
	entries, _ := l.seal(settle, nil)
	switch err := l.Store.AppendAudit(ctx, l.where(), entries); err.(type) {
	case nil:
		l.appended(entries)
	default:
		l.mu.Lock()
		l.met = false // the doubts are still there: the next look finds them again
		l.mu.Unlock()
	}
}

// bury records unknown for what a dead process owed. Whose lease can be taken is
// dead; of two who take it the store lets one tell.
func (l *Log) bury(ctx context.Context) {
	owed, err := l.Store.AuditOwed(ctx)
	if err != nil {
		return
	}
	dead := map[string]bool{l.Owner: false}
	for _, o := range owed {
		gone, asked := dead[o.Owner]
		if !asked {
			held, err := l.Leases.Lease(ctx, leaseOf(o.Owner), l.Owner, leaseFor)
			gone = held && err == nil
			dead[o.Owner] = gone
		}
		if !gone {
			continue
		}
		r := audit.Record{Kind: audit.Outcome, Of: o.Seq, Result: audit.Unknown, By: bot(), Why: "the process that began it is gone"}
		if list, err := l.Store.AuditEntries(ctx, o.Seq-1, 1); err == nil && len(list) == 1 && list[0].Seq == o.Seq {
			if i, err := audit.Decode(list[0].Body); err == nil {
				r.Action, r.Incident, r.Run, r.Step, r.Runbook = i.Action, i.Incident, i.Run, i.Step, i.Runbook
			}
		}
		if r.Action != "" {
			l.pay(ctx, r)
		}
	}
}

func bot() audit.Person { return audit.Person{ID: incidents.Bot.ID, Name: incidents.Bot.Name} }
