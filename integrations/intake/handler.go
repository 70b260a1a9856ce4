package intake

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Decode turns the body of one POST into a batch, or says in an
// *incidents.Error why not. It is pure: it keeps no part of body, asks no
// clock, and has no effect. The batch's Source is source, its ReceivedAt now.
type Decode func(body []byte, source string, now time.Time, limits Limits) (*incidents.Batch, Mended, error)

type handler struct {
	*Receiver
	format  string
	what    string // is sent: "alerts", or the name of a door
	decode  Decode
	seconds prometheus.Observer
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := h.now().UTC().Round(0) // without the monotonic clock, which no record keeps
	p := post{format: h.format, peer: peer(r)}
	refused := h.guarded(w, r, now, &p)
	if refused != nil {
		h.metrics.refused[refused.reason].Inc()
		h.logRefused(p, h.what, refused, now)
		refused.write(w)
		return
	}
	h.metrics.count(p)
	h.logAccepted(p, now)
	p.write(w)
}

// guarded is take, with a panic turned into a 500: one POST may fail, the
// process may not.
func (h *handler) guarded(w http.ResponseWriter, r *http.Request, now time.Time, p *post) (refused *refusal) {
	defer func() {
		if e := recover(); e != nil {
			refused = internal(fmt.Errorf("panic: %v\n%s", e, debug.Stack()))
		}
	}()
	return h.take(w, r, now, p)
}

// post is what is known of a POST so far: the source once it is identified,
// the rest once it is durable.
type post struct {
	format    string
	peer      netip.Addr
	source    string
	alerts    int
	truncated int
	mended    Mended
}

// take is the whole way of a POST: size, sender, form, room, body, meaning,
// durability. Each step refuses before the next one costs anything.
func (h *handler) take(w http.ResponseWriter, r *http.Request, now time.Time, p *post) (refused *refusal) {
	if refused = h.size(r); refused != nil {
		return refused
	}
	if p.source, refused = h.identify(r, p.peer, now); refused != nil {
		return refused
	}
	compressed, refused := form(r.Header)
	if refused != nil {
		return refused
	}
	release, ok := h.budget.reserve(p.source, h.weight(r, compressed))
	if !ok {
		return h.overloaded(nil)
	}
	defer release()
	body, refused := h.body(w, r, compressed)
	if refused != nil {
		return refused
	}
	defer body.free()
	begun := time.Now()
	batch, mended, err := h.decode(body.bytes, p.source, now, h.limits)
	h.seconds.Observe(time.Since(begun).Seconds())
	if err != nil {
		return undecoded(err)
	}
	p.alerts, p.truncated, p.mended = len(batch.Alerts), batch.Truncated, mended
	return h.append(r, batch)
}

// size refuses what needs no look at the sender.
func (h *handler) size(r *http.Request) *refusal {
	switch {
	case r.Method != http.MethodPost:
		return &refusal{status: http.StatusMethodNotAllowed, reason: reasonMethod, err: invalid(
			h.what+" are sent with POST", "curl --json @"+h.what+".json URL")}
	case r.ContentLength > h.limits.Body:
		return h.fewer(tooLarge(h.limits.Body))
	}
	return nil
}

// body reads what was sent.
func (h *handler) body(w http.ResponseWriter, r *http.Request, compressed bool) (*buffer, *refusal) {
	b, refused := readBody(w, r, h.limits, compressed)
	return b, h.fewer(refused)
}

// fewer says to whoever sent too much what there should be less of.
func (h *handler) fewer(f *refusal) *refusal {
	if f != nil && f.err.Code == incidents.TooLarge && h.what != alerts {
		f.err.Hint = "send fewer " + h.what + " a POST"
	}
	return f
}

// identify finds the source that sent r.
func (h *handler) identify(r *http.Request, from netip.Addr, now time.Time) (string, *refusal) {
	if h.LoopbackOnly() {
		ok, hint := local(r, from)
		if ok {
			return h.format, nil
		}
		return "", h.failed(from, now, hint)
	}
	source, ok := h.known.authenticate(r)
	if !ok {
		return "", h.failed(from, now, hintConfigure)
	}
	return source, nil
}

func (h *handler) failed(from netip.Addr, now time.Time, hint string) *refusal {
	refused := unauthenticated(hint)
	if !h.failures.allow(from, now) {
		refused.status, refused.reason = http.StatusTooManyRequests, reasonLimited
		refused.retryAfter, refused.close = h.retryAfter(), true
	}
	return refused
}

// form holds the request to JSON, gzipped or not. The media type is more than
// courtesy: a web page cannot post application/json to us without asking first.
func form(header http.Header) (compressed bool, refused *refusal) {
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false, mediaType("the body must be application/json", "send the header Content-Type: application/json")
	}
	switch strings.ToLower(header.Get("Content-Encoding")) {
	case "", "identity":
		return false, nil
	case "gzip":
		return true, nil
	}
	return false, mediaType("the only content encoding understood is gzip", "send the body plain or gzipped")
}

// weight is the most memory the bodies of r can take.
func (h *handler) weight(r *http.Request, compressed bool) int64 {
	n := r.ContentLength
	if n < 0 {
		n = h.limits.Body
	}
	if compressed {
		n += min(h.limits.Decompressed, n*h.limits.Ratio)
	}
	return n
}

// append makes the batch durable, or says why the sender should come back. A
// POST without alerts leaves nothing behind.
func (h *handler) append(r *http.Request, batch *incidents.Batch) *refusal {
	if len(batch.Alerts) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.limits.AppendTimeout)
	defer cancel()
	if failpoint.Planted("early-2xx") {
		time.AfterFunc(100*time.Millisecond, func() { _ = h.log.Append(context.WithoutCancel(ctx), batch) })
		return nil
	}
	begun := time.Now()
	failpoint.Hit("intake.before_append")
	err := h.log.Append(ctx, batch)
	failpoint.Hit("intake.after_append")
	h.metrics.append.Observe(time.Since(begun).Seconds())
	switch {
	case err == nil:
		return nil
	case r.Context().Err() != nil:
		return &refusal{status: statusGone, reason: reasonGone, close: true, err: &incidents.Error{
			Code: incidents.Unavailable, Message: "the sender went away before its alerts were stored"}, cause: err}
	}
	switch incidents.CodeOf(err) {
	case incidents.TooLarge, incidents.Invalid:
		refused := undecoded(err)
		refused.cause = err
		return refused
	case incidents.Overloaded:
		return h.overloaded(err)
	}
	return h.unavailable(err)
}

// statusGone is what nginx writes for a client that closed the connection; no
// one reads it.
const statusGone = 499

func (h *handler) overloaded(cause error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, reason: reasonOverloaded, retryAfter: h.retryAfter(), cause: cause,
		err: &incidents.Error{Code: incidents.Overloaded, Message: "too many " + h.what + " at once; nothing of this POST was kept", Hint: "send it again after Retry-After seconds"},
	}
}

func (h *handler) unavailable(cause error) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, reason: reasonUnavailable, retryAfter: h.retryAfter(), cause: cause,
		err: &incidents.Error{Code: incidents.Unavailable, Message: "the " + h.what + " could not be stored", Hint: "send them again after Retry-After seconds"},
	}
}

// retryAfter spreads senders over half a minute, so that they do not all come
// back at once.
func (h *handler) retryAfter() int { return 1 + h.rand(30) }

func (p post) write(w http.ResponseWriter) {
	b := make([]byte, 0, 64)
	b = append(b, `{"accepted":`...)
	b = strconv.AppendInt(b, int64(p.alerts), 10)
	b = append(b, `,"mended":`...)
	b = strconv.AppendInt(b, int64(p.mended.Total()), 10)
	b = append(b, "}\n"...)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(b) // the alerts are durable, whether or not this is heard
}
