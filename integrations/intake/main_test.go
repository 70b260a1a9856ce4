package intake

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const token, nextToken = "correct-horse-battery", "correct-horse-battery-2"

// keeper is a Log in memory.
type keeper struct {
	mu      sync.Mutex
	batches []*incidents.Batch
	append  func(ctx context.Context) error // nil: nil
}

func (k *keeper) Append(ctx context.Context, b *incidents.Batch) error {
	if k.append != nil {
		if err := k.append(ctx); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.batches = append(k.batches, b)
	return nil
}

func (k *keeper) len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.batches)
}

// decodeList is the smallest decoder: an array of objects of labels.
func decodeList(body []byte, source string, now time.Time, limits Limits) (*incidents.Batch, Mended, error) {
	r := NewReader(body, limits)
	b := &incidents.Batch{Source: source, ReceivedAt: now}
	err := r.Alerts("the body", func() error {
		labels, err := r.Labels()
		b.Alerts = append(b.Alerts, incidents.Alert{Labels: labels})
		return err
	})
	if err == nil {
		err = r.End()
	}
	return r.Finish(b), r.Mended, err
}

// receiver makes a Receiver with one source, and what it was told to change.
func receiver(t testing.TB, change func(*Options)) (*Receiver, *keeper) {
	t.Helper()
	k := &keeper{}
	o := Options{
		Log:     k,
		Sources: []Source{{Name: "eu", Tokens: []Token{token, nextToken}}},
		Now:     func() time.Time { return noon },
	}
	if change != nil {
		change(&o)
	}
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v, k
}

// request is a POST as a well-behaved sender makes it.
func request(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://hikeshi.example/v1/alerts/list", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantError checks the status and the form of an error, and returns it.
func wantError(t testing.TB, w *httptest.ResponseRecorder, status int, code incidents.Code) (message, hint string) {
	t.Helper()
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("status %d, body is no JSON: %q", w.Code, w.Body)
	}
	if w.Code != status || a.Error.Code != code || a.Error.Message == "" {
		t.Fatalf("got %d %+v, want %d %s", w.Code, a.Error, status, code)
	}
	return a.Error.Message, a.Error.Hint
}

func TestAnAcceptedPOSTIsDurableBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	appending, release := make(chan struct{}), make(chan struct{})
	k.append = func(context.Context) error {
		close(appending)
		<-release
		return nil
	}
	w := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.Handler("list", decodeList).ServeHTTP(&unwritable{ResponseRecorder: w, until: release, t: t}, request(`[{"alertname":"x"},{"alertname":"y"}]`))
	}()
	<-appending
	close(release)
	<-done
	if w.Code != http.StatusOK || w.Body.String() != `{"accepted":2,"mended":0}`+"\n" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	b := k.batches[0]
	if b.Source != "eu" || !b.ReceivedAt.Equal(noon) || len(b.Alerts) != 2 || !b.Alerts[0].StartsAt.Equal(noon) {
		t.Errorf("stored %+v", b)
	}
}

// unwritable fails the test if anything is written before until is closed.
type unwritable struct {
	*httptest.ResponseRecorder
	until chan struct{}
	t     *testing.T
}

func (u *unwritable) WriteHeader(code int) { u.check(); u.ResponseRecorder.WriteHeader(code) }

func (u *unwritable) Write(b []byte) (int, error) { u.check(); return u.ResponseRecorder.Write(b) }

func (u *unwritable) check() {
	select {
	case <-u.until:
	default:
		u.t.Error("answered before the batch was durable")
	}
}

func TestWhatIsNotDurableIsNever2xx(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		status int
		code   incidents.Code
	}{
		"overloaded":     {incidents.Fail(incidents.Overloaded, "", "the lane is full"), 503, incidents.Overloaded},
		"unavailable":    {incidents.Fail(incidents.Unavailable, "", "redis is away"), 503, incidents.Unavailable},
		"unknown":        {errors.New("disk on fire at /secret/path"), 503, incidents.Unavailable},
		"internal":       {incidents.Fail(incidents.Internal, "", "a bug"), 503, incidents.Unavailable},
		"never too late": {context.DeadlineExceeded, 503, incidents.Unavailable},
		"too large":      {incidents.Fail(incidents.TooLarge, "", "a record holds 2 MiB"), 413, incidents.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, k := receiver(t, func(o *Options) { o.Rand = func(n int) int { return n - 1 } })
			k.append = func(context.Context) error { return tt.err }
			w := serve(v.Handler("list", decodeList), request(`[{"a":"b"}]`))
			wantError(t, w, tt.status, tt.code)
			if got := w.Header().Get("Retry-After"); (got == "30") != (tt.status == 503) {
				t.Errorf("Retry-After is %q", got)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("the sender is told our insides: %s", w.Body)
			}
		})
	}
}

func TestRetryAfterIsBetween1And30Seconds(t *testing.T) {
	t.Parallel()
	for _, r := range []int{0, 29} {
		v, _ := receiver(t, func(o *Options) { o.Rand = func(int) int { return r } })
		h := &handler{Receiver: v}
		if got := h.retryAfter(); got != r+1 {
			t.Errorf("rand %d gives %d s", r, got)
		}
	}
}

func TestAppendHasADeadline(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.AppendTimeout = time.Millisecond })
	k.append = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	wantError(t, serve(v.Handler("list", decodeList), request(`[{"a":"b"}]`)), 503, incidents.Unavailable)
}

func TestAPOSTWithoutAlertsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	if w := serve(v.Handler("list", decodeList), request(`[]`)); w.Code != http.StatusOK || k.len() != 0 {
		t.Errorf("got %d, %d batches stored", w.Code, k.len())
	}
}

func TestAPanicFailsOnePOST(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	bomb := func([]byte, string, time.Time, Limits) (*incidents.Batch, Mended, error) { panic("boom") }
	wantError(t, serve(v.Handler("bomb", bomb), request(`[]`)), 500, incidents.Internal)
	if v.budget.held.Load() != 0 {
		t.Error("the panic kept its share of memory")
	}
	if w := serve(v.Handler("list", decodeList), request(`[{"a":"b"}]`)); w.Code != http.StatusOK || k.len() != 1 {
		t.Errorf("after it: %d", w.Code)
	}
}

func TestNewWantsALog(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil {
		t.Error("no log, and no error")
	}
}
