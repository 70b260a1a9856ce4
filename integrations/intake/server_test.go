package intake

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// header is what a well-behaved sender begins with.
func header(contentLength int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", token, contentLength)
}

func TestASlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.ReadTimeout = 20 * time.Millisecond })
	srv := httptest.NewServer(v.Handler("list", decodeList))
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // a broken handler fails, rather than hangs
	fmt.Fprint(conn, header(100)+`[{"a":`)                 // and no more
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(body), "took longer") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		t.Errorf("the connection is still there: %v", err)
	}
	if k.len() != 0 || v.budget.held.Load() != 0 {
		t.Error("something was kept of it")
	}
}

// The deadline for the body must not end a POST whose alerts take longer to
// store: the server would take its own timeout for a sender that went away.
func TestTheBodysDeadlineDoesNotReachTheStore(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.ReadTimeout = 400 * time.Millisecond })
	k.append = func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(600 * time.Millisecond):
			return nil
		}
	}
	srv := httptest.NewServer(v.Handler("list", decodeList))
	t.Cleanup(srv.Close)
	for range 2 { // the second on the same connection
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader(`[{"a":"b"}]`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("got %d %s", resp.StatusCode, body)
		}
	}
}

func TestASenderThatGoesAwayStopsTheStore(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	begun, ended := make(chan struct{}), make(chan error, 1)
	k.append = func(ctx context.Context) error {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	srv := httptest.NewServer(v.Handler("list", decodeList))
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := `[{"a":"b"}]`
	fmt.Fprint(conn, header(len(body))+body)
	<-begun
	_ = conn.Close()
	if err := <-ended; err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestMemoryIsBoundedAndShared(t *testing.T) {
	t.Parallel()
	other := Token("another-source-of-alerts")
	v, k := receiver(t, func(o *Options) {
		o.Sources = append(o.Sources, Source{Name: "us", Tokens: []Token{other}})
		o.Limits = DefaultLimits()
		o.Limits.InFlight = 4 * minWeight
	})
	h := v.Handler("list", decodeList)
	begun, release := make(chan struct{}), make(chan struct{})
	k.append = func(ctx context.Context) error {
		select {
		case begun <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		<-release
		return nil
	}
	var wg sync.WaitGroup
	hold := func(tok Token) {
		wg.Go(func() {
			r := request(`[{"a":"b"}]`)
			r.Header.Set("Authorization", "Bearer "+string(tok))
			if w := serve(h, r); w.Code != http.StatusOK {
				t.Errorf("held: %d %s", w.Code, w.Body)
			}
		})
		<-begun
	}
	hold(token)
	hold(token)
	w := serve(h, request(`[{"a":"b"}]`))
	wantError(t, w, http.StatusServiceUnavailable, incidents.Overloaded)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	hold(other) // the half of the other source is still free
	close(release)
	wg.Wait()
	if n := v.budget.held.Load(); n != 0 {
		t.Errorf("%d bytes are still reserved", n)
	}
	k.append = nil
	if w := serve(h, request(`[{"a":"b"}]`)); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d", w.Code)
	}
}

func TestWhatABodyMayWeigh(t *testing.T) {
	t.Parallel()
	v, _ := receiver(t, nil)
	h := &handler{Receiver: v}
	for name, tt := range map[string]struct {
		length     int64
		compressed bool
		want       int64
	}{
		"plain": {1000, false, 1000}, "chunked": {-1, false, 1 << 20},
		"gzip": {1000, true, 101_000}, "large gzip": {500_000, true, 500_000 + 4<<20}, "chunked gzip": {-1, true, 5 << 20},
	} {
		r := request("")
		r.ContentLength = tt.length
		if got := h.weight(r, tt.compressed); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// gather returns the value, or a histogram's count, of every series.
func gather(t *testing.T, reg *prometheus.Registry) (values map[string]float64, series int) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values = map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			series++
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			switch {
			case m.GetCounter() != nil:
				values[key] = m.GetCounter().GetValue()
			case m.GetHistogram() != nil:
				values[key] = float64(m.GetHistogram().GetSampleCount())
			default:
				values[key] = m.GetGauge().GetValue()
			}
		}
	}
	return values, series
}

func TestMetricsCountEverythingAndDoNotGrow(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	v, _ := receiver(t, func(o *Options) { o.Metrics = reg })
	h := v.Handler("list", decodeList)
	_, before := gather(t, reg)
	for i := range 300 {
		if w := serve(h, request(fmt.Sprintf(`[{"alertname":"a%d","l%d":"%s"},{"x":"\u0000"}]`, i, i, strings.Repeat("v", 4090+i%10)))); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	bad := request(`[]`)
	bad.Header.Set("Authorization", "Bearer unknown-unknown-"+strings.Repeat("x", 50))
	serve(h, bad)
	serve(h, request(`[`))
	serve(h, request(`[{"a":"b"},`+strings.Repeat(`{"a":"b"},`, 1000)+`{}]`))
	values, after := gather(t, reg)
	if after != before {
		t.Errorf("%d series became %d", before, after)
	}
	for name, want := range map[string]float64{
		"hikeshi_intake_posts_total source=eu":                  300,
		"hikeshi_intake_alerts_total source=eu":                 600,
		"hikeshi_intake_mended_total kind=text source=eu":       300,
		"hikeshi_intake_mended_total kind=cut source=eu":        90, // lengths 4097, 4098 and 4099 of ten
		"hikeshi_intake_refused_total reason=unauthenticated":   1,
		"hikeshi_intake_refused_total reason=invalid":           1,
		"hikeshi_intake_refused_total reason=too_large":         1,
		"hikeshi_intake_decode_seconds format=list":             302,
		"hikeshi_intake_append_seconds":                         300,
		"hikeshi_intake_in_flight_bytes":                        0,
		"hikeshi_intake_truncated_alerts_total source=eu":       0,
		"hikeshi_intake_refused_total reason=media_type":        0,
		"hikeshi_intake_mended_total kind=left_out source=eu":   0,
		"hikeshi_intake_mended_total kind=clock source=eu":      0,
		"hikeshi_intake_refused_total reason=sender_gone":       0,
		"hikeshi_intake_refused_total reason=too_many_failures": 0,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want)
		}
	}
}

func TestEveryReasonIsCounted(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	for _, reason := range reasons {
		if v.metrics.refused[reason] == nil {
			t.Errorf("%s is not counted", reason)
		}
	}
	_ = k
	if _, err := New(Options{Log: k, Metrics: registered(t)}); err == nil {
		t.Error("two receivers in one registry, and no error")
	}
}

func registered(t *testing.T) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewRegistry()
	receiver(t, func(o *Options) { o.Metrics = reg })
	return reg
}

func TestTheLogIsOneLineAndHoldsNothingOfTheAlert(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := noon
	v, k := receiver(t, func(o *Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&out, nil))
		o.Now = func() time.Time { return now }
	})
	truncating := func(body []byte, source string, at time.Time, l Limits) (*incidents.Batch, Mended, error) {
		b, m, err := decodeList(body, source, at, l)
		b.Truncated, m.Clocks = 7, 1
		return b, m, err
	}
	h := v.Handler("list", truncating)
	const canary = "canary-in-a-coal-mine"
	hostile := `[{"` + canary + `":"` + canary + `\n{\"level\":\"error\"}\u001b]0;\u0000"}]`
	for range 50 {
		serve(h, request(hostile))
		serve(h, request(`[{"`+canary+`":5}]`))
		bad := request(`[]`)
		bad.Header.Set("Authorization", "Bearer "+canary)
		serve(h, bad)
	}
	now = now.Add(logEvery)
	serve(h, request(`[{"`+canary+`":5}]`))
	k.append = func(context.Context) error { return fmt.Errorf("the disk is full") }
	serve(h, request(hostile))
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), "\x1b") {
		t.Errorf("the alert, or a token, is in the log:\n%s", out.String())
	}
	var said []string
	for line := range strings.Lines(out.String()) {
		var e struct {
			Msg, Reason, Source, Detail, Error string
			HeldBack                           int `json:"held_back"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("not a line of JSON: %q", line)
		}
		said = append(said, fmt.Sprintf("%.15s|%s|%s|%d|%s", e.Msg, e.Reason, e.Source, e.HeldBack, e.Error))
	}
	want := []string{
		"the sender left||eu|0|",
		"parts of alerts||eu|0|",
		"the sender's cl||eu|0|",
		"alerts refused|invalid|eu|0|",
		"alerts refused|unauthenticated||0|",
		"alerts refused|too_many_failures||0|",
		"alerts refused|invalid|eu|49|",
		"alerts refused|unavailable|eu|0|the disk is full",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log says\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
}
