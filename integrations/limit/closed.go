package limit

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// MaxClosed is the longest that a window is closed for, whatever the provider
// says: after it, one request shows whether it still means it.
const MaxClosed = time.Hour

// Close closes the window of class at key for d, after the provider refused a
// request: key "" closes the class, class "" everything. The other replicas
// hear of it through the store; when that is away, with the next request.
func (l *Limiter) Close(ctx context.Context, class, key string, d time.Duration) {
	d = min(max(d, leastClosed), MaxClosed)
	n := name(class, key)
	if class == "" {
		n = ""
	}
	l.mu.Lock()
	l.closeUntil(n, l.now().Add(d))
	l.mu.Unlock()
	if l.shared != nil {
		l.shared.mark()
		l.exchange(ctx)
	}
}

// closeUntil never opens a window that is closed for longer; l.mu is held.
func (l *Limiter) closeUntil(n string, until time.Time) {
	if !until.After(l.closed[n]) {
		return
	}
	l.closed[n] = until
	for w := range l.waiting { // who cannot be served in time any more goes at once
		w.nudge()
	}
}

// shared is what the replicas know together: one small document, read beside
// the requests and never before one.
type shared struct {
	store   Settings
	name    string
	replica string

	mu     sync.Mutex
	busy   bool
	unsaid bool // something was closed here that the document may not have
	read   time.Time
	told   time.Time // when this replica last said that it is there
}

func (s *shared) mark() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsaid = true
}

// begin says whether the caller should read now; then it must call end.
func (s *shared) begin(now time.Time, force bool) (unsaid, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy || !force && now.Sub(s.read) < look {
		return false, false
	}
	s.busy, s.read = true, now
	unsaid, s.unsaid = s.unsaid, false
	if s.replica != "" && now.Sub(s.told) >= tell {
		s.told, unsaid = now, true
	}
	return unsaid, true
}

func (s *shared) end(said bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy = false; !said {
		s.unsaid, s.told = true, time.Time{}
	}
}

// exchangeTime bounds one look into the store.
const exchangeTime = 2 * time.Second

// refresh looks into the store in the background, at most once a second.
func (l *Limiter) refresh(ctx context.Context) {
	if l.shared == nil {
		return
	}
	if unsaid, ok := l.shared.begin(l.now(), false); ok {
		go l.exchangeNow(context.WithoutCancel(ctx), unsaid)
	}
}

func (l *Limiter) exchange(ctx context.Context) {
	if unsaid, ok := l.shared.begin(l.now(), true); ok {
		l.exchangeNow(context.WithoutCancel(ctx), unsaid)
	}
}

func (l *Limiter) exchangeNow(ctx context.Context, unsaid bool) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	said := false
	defer func() { l.shared.end(said || !unsaid) }()
	for range 5 {
		doc, err := l.shared.store.Setting(ctx, l.shared.name)
		if err != nil {
			return
		}
		body := l.merge(doc.Body)
		if !unsaid {
			return
		}
		err = l.shared.store.PutSetting(ctx, l.shared.name, doc.Version, body)
		if said = err == nil; said || !errors.Is(err, incidents.ErrConflict) {
			return
		}
	}
}

// maxNames bounds the document: more windows than that are not closed at once.
const maxNames = 400

// merge takes over what others closed and who they are, and returns what all of
// them have closed, and all of them. A document that does not parse counts as an empty one.
func (l *Limiter) merge(body []byte) []byte {
	var theirs map[string]time.Time
	_ = json.Unmarshal(body, &theirs)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.divide(theirs, now)
	for n, until := range theirs {
		if isReplica(n) {
			continue
		}
		if last := now.Add(MaxClosed); until.After(last) {
			until = last // their clock is not ours
		}
		if until.After(now) {
			l.closeUntil(n, until)
		}
	}
	all := maps.Clone(l.closed)
	maps.DeleteFunc(all, func(_ string, until time.Time) bool { return !until.After(now) })
	if names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Compare(all[a]) }); len(names) > maxNames {
		for _, n := range names[maxNames:] {
			delete(all, n)
		}
	}
	l.introduce(all, now)
	out, err := json.Marshal(all)
	if err != nil {
		panic("limit: times did not encode: " + err.Error())
	}
	return out
}
