package intake

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// buffer is a body in memory. Buffers are reused between POSTs, but none that
// grew past a usual body is kept.
type buffer struct{ bytes []byte }

const (
	leastBuffer = 4 << 10
	keepBuffer  = 256 << 10
)

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func (b *buffer) free() {
	if cap(b.bytes) <= keepBuffer {
		buffers.Put(b)
	}
}

// read reads r until it ends or has given more than most bytes, which is over.
// It begins with room for hint bytes and grows fourfold: a body of unknown
// size costs at most a third more than its size limit.
func read(r io.Reader, hint, most int64) (b *buffer, over bool, err error) {
	b = buffers.Get().(*buffer)
	b.bytes = b.bytes[:0]
	b.grow(max(hint+1, leastBuffer), most)
	for {
		n, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > most:
			return b, true, nil
		case err == io.EOF:
			return b, false, nil
		case err != nil:
			return b, false, err
		}
		if len(b.bytes) == cap(b.bytes) {
			b.grow(4*int64(cap(b.bytes)), most)
		}
	}
}

func (b *buffer) grow(size, most int64) {
	if size = min(size, most+1); int64(cap(b.bytes)) < size {
		grown := make([]byte, len(b.bytes), size)
		copy(grown, b.bytes)
		b.bytes = grown
	}
}

// readBody reads the whole body within its time and size, and undoes gzip. The
// caller frees the buffer.
func readBody(w http.ResponseWriter, r *http.Request, limits Limits, compressed bool) (*buffer, *refusal) {
	// Not every ResponseWriter has a connection with deadlines (a test's has
	// none); the size bounds those. The server lifts the deadline itself at the
	// end of the body, so it does not reach the store.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(limits.ReadTimeout))
	// MaxBytesReader, at its limit, also tells the server to hang up.
	body, _, err := read(http.MaxBytesReader(w, r.Body, limits.Body), max(r.ContentLength, 0), limits.Body)
	if err != nil {
		body.free()
		return nil, readFailure(err, limits)
	}
	if !compressed {
		return body, nil
	}
	defer body.free()
	return gunzip(body.bytes, limits)
}

func readFailure(err error, limits Limits) *refusal {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(limits.Body)
	}
	var timeout net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return &refusal{status: http.StatusRequestTimeout, reason: reasonSlow, close: true, err: invalid(
			fmt.Sprintf("the body took longer than %s", limits.ReadTimeout), "send smaller POSTs, or look at the network between us")}
	}
	return &refusal{status: http.StatusBadRequest, reason: reasonMalformed, close: true, err: invalid(
		"the body ended before its length", "the connection broke; send it again")}
}

func tooLarge(limit int64) *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge, close: true, err: &incidents.Error{
		Code:    incidents.TooLarge,
		Message: fmt.Sprintf("the body is larger than %d bytes", limit),
		Hint:    "send fewer alerts a POST; Alertmanager: max_alerts: 500 in webhook_configs",
	}}
}

var gunzippers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// gunzip inflates src up to the limits of size and ratio and not a byte
// beyond. It does so twice, first only to count: gzip names the size of its
// content, but not where a liar would be believed, and memory is dearer here
// than time. A bomb costs a few milliseconds and no room.
func gunzip(src []byte, limits Limits) (*buffer, *refusal) {
	limit, tooMuch := limits.Decompressed, fmt.Sprintf("the body is larger than %d bytes when decompressed", limits.Decompressed)
	if byRatio := limits.Ratio * int64(len(src)); byRatio < limit {
		limit, tooMuch = byRatio, fmt.Sprintf("the body grows more than %d times when decompressed", limits.Ratio)
	}
	z := gunzippers.Get().(*gzip.Reader)
	defer gunzippers.Put(z)
	if z.Reset(bytes.NewReader(src)) != nil {
		return nil, badGzip()
	}
	size, err := io.Copy(io.Discard, io.LimitReader(z, limit+1))
	switch {
	case err != nil:
		return nil, badGzip()
	case size > limit:
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge, err: &incidents.Error{
			Code: incidents.TooLarge, Message: tooMuch, Hint: "send fewer alerts a POST",
		}}
	}
	if err := z.Reset(bytes.NewReader(src)); err != nil {
		return nil, badGzip()
	}
	body, _, err := read(z, size, size)
	if err != nil {
		body.free()
		return nil, badGzip()
	}
	return body, nil
}

func badGzip() *refusal {
	return &refusal{status: http.StatusBadRequest, reason: reasonMalformed, err: invalid(
		"the body is not valid gzip", "compress it with gzip, or leave Content-Encoding out")}
}
