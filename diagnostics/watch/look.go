package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// errLater says that another replica is at it: look again soon.
var errLater = errors.New("somebody else is at it")

const (
	clockSlack = 2 * time.Minute // by how much the clocks of replicas may differ
	logHistory = time.Hour       // that new lines are compared with
	detailMost = 500             // bytes of an example
	linkMost   = 1500            // bytes of an address
)

// look judges what was seen up to a time, where nobody else has. An error is one of
// the store: that a source does not answer is part of what is known.
//
// The document moves first and says what is to be told; then it is told; then the
// document says so. Whoever dies in between leaves it to the next who looks.
func (w *watch) look(ctx context.Context, to int64) error {
	kept, version, err := w.read(ctx)
	if err != nil {
		return err
	}
	now := w.Now().Unix()
	if len(kept.Pending) > 0 && now >= kept.Claimed && now-kept.Claimed < seconds(claimTime) {
		return errLater
	}
	s, told := w.begin(kept, to)
	s.Labels = w.rule.labels()
	if w.rule.Kind == Logs || s.Looked < to {
		var more []Told
		s, more = w.judge(ctx, s, to)
		told = append(told, more...)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.Pending = append(slices.Clone(s.Pending), told...); len(s.Pending) > 0 {
		s.Claimed = now
	} else if same(w.rule, kept, s) {
		w.Tally.done(w.rule, to)
		return nil
	}
	if err := w.write(ctx, version, &s); err != nil {
		return err
	}
	w.Tally.done(w.rule, to)
	if len(s.Pending) == 0 {
		return nil
	}
	if err := w.deliver(ctx, s.Pending); err != nil {
		return err
	}
	s.Pending, s.Claimed = nil, 0
	return w.write(ctx, version+1, &s)
}

// begin is the state that a look starts from: a fresh one where the rule is
// another, one of now where the clock went back.
func (w *watch) begin(s State, to int64) (State, []Told) {
	every, spec := seconds(w.rule.Every), w.rule.spec()
	if s.Spec != spec {
		told := s.ended(Changed, to)
		return State{Spec: spec, Through: to - int64(w.rule.Of)*every, Pending: s.Pending}, told
	}
	if ahead := to + max(2*every, seconds(clockSlack)); s.Looked > ahead || s.Through > ahead {
		w.Logger.Warn("the clock went back; a watched rule goes on from here", "rule", w.rule.Name, "looked", time.Unix(s.Looked, 0).UTC())
		s = s.rewound(to - every)
	}
	if missed := (to-s.Looked)/every - 1; s.Looked > 0 && missed > 0 {
		w.counts.add(late, missed)
		gone := max(0, (to-s.Through)/every-history)
		w.counts.add(lost, gone)
		w.Logger.Warn("looks did not take place; they are made up for as far as the source remembers", "rule", w.rule.Name, "looks", missed, "lost", gone)
	}
	return s, nil
}

// ended are the ends of all that fires.
func (s State) ended(why Ending, at int64) []Told {
	var told []Told
	for _, u := range s.Subjects {
		if u.Firing {
			told = append(told, Told{Of: u.Of, Over: why, Since: u.Onset, At: at, Value: u.Value, Usual: u.Usual})
		}
	}
	if s.DownTold {
		told = append(told, Told{Down: true, Over: why, Since: s.Down, At: at})
	}
	return told
}

// judge asks, and goes on by what it is told.
func (w *watch) judge(ctx context.Context, s State, to int64) (State, []Told) {
	sights, err := w.ask(ctx, &s, to)
	if w.rule.Kind == Series {
		s.Looked = to
	}
	if err != nil {
		w.counts.add(failed, 1)
		w.troubled(err)
		return s.failing(w.rule, to)
	}
	w.counts.add(done, 1)
	w.troubled(nil)
	s, told := w.rule.Advance(s, sights, to)
	if s.DownTold {
		told = append(told, Told{Down: true, Over: Back, Since: s.Down, At: to})
	}
	s.Down, s.DownTold = 0, false
	return s, told
}

// failing is the state after a source did not answer.
func (s State) failing(r *Rule, to int64) (State, []Told) {
	if s.Down == 0 {
		s.Down = to
	}
	if r.DownAfter <= 0 || s.DownTold || to-s.Down < seconds(r.DownAfter) {
		return s, nil
	}
	s.DownTold = true
	return s, []Told{{Down: true, Since: s.Down, At: to}}
}

// troubled says a source's trouble once, and that it is over once.
func (w *watch) troubled(err error) {
	switch {
	case err != nil && w.trouble == "":
		w.trouble = w.Clean(err.Error())
		w.Logger.Warn("a watched source does not answer", "rule", w.rule.Name, "source", w.source.Name(), "error", w.trouble)
	case err == nil && w.trouble != "":
		w.trouble = ""
		w.Logger.Info("a watched source answers again", "rule", w.rule.Name, "source", w.source.Name())
	}
}

func (w *watch) ask(ctx context.Context, s *State, to int64) ([]Sight, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if w.rule.Kind == Logs {
		return w.askLogs(ctx, s, to)
	}
	source, ok := w.source.(diagnostics.Grapher)
	if !ok {
		return nil, fmt.Errorf("%s takes no queries", w.source.Name())
	}
	every := seconds(w.rule.Every)
	answer, err := source.Graph(ctx, w.rule.Query, time.Unix(to-history*every, 0), time.Unix(to, 0))
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	for i := range answer.Series {
		x := &answer.Series[i]
		if x.Of = w.Clean(x.Of); len(x.URL) > linkMost {
			x.URL = ""
		}
	}
	sights, left := w.eyes.see(w.rule, answer.Series, s.Through, to, s.Subjects)
	if left += answer.Left; left > 0 && left != w.left {
		w.Logger.Warn("not all series of a rule are watched", "rule", w.rule.Name, "watched", mostSeries, "left", left)
	}
	w.left = left
	w.counts.left.Store(int64(left))
	return sights, nil
}

func (w *watch) askLogs(ctx context.Context, s *State, to int64) ([]Sight, error) {
	if w.rule.Keyword != "" {
		return w.Tally.sights(w.rule, s.Through, to), nil
	}
	at := time.Unix(to, 0)
	about := &incidents.Incident{Service: w.rule.Service, Customer: w.rule.Customer}
	if w.rule.Host != "" {
		about.Common = incidents.LabelsFromMap(map[string]string{"host": w.rule.Host})
	}
	answer, err := w.source.Ask(ctx, diagnostics.Question{Incident: about, From: at.Add(-logHistory), Alert: at, To: at})
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	x := Sight{At: to, Odd: true}
	for _, l := range answer.Logs {
		if !slices.Contains(w.rule.Trends, string(l.Trend)) || l.Count < w.rule.Count {
			continue
		}
		if x.Value += float64(l.Count); x.Detail == "" {
			x.Detail = cut(l.Example)
		}
	}
	if x.Value == 0 {
		return nil, nil
	}
	return []Sight{x}, nil
}

// same says that nothing happened that others need to know.
func same(r *Rule, a, b State) bool {
	if r.Kind == Series {
		return a.Looked == b.Looked
	}
	b.Through, b.Looked = a.Through, a.Looked
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// deliver puts alerts into the intake log.
func (w *watch) deliver(ctx context.Context, told []Told) error {
	for _, b := range w.rule.batches(told, w.Now(), w.Say) {
		writing, cancel := context.WithTimeout(ctx, writeTime)
		err := w.Log.Append(writing, b)
		cancel()
		if err != nil {
			return fmt.Errorf("tell what was seen: %w", err)
		}
	}
	for i := range told {
		if told[i].Over == "" {
			w.counts.add(fired, 1)
			w.Logger.Info("a watched rule fires", "rule", w.rule.Name, "of", told[i].Of, "since", time.Unix(told[i].Since, 0).UTC())
		}
	}
	return nil
}

func setting(rule string) string { return "watch/" + rule }

func (w *watch) read(ctx context.Context) (s State, version int64, err error) {
	kept, err := w.Settings.Setting(ctx, setting(w.rule.Name))
	if err != nil {
		return s, 0, fmt.Errorf("read what is remembered: %w", err)
	}
	if kept.Version > 0 {
		if err := json.Unmarshal(kept.Body, &s); err != nil {
			return s, 0, fmt.Errorf("read what is remembered: %w", err)
		}
	}
	return s, kept.Version, nil
}

func (w *watch) write(ctx context.Context, version int64, s *State) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode what is remembered: %w", err)
	}
	if len(body) > incidents.MaxSetting {
		return fmt.Errorf("what is remembered is larger than %s bytes", strconv.Itoa(incidents.MaxSetting))
	}
	if err := w.Settings.PutSetting(ctx, setting(w.rule.Name), version, body); err != nil {
		if errors.Is(err, incidents.ErrConflict) {
			return errLater
		}
		return fmt.Errorf("write what is remembered: %w", err)
	}
	return nil
}

func cut(text string) string {
	return string(bytes.ToValidUTF8([]byte(text[:min(len(text), detailMost)]), nil))
}
