package intake

import "time"

// HeaderBytes is for http.Server.MaxHeaderBytes: the limit on a request's
// header is the server's to keep, before any handler runs.
const HeaderBytes = 32 << 10

// Limits bound one POST. Sizes are bytes.
type Limits struct {
	Body         int64 // on the wire, compressed or not
	Decompressed int64 // after gzip
	Ratio        int64 // decompressed : compressed
	Alerts       int   // a POST
	Labels       int   // an alert; as many annotations again
	Name         int   // of a label or annotation
	Value        int   // of a label or annotation, a URL, a group key
	Depth        int   // of nested JSON

	ReadTimeout   time.Duration // for the whole body
	AppendTimeout time.Duration // for Log.Append; below the 10 s after which senders give up
	InFlight      int64         // bodies being handled at once; beyond it 503
}

// DefaultLimits are those of docs/api-intake.md.
func DefaultLimits() Limits {
	return Limits{
		Body:         1 << 20,
		Decompressed: 4 << 20,
		Ratio:        100,
		Alerts:       1000,
		Labels:       64,
		Name:         128,
		Value:        4 << 10,
		Depth:        32,

		ReadTimeout:   10 * time.Second,
		AppendTimeout: 5 * time.Second,
		InFlight:      64 << 20,
	}
}
