package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Log is where batches become durable. Append returns nil only when the whole
// batch is, and otherwise an *incidents.Error: Overloaded where there is no
// room, Unavailable where the store is away. It gives up when ctx does.
type Log interface {
	Append(ctx context.Context, b *incidents.Batch) error
}

// Options of a Receiver. Only Log is needed.
type Options struct {
	Log     Log
	Sources []Source              // none: only programs on this machine may send
	Limits  Limits                // zero: DefaultLimits
	Metrics prometheus.Registerer // nil: not shown
	Logger  *slog.Logger          // nil: silent
	Now     func() time.Time      // nil: time.Now
	Rand    func(n int) int       // uniform in [0,n), for Retry-After; nil: math/rand/v2
}

// Receiver is what the endpoints share: who may send, how much at once, and
// what is counted.
type Receiver struct {
	log      Log
	known    known
	limits   Limits
	metrics  *metrics
	logger   *slog.Logger
	now      func() time.Time
	rand     func(n int) int
	budget   *budget
	failures *failures
	lines    *throttle
}

// New checks the sources (see ValidateSources) and registers the metrics.
func New(o Options) (*Receiver, error) {
	if o.Log == nil {
		return nil, errors.New("new receiver: no log to append to")
	}
	if err := ValidateSources(o.Sources); err != nil {
		return nil, err
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.IntN
	}
	v := &Receiver{
		log: o.Log, known: newKnown(o.Sources), limits: o.Limits, logger: o.Logger, now: o.Now, rand: o.Rand,
		failures: newFailures(), lines: newThrottle(), budget: newBudget(o.Limits.InFlight),
	}
	var err error
	if v.metrics, err = newMetrics(o.Metrics, v.budget); err != nil {
		return nil, fmt.Errorf("register intake metrics: %w", err)
	}
	for _, s := range o.Sources {
		v.introduce(s.Name)
	}
	return v, nil
}

// LoopbackOnly says that no source is configured, and so only programs on this
// machine may send: something to put on a banner.
func (v *Receiver) LoopbackOnly() bool { return len(v.known.names) == 0 }

// Handler serves one endpoint. Its format, one of a few constants such as
// "alertmanager", is a label of metrics, and the source's name where no source
// is configured. Call it for all endpoints before serving the first.
func (v *Receiver) Handler(format string, decode Decode) http.Handler {
	if v.LoopbackOnly() {
		v.introduce(format)
	}
	return &handler{Receiver: v, format: format, what: alerts, decode: decode, seconds: v.metrics.decode.WithLabelValues(format)}
}

// alerts are what all endpoints are sent but the doors.
const alerts = "alerts"

// introduce makes room for what is kept about each source, so that nothing a
// request carries can.
func (v *Receiver) introduce(source string) {
	v.budget.introduce(source)
	v.metrics.introduce(source)
}
