package intake

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
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

// buffers are reused between POSTs; none that grew past a usual one is kept.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keepBuffer = 256 << 10

func getBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= keepBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// readBody reads the whole body within its time and size, and undoes gzip. The
// caller gives the buffer back with putBuffer.
func readBody(w http.ResponseWriter, r *http.Request, limits Limits, compressed bool) (*bytes.Buffer, *refusal) {
	// Not every ResponseWriter has a connection with deadlines (HTTP/2 has its
	// own, a test has none); the size bounds those.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(limits.ReadTimeout))
	buf := getBuffer()
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limits.Body)); err != nil {
		putBuffer(buf)
		return nil, readFailure(err, limits)
	}
	// The server watches the idle connection while the alerts are stored: a
	// deadline left behind would look like a sender who went away.
	_ = conn.SetReadDeadline(time.Time{})
	if !compressed {
		return buf, nil
	}
	defer putBuffer(buf)
	return gunzip(buf.Bytes(), limits)
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

var gunzippers sync.Pool // of *gzip.Reader

// gunzip inflates src up to the limits of size and ratio and not a byte
// beyond, so that a bomb costs no more than an honest body.
func gunzip(src []byte, limits Limits) (*bytes.Buffer, *refusal) {
	z, _ := gunzippers.Get().(*gzip.Reader)
	var err error
	if z == nil {
		z, err = gzip.NewReader(bytes.NewReader(src))
	} else {
		err = z.Reset(bytes.NewReader(src))
	}
	if err != nil {
		return nil, badGzip()
	}
	defer gunzippers.Put(z)
	limit, over := limits.Decompressed, fmt.Sprintf("the body is larger than %d bytes when decompressed", limits.Decompressed)
	if byRatio := limits.Ratio * int64(len(src)); byRatio < limit {
		limit, over = byRatio, fmt.Sprintf("the body grows more than %d times when decompressed", limits.Ratio)
	}
	buf := getBuffer()
	// The last four bytes are the size of the content, if the sender is honest.
	size := int64(binary.LittleEndian.Uint32(src[len(src)-4:]))
	buf.Grow(int(min(size, limit)) + 1 + bytes.MinRead)
	if _, err = buf.ReadFrom(io.LimitReader(z, limit+1)); err != nil {
		putBuffer(buf)
		return nil, badGzip()
	}
	if int64(buf.Len()) > limit {
		putBuffer(buf)
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge, err: &incidents.Error{
			Code: incidents.TooLarge, Message: over, Hint: "send fewer alerts a POST",
		}}
	}
	return buf, nil
}

func badGzip() *refusal {
	return &refusal{status: http.StatusBadRequest, reason: reasonMalformed, err: invalid(
		"the body is not valid gzip", "compress it with gzip, or leave Content-Encoding out")}
}
