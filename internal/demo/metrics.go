package demo

import (
	"bytes"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// checkoutBuckets are the upper bounds of the histogram, in seconds.
var checkoutBuckets = []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}

// metricsType is the Prometheus text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// metrics counts requests. The paths and codes come from the shop's own routes,
// so there are few of them.
type metrics struct {
	mu       sync.Mutex
	requests map[route]uint64
	buckets  []uint64 // per bound of checkoutBuckets, not cumulative
	count    uint64
	sum      float64
}

type route struct {
	path string
	code int
}

func newMetrics() *metrics {
	return &metrics{requests: map[route]uint64{}, buckets: make([]uint64, len(checkoutBuckets))}
}

func (m *metrics) request(path string, code int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[route{path, code}]++
}

func (m *metrics) checkout(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := took.Seconds()
	m.count, m.sum = m.count+1, m.sum+s
	if i, _ := slices.BinarySearch(checkoutBuckets, s); i < len(checkoutBuckets) {
		m.buckets[i]++
	}
}

// text writes everything in the Prometheus text format.
func (m *metrics) text(h Health, began time.Time) []byte {
	var b bytes.Buffer
	gauge := func(name, help string, value float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %s\n", name, help, name, name, number(value))
	}
	gauge("shop_up", "Whether the workers answer within the deadline (1) or not (0).", oneIf(!h.Wedged))
	gauge("shop_probe_seconds", "How long the last probe took to go through the queue and a worker.", h.ProbeSeconds)
	gauge("shop_queue_depth", "Jobs waiting for a worker.", float64(h.QueueDepth))
	gauge("shop_queue_capacity", "Jobs that can wait for a worker.", float64(h.QueueCapacity))
	gauge("shop_workers", "Workers.", float64(len(h.Workers)))
	gauge("shop_workers_busy", "Workers that are at a job.", float64(h.WorkersBusy))
	gauge("shop_cache_bytes", "Bytes in the cache directory.", float64(h.CacheBytes))
	gauge("shop_cache_quota_bytes", "Bytes the cache directory may have.", float64(h.CacheQuota))
	gauge("shop_cache_full", "Whether the next receipt does not fit into the cache (1) or does (0).", oneIf(h.CacheFull))
	gauge("shop_start_time_seconds", "When the process began, in Unix seconds.", float64(began.UnixMilli())/1000)
	m.counters(&b)
	fmt.Fprint(&b, "# HELP shop_build_info The build; always 1.\n# TYPE shop_build_info gauge\n")
	fmt.Fprintf(&b, "shop_build_info{version=\"%s\",goversion=\"%s\"} 1\n", label(version()), label(runtime.Version()))
	return b.Bytes()
}

func (m *metrics) counters(b *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprint(b, "# HELP shop_requests_total Requests answered.\n# TYPE shop_requests_total counter\n")
	routes := slices.SortedFunc(maps.Keys(m.requests), func(a, b route) int {
		return strings.Compare(a.path+strconv.Itoa(a.code), b.path+strconv.Itoa(b.code))
	})
	for _, r := range routes {
		fmt.Fprintf(b, "shop_requests_total{path=\"%s\",code=\"%d\"} %d\n", label(r.path), r.code, m.requests[r])
	}
	fmt.Fprint(b, "# HELP shop_checkout_seconds How long customers waited at the checkout.\n# TYPE shop_checkout_seconds histogram\n")
	var below uint64
	for i, bound := range checkoutBuckets {
		below += m.buckets[i]
		fmt.Fprintf(b, "shop_checkout_seconds_bucket{le=\"%s\"} %d\n", number(bound), below)
	}
	fmt.Fprintf(b, "shop_checkout_seconds_bucket{le=\"+Inf\"} %d\n", m.count)
	fmt.Fprintf(b, "shop_checkout_seconds_sum %s\nshop_checkout_seconds_count %d\n", number(m.sum), m.count)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(s string) string { return labelEscapes.Replace(s) }

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
