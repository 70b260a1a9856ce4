package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	// register is the setting that names every rule that was ever watched, and has not
	// been found quiet since it was removed.
	register = "watched"
	// lookForRemoved is how often rules are looked for that nobody watches any more: a
	// replica with the configuration of before may raise their alerts until it ends.
	lookForRemoved = 10 * time.Minute
)

// endRemoved ends, until ctx ends, what rules raised that are in the configuration no more.
func (w *Watcher) endRemoved(ctx context.Context) {
	for {
		wait := lookForRemoved
		if err := w.removed(ctx); err != nil && ctx.Err() == nil {
			wait = retryEvery
			if !errors.Is(err, errLater) {
				w.Logger.Warn("what removed rules raised could not be ended; it is tried again", "error", err)
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// removed registers the rules that there are, and ends those that are gone.
func (w *Watcher) removed(ctx context.Context) error {
	doc, err := w.Settings.Setting(ctx, register)
	if err != nil {
		return fmt.Errorf("read which rules were watched: %w", err)
	}
	var before []string
	if doc.Version > 0 {
		if err := json.Unmarshal(doc.Body, &before); err != nil {
			return fmt.Errorf("read which rules were watched: %w", err)
		}
	}
	names := map[string]bool{}
	for _, x := range w.watches {
		names[x.rule.Name] = true
	}
	var failed error
	for _, name := range before {
		if names[name] {
			continue
		}
		x := &watch{Watcher: w, rule: &Rule{Name: name}}
		quiet, err := x.end(ctx)
		failed = errors.Join(failed, err)
		if !quiet {
			names[name] = true // it is looked at again
		}
	}
	after := slices.Sorted(maps.Keys(names))
	if slices.Equal(before, after) {
		return failed
	}
	body, err := json.Marshal(after)
	if err != nil {
		return fmt.Errorf("encode which rules are watched: %w", err)
	}
	if err := w.Settings.PutSetting(ctx, register, doc.Version, body); err != nil {
		if errors.Is(err, incidents.ErrConflict) {
			return errLater
		}
		return fmt.Errorf("write which rules are watched: %w", err)
	}
	return failed
}

// end ends what a removed rule raised; quiet where there was nothing. As in look, what is
// to be told stands in the document first.
func (w *watch) end(ctx context.Context) (quiet bool, err error) {
	kept, version, err := w.read(ctx)
	if err != nil {
		return false, err
	}
	now := w.Now().Unix()
	if len(kept.Pending) > 0 && now >= kept.Claimed && now-kept.Claimed < seconds(claimTime) {
		return false, errLater
	}
	told := slices.Concat(kept.Pending, kept.ended(Changed, now))
	if len(told) == 0 && kept.Spec == "" {
		return true, nil
	}
	if len(told) > 0 {
		// Its labels are as they were: whose its incident is, and who is told.
		w.rule.Labels = incidents.LabelsFromMap(kept.Labels)
		if err := w.write(ctx, version, &State{Pending: told, Claimed: now, Labels: kept.Labels}); err != nil {
			return false, err
		}
		if err := w.deliver(ctx, told); err != nil {
			return false, err
		}
		version++
		w.Logger.Info("a watched rule was removed; what it raised is ended", "rule", w.rule.Name, "alerts", len(told))
	}
	return false, w.write(ctx, version, &State{})
}
