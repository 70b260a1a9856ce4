package jira

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Options is what a Tracker needs.
type Options struct {
	Config    Config
	Settings  Settings
	Pace      Limiter
	Transport http.RoundTripper // nil: the default one
	Now       func() time.Time
	Log       *slog.Logger
}

// Tracker is one project of one Jira.
type Tracker struct {
	config   Config
	client   *client
	settings Settings
	now      func() time.Time
	log      *slog.Logger

	unsure, healed atomic.Int64
	reading        atomic.Int64 // webhooks whose bodies are being read

	mu     sync.Mutex
	linked map[string]bool // remote links that are known to stand
	seen   map[string]time.Time
}

var _ tracker.Tracker = (*Tracker)(nil)

// New makes one.
func New(o Options) (*Tracker, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Config.IndexTime <= 0 {
		o.Config.IndexTime = defaultIndexTime
	}
	if o.Config.Duplicate == "" {
		o.Config.Duplicate = defaultDuplicate
	}
	if o.Config.Relates == "" {
		o.Config.Relates = defaultRelates
	}
	c, err := newClient(o.Config, o.Pace, o.Transport, o.Now)
	if err != nil {
		return nil, err
	}
	return &Tracker{config: o.Config, client: c, settings: o.Settings, now: o.Now, log: o.Log, linked: map[string]bool{}, seen: map[string]time.Time{}}, nil
}

// Stats is what happened in this process.
func (k *Tracker) Stats() tracker.Stats {
	return tracker.Stats{Unsure: k.unsure.Load(), Healed: k.healed.Load()}
}

// maxKnown bounds what is remembered; beyond it, it is asked for or told again.
const maxKnown = 8192
