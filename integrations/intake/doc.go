// Package intake is the HTTP side of receiving alerts that every vendor
// shares: who may send, how much, how fast, and what is answered. A vendor's
// folder brings a Decode function and nothing else.
//
// It promises, in this order (see take in handler.go, which is the whole way
// of a POST on one page):
//
//   - limit before verify, verify before parse, parse before effect;
//   - a 2xx only after Log.Append returned nil, that is, after the whole POST
//     is durable; anything else is a 4xx that names the limit or the mistake,
//     or a 503 with Retry-After;
//   - nothing that arrives can panic the process, grow a metric, or be lost
//     silently: what is refused or mended is counted, and said once in the log.
//
// What of an alert is too long or not text is mended and marked, never a
// reason to lose its neighbours (mend.go); what is not the documented JSON is
// refused as a whole. docs/decisions/0003-intake-limits.md says why.
//
// Start with New, then Receiver.Handler for each endpoint. A decoder walks the
// body with a Reader.
package intake
