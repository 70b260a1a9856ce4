package intake

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func zip(t testing.TB, body []byte) []byte { return zipLevel(t, body, gzip.BestSpeed) }

func zipLevel(t testing.TB, body []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// padded is a valid body of n bytes.
func padded(n int) string {
	const body = `[{"a":"b"}]`
	return body + strings.Repeat(" ", n-len(body))
}

// noise is n bytes that gzip cannot shrink by much, and JSON does not mind.
func noise(n int) string {
	const open, end = `[{"a":"`, `"}]`
	var b strings.Builder
	b.WriteString(open)
	x := uint64(88172645463325252)
	for b.Len() < n-len(end) {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[x>>58])
	}
	return b.String() + end
}

func TestSizesAtTheirBoundaries(t *testing.T) {
	t.Parallel()
	l := DefaultLimits()
	half := noise(int(l.Decompressed) / 8)
	for name, tt := range map[string]struct {
		body   string
		gzip   bool
		status int
		names  string // what the message must name
	}{
		"body":              {padded(int(l.Body)), false, 200, ""},
		"body + 1":          {padded(int(l.Body) + 1), false, 413, "1048576 bytes"},
		"decompressed":      {half + strings.Repeat(" ", int(l.Decompressed)-len(half)), true, 200, ""},
		"decompressed + 1":  {half + strings.Repeat(" ", int(l.Decompressed)-len(half)+1), true, 413, "4194304 bytes when decompressed"},
		"wire + 1":          {noise(1<<20 + 1<<19), true, 413, "1048576 bytes"},
		"ratio beyond 100":  {padded(200_000), true, 413, "100 times"},
		"ratio, but modest": {padded(1000), true, 200, ""},
	} {
		body := []byte(tt.body)
		if tt.gzip {
			body = zip(t, body)
		}
		for _, chunked := range []bool{false, true} {
			if chunked && tt.gzip {
				continue // costly, and no different
			}
			v, k := receiver(t, nil)
			r := request("")
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			if chunked {
				r.ContentLength = -1
			}
			if tt.gzip {
				r.Header.Set("Content-Encoding", "gzip")
			}
			w := serve(v.Handler("list", decodeList), r)
			if w.Code != tt.status || (k.len() == 1) != (tt.status == 200) {
				t.Errorf("%s, chunked %v: got %d %s", name, chunked, w.Code, w.Body)
				continue
			}
			if tt.status != 200 {
				if message, hint := wantError(t, w, tt.status, incidents.TooLarge); !strings.Contains(message, tt.names) || hint == "" {
					t.Errorf("%s: says %q, %q", name, message, hint)
				}
			}
			if v.budget.held.Load() != 0 {
				t.Errorf("%s: memory is still reserved", name)
			}
		}
	}
}

func TestTheRatioIsExact(t *testing.T) {
	t.Parallel()
	l := DefaultLimits()
	body := padded(5000)
	small := zip(t, []byte(body))
	l.Ratio = int64(len(body)+len(small)-1) / int64(len(small)) // the least that suffices
	if b, refused := gunzip(small, l); refused != nil || len(b.bytes) != len(body) {
		t.Errorf("at the ratio: %+v", refused)
	}
	l.Ratio--
	if _, refused := gunzip(small, l); refused == nil || refused.status != 413 {
		t.Errorf("beyond it: %+v", refused)
	}
}

func TestContentsAtTheirBoundaries(t *testing.T) {
	t.Parallel()
	alerts := func(n int) string { return "[" + strings.Repeat(`{"a":"b"},`, n-1) + `{"a":"b"}]` }
	nest := func(n int) string { // n levels, of which the array is one
		return strings.Repeat("[", n) + strings.Repeat("]", n)
	}
	for name, tt := range map[string]struct {
		decode func(r *Reader) error
		body   string
		code   incidents.Code
		names  string
	}{
		"alerts":           {nil, alerts(1000), "", ""},
		"alerts + 1":       {nil, alerts(1001), incidents.TooLarge, "1000 alerts"},
		"depth":            {(*Reader).Skip, nest(32), "", ""},
		"depth + 1":        {(*Reader).Skip, nest(33), incidents.Invalid, "32 deep"},
		"20,000 brackets":  {(*Reader).Skip, strings.Repeat("[", 20_000), incidents.Invalid, "32 deep"},
		"20,000 objects":   {(*Reader).Skip, strings.Repeat(`{"a":`, 20_000), incidents.Invalid, "32 deep"},
		"200,000 brackets": {nil, strings.Repeat("[", 200_000), incidents.Invalid, "must be an object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var err error
			if tt.decode == nil {
				_, _, err = decodeList([]byte(tt.body), "eu", noon, DefaultLimits())
			} else {
				err = tt.decode(NewReader([]byte(tt.body), DefaultLimits()))
			}
			if tt.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if incidents.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.names) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A bomb of 512 MiB in about half a megabyte is refused having cost no more
// than an honest POST: everything allocated on the way is counted, freed or not.
func TestAGzipBombCostsLittle(t *testing.T) {
	member := zipLevel(t, make([]byte, 1<<20), gzip.BestCompression)
	bomb := bytes.Repeat(member, 512)
	lying := bytes.Clone(bomb)
	copy(lying[len(lying)-4:], "\x10\x00\x00\x00") // claims 16 bytes
	boasting := bytes.Clone(bomb)
	copy(boasting[len(boasting)-4:], "\xff\xff\xff\xff") // claims 4 GiB
	for name, body := range map[string][]byte{"bomb": bomb, "lying bomb": lying, "boasting bomb": boasting} {
		if len(body) > 600<<10 {
			t.Fatalf("the bomb is %d bytes, not much of one", len(body))
		}
		v, k := receiver(t, nil)
		h := v.Handler("list", decodeList)
		r := request("")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), -1
		r.Header.Set("Content-Encoding", "gzip")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := serve(h, r)
		runtime.ReadMemStats(&after)
		wantError(t, w, 413, incidents.TooLarge)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: allocated %d KiB", name, grown>>10)
		}
		if k.len() != 0 {
			t.Errorf("%s: stored", name)
		}
	}
}

// endless is a body of any size.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += len(p)
	return len(p), nil
}

func TestAHugeChunkedBodyIsReadToTheLimitOnly(t *testing.T) {
	v, k := receiver(t, nil)
	h := v.Handler("list", decodeList)
	body := &endless{}
	r := request("")
	r.Body, r.ContentLength = io.NopCloser(body), -1
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := serve(h, r)
	runtime.ReadMemStats(&after)
	wantError(t, w, 413, incidents.TooLarge)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("allocated %d KiB", grown>>10)
	}
	if body.read > 4<<20 || k.len() != 0 {
		t.Errorf("read %d bytes, stored %d batches", body.read, k.len())
	}
}

func TestADeclaredSizeIsRefusedBeforeTheSenderIsKnown(t *testing.T) {
	t.Parallel()
	v, _ := receiver(t, nil)
	r := request("")
	r.Header.Del("Authorization")
	r.Body, r.ContentLength = unread{t}, DefaultLimits().Body+1
	wantError(t, serve(v.Handler("list", decodeList), r), 413, incidents.TooLarge)
}

func TestFormsThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	v, _ := receiver(t, nil)
	h := v.Handler("list", decodeList)
	for name, tt := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"no type":       {func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"odd type":      {func(r *http.Request) { r.Header.Set("Content-Type", ";;") }, 415},
		"brotli":        {func(r *http.Request) { r.Header.Set("Content-Encoding", "br") }, 415},
		"gzip twice":    {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip, gzip") }, 415},
		"not gzip":      {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 400},
		"GET":           {func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"identity":      {func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") }, 200},
		"capitals":      {func(r *http.Request) { r.Header.Set("Content-Type", "Application/JSON") }, 200},
		"empty":         {func(r *http.Request) { r.Body = http.NoBody }, 400},
		"empty gzip":    {func(r *http.Request) { r.Body = http.NoBody; r.Header.Set("Content-Encoding", "gzip") }, 400},
		"broken off":    {func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader("[{"), brokenOff{})) }, 400},
		"gzip, cut off": {func(r *http.Request) { gzipCut(t, r) }, 400},
	} {
		r := request(`[{"a":"b"}]`)
		tt.change(r)
		w := serve(h, r)
		if w.Code != tt.status {
			t.Errorf("%s: got %d %s", name, w.Code, w.Body)
		}
		if w.Code != 200 {
			if _, hint := wantError(t, w, tt.status, incidents.Invalid); hint == "" {
				t.Errorf("%s: no hint", name)
			}
		}
	}
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func gzipCut(t *testing.T, r *http.Request) {
	t.Helper()
	body := zip(t, []byte(`[{"a":"b"}]`))
	r.Body = io.NopCloser(bytes.NewReader(body[:len(body)-9]))
	r.Header.Set("Content-Encoding", "gzip")
}

func TestBuffersAreNotMixedUp(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	h := v.Handler("list", decodeList)
	for i := range 40 {
		r := request(fmt.Sprintf(`[{"n":"%d"}]`, i))
		if i%2 == 1 {
			body := zip(t, fmt.Appendf(nil, `[{"n":"%d"}]`, i))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Encoding", "gzip")
		}
		if w := serve(h, r); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	for i, b := range k.batches {
		if got := b.Alerts[0].Labels.Get("n"); got != fmt.Sprint(i) {
			t.Fatalf("batch %d says %s", i, got)
		}
	}
}
