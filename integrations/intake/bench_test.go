package intake

import (
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

type nowhere struct{}

func (nowhere) Append(context.Context, *incidents.Batch) error { return nil }

// BenchmarkHandler is the cost of a POST around its decoder and its store.
func BenchmarkHandler(b *testing.B) {
	v, _ := receiver(b, func(o *Options) { o.Log, o.Now = nowhere{}, time.Now })
	none := func(_ []byte, source string, now time.Time, _ Limits) (*incidents.Batch, Mended, error) {
		return &incidents.Batch{Source: source, ReceivedAt: now, Alerts: make([]incidents.Alert, 1)}, Mended{}, nil
	}
	h := v.Handler("none", none)
	body := bytes.Repeat([]byte("x"), 814)
	r := request("")
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		w.Body.Reset()
		h.ServeHTTP(w, r)
	}
	if w.Code != 200 {
		b.Fatal(w.Body)
	}
}
