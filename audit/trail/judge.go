package trail

import (
	"context"
	"errors"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// page is how many entries are read at once.
const page = 500

// meet finds out where the chain ends, at the start and after every doubt, and
// holds it to what we know of it. It returns what must be appended first: the
// outcome of intents that were written although their caller was told that they
// were not.
func (l *Log) meet(ctx context.Context) (settle []audit.Record, err error) {
	l.mu.Lock()
	broken, met, known := l.broken, l.met, l.head
	l.mu.Unlock()
	if broken != nil {
		return nil, broken
	}
	if met {
		return nil, nil
	}
	head, err := l.Store.AuditHead(ctx)
	if err != nil {
		return nil, err
	}
	if known.Seq == 0 {
		if known, err = l.believe(ctx, head); err != nil {
			return nil, err
		}
		l.mu.Lock()
		l.head = known
		l.mu.Unlock()
	}
	if err := l.follow(ctx, head); err != nil {
		return nil, err
	}
	settle, err = l.resolve(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.met = true
	l.mu.Unlock()
	return settle, nil
}

// believe says from where on a chain that we meet for the first time is read:
// from the latest checkpoint of this place or, without one, from its last record.
func (l *Log) believe(ctx context.Context, head audit.Head) (audit.Head, error) {
	cp, has, err := l.Sink.latest(l.Keys)
	if err != nil {
		return audit.Head{}, l.breakOff("error.audit_checkpoint", "the latest checkpoint of the audit cannot be used: "+err.Error(), "error", err.Error())
	}
	if has {
		list, err := l.Store.AuditEntries(ctx, cp.Seq-1, 1)
		if err != nil {
			return audit.Head{}, err
		}
		if len(list) == 0 || list[0].Seq != cp.Seq || list[0].MAC != cp.Head {
			return audit.Head{}, l.breakOff("error.audit_lost",
				fmt.Sprintf("the audit does not have record %d as the checkpoint of %s saw it: it was cut, or the store lost data", cp.Seq, cp.At),
				"seq", itoa(cp.Seq), "at", cp.At.String())
		}
		l.mu.Lock()
		l.first, l.pointed = cp.First, cp.Seq
		l.mu.Unlock()
		return audit.Head{Seq: cp.Seq, MAC: cp.Head}, nil
	}
	return l.before(ctx, head)
}

// before is the head before the last record, so that the last record is verified.
func (l *Log) before(ctx context.Context, head audit.Head) (audit.Head, error) {
	if head.Seq <= 1 {
		return audit.Head{}, nil
	}
	list, err := l.Store.AuditEntries(ctx, head.Seq-2, 1)
	if err != nil {
		return audit.Head{}, err
	}
	first, err := l.Store.AuditEntries(ctx, 0, 1)
	if err != nil {
		return audit.Head{}, err
	}
	if len(list) == 0 || len(first) == 0 {
		return audit.Head{}, l.breakBy(&audit.Problem{Seq: head.Seq, What: audit.Missing, To: head.Seq - 1})
	}
	l.mu.Lock()
	l.first = first[0].MAC
	l.mu.Unlock()
	return audit.Head{Seq: list[0].Seq, MAC: list[0].MAC}, nil
}

// follow reads what others have appended since our head and verifies it.
func (l *Log) follow(ctx context.Context, to audit.Head) error {
	from := l.where()
	if to.Seq < from.Seq || to.Seq == from.Seq && to.MAC != from.MAC {
		return l.breakOff("error.audit_lost",
			fmt.Sprintf("the audit ends at record %d, but record %d was written: the store lost data, or somebody cut it", to.Seq, from.Seq),
			"seq", itoa(from.Seq), "at", audit.TimeOf(l.Now()).String())
	}
	for from.Seq < to.Seq {
		list, err := l.Store.AuditEntries(ctx, from.Seq, page)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return l.breakBy(&audit.Problem{Seq: from.Seq + 1, What: audit.Missing, To: to.Seq})
		}
		next, err := l.Keys.Follow(from, list)
		if err != nil {
			return l.breakBy(err)
		}
		l.mu.Lock()
		if from.Seq == 0 {
			l.first = list[0].MAC
		}
		l.head = next
		l.mu.Unlock()
		from = next
	}
	return nil
}

// resolve finds out what became of the batches in doubt.
func (l *Log) resolve(ctx context.Context) (settle []audit.Record, err error) {
	l.mu.Lock()
	doubts := l.doubts
	l.mu.Unlock()
	for _, batch := range doubts {
		there, err := l.Store.AuditEntries(ctx, batch[0].Seq-1, 1)
		if err != nil {
			return nil, err
		}
		if len(there) == 0 || there[0].Seq != batch[0].Seq || there[0].MAC != batch[0].MAC {
			continue // it did not happen, or will not: we append where it wanted to
		}
		for i := range batch {
			settle = append(settle, l.settled(batch[i])...)
		}
	}
	return settle, nil
}

// settled is what must follow an entry that was written although nobody was told:
// an intent was not acted upon.
func (l *Log) settled(e audit.Entry) []audit.Record {
	r, err := audit.Decode(e.Body)
	if err != nil {
		return nil
	}
	switch r.Kind {
	case audit.Intent:
		return []audit.Record{{
			Kind: audit.Outcome, Of: r.Seq, Action: r.Action, Result: audit.Failed, By: r.By, Error: "error.audit_away",
			Replica: l.Owner, At: audit.TimeOf(l.Now()), Incident: r.Incident, Run: r.Run, Step: r.Step, Runbook: r.Runbook,
		}}
	case audit.Outcome:
		l.mu.Lock()
		l.told[r.Of] = true
		l.mu.Unlock()
	}
	return nil
}

// breakBy stops writing because of what was found in the chain.
func (l *Log) breakBy(err error) error {
	p, ok := errors.AsType[*audit.Problem](err)
	if !ok {
		return err
	}
	if p.What == audit.OtherKey {
		return l.breakOff("error.audit_other_key", fmt.Sprintf("the audit is kept with key %s, which this process does not have", p.Key), "key", p.Key)
	}
	return l.breakOff("error.audit_broken", p.Error(), "seq", itoa(p.Seq))
}

// breakOff stops writing for good: what would be written onto a chain that is
// not ours would only hide what happened to it.
func (l *Log) breakOff(phrase, message string, args ...string) error {
	e := incidents.Fail(incidents.Unavailable, phrase, message, args...).WithHint("hikeshi audit verify; docs/audit.md says what to do")
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = e
		l.Logger.Error("the audit is not as it was left; nothing that it must record is done any more", "error", message)
	}
	return l.broken
}

func (l *Log) brokenBy() *incidents.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

func (l *Log) isBroken() bool { return l.brokenBy() != nil }
