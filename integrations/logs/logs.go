// Package logs is where Fluentd, Fluent Bit, rsyslog or a curl send their lines.
// It counts the templates of each service and host over the last hours, whichever
// replica was sent them, and is the diagnostics.Source that tells which of them are
// new, came in a burst or fell silent.
//
// It promises that a line is redacted before it is kept anywhere, and in the store
// before it is answered for; that memory and store are bounded; and that what did
// not fit is counted and said. Start with New.
package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
)

const (
	mostStreams = 100              // services and hosts that are told apart, of each sender
	mostLine    = 2000             // bytes of a line that are kept
	takeTime    = 10 * time.Second // for a POST to become durable
	catchTime   = 2 * time.Second  // for what others were sent, when somebody asks
)

// Bound is what is kept of lines, packed: about a tenth of what was sent.
var Bound = incidents.RingBound{Ring: 1 << 20, All: 32 << 20, Age: diagnostics.BookKeeps}

// Config says how lines are made fit to be kept, and where.
type Config struct {
	Store  kept.Store
	Self   string                             // names this process among replicas and restarts
	Clean  func(line string, most int) string // without secrets, cut
	Logger *slog.Logger

	Whose func(source string) string // whose the lines of a sender are (see diagnostics.Owned); nil: nobody's
	// Heard is told of each line; own: it was sent to this process, not to another
	// or to one before. It may be nil.
	Heard func(at time.Time, whose, service, host, line string, own bool)
	Now   func() time.Time // nil: time.Now
}

// Source holds the books. It is safe for concurrent use.
type Source struct {
	config Config
	ring   *kept.Ring

	mu    sync.Mutex
	parts map[string]*part // by whose they are: of another's not even a number is told
	stats Stats
}

// Stats is what became of the lines.
type Stats struct {
	Lines, Unplaced, Late int // known; of one stream too many; older than what is kept
	Textless              int // objects without a text, left out of bodies that had others
	Missed                int // pieces of others that were gone before they were read
}

// record is a line as it is kept.
type record struct {
	At      int64  `json:"t"` // Unix milliseconds
	Service string `json:"s,omitempty"`
	Host    string `json:"h,omitempty"`
	Whose   string `json:"c,omitempty"`
	By      string `json:"b,omitempty"` // who sent it; "" from this machine, or kept before this was
	Text    string `json:"m"`
}

// New makes a source that knows nothing yet: Catch or Follow reads what was sent before.
func New(c Config) *Source {
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Source{config: c, parts: map[string]*part{}}
	s.ring = kept.New(kept.Options{Store: c.Store, Kind: "logs", Bound: Bound, Self: c.Self, Logger: c.Logger, Each: func(line []byte) {
		var r record
		if json.Unmarshal(line, &r) == nil && r.At > 0 {
			s.count(r, c.Now(), false)
		}
	}})
	return s
}

// Follow reads what other replicas were sent until ctx ends.
func (s *Source) Follow(ctx context.Context) { s.ring.Follow(ctx) }

// Catch reads all that was sent until now, to whomever.
func (s *Source) Catch(ctx context.Context) error { return s.ring.Catch(ctx) }

// Stats says what became of the lines.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Missed = s.ring.Missed()
	return stats
}

// Take keeps the lines of one POST, in any form that Decode reads, and says how
// many objects it left out because they have no text.
func (s *Source) Take(source string, body []byte, now time.Time) (accepted, leftOut int, err error) {
	lines, leftOut, err := Decode(body, now)
	if err != nil {
		return 0, 0, err
	}
	whose := ""
	if s.config.Whose != nil {
		whose = s.config.Whose(source)
	}
	records := make([]record, len(lines))
	rings := rings{at: map[stream]int{}, whose: whose}
	for i, l := range lines {
		r := record{At: l.At.UnixMilli(), Service: s.config.Clean(l.Service, mostName), Host: s.config.Clean(l.Host, mostName), Whose: whose, By: source, Text: s.config.Clean(l.Text, mostLine)}
		if r.Service == "" && r.Host == "" {
			r.Host = source
		}
		line, err := json.Marshal(r)
		if err != nil {
			return 0, 0, fmt.Errorf("encode a line: %w", err)
		}
		rings.add(stream{r.Service, r.Host}, line)
		records[i] = r
	}
	s.share(&rings, source, now)
	ctx, cancel := context.WithTimeout(context.Background(), takeTime)
	defer cancel()
	if err := s.ring.Add(ctx, rings.all); err != nil {
		return 0, 0, fmt.Errorf("keep lines: %w", err)
	}
	for _, r := range records {
		s.count(r, now, true)
	}
	s.mu.Lock()
	s.stats.Textless += leftOut
	s.mu.Unlock()
	return len(records), leftOut, nil
}

// rings are the lines of a POST by their streams.
type rings struct {
	all   []kept.Lines
	of    []stream // of each
	at    map[stream]int
	whose string
}

// share lets the streams of a sender that have no book share one ring, as they do no
// counting: one that names a service for each request would push everybody's out of
// the store, and have as many rings there.
func (s *Source) share(x *rings, by string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.part(x.whose)
	room := p.room(by, now)
	for i, of := range x.of {
		switch {
		case p.books[of] != nil:
		case room > 0:
			room--
		default:
			x.all[i].Ring = x.whose + "\n\n\n" + by
		}
	}
}

// part is a customer's.
func (s *Source) part(whose string) *part {
	p := s.parts[whose]
	if p == nil {
		p = newPart()
		s.parts[whose] = p
	}
	return p
}

func (x *rings) add(of stream, line []byte) {
	i, known := x.at[of]
	if !known {
		i = len(x.all)
		x.at[of], x.of = i, append(x.of, of)
		x.all = append(x.all, kept.Lines{Ring: x.whose + "\n" + of.service + "\n" + of.host})
	}
	x.all[i].Text = append(append(x.all[i].Text, line...), '\n')
}

func (s *Source) count(r record, now time.Time, own bool) {
	at := time.UnixMilli(r.At)
	if s.config.Heard != nil {
		s.config.Heard(at, r.Whose, r.Service, r.Host, r.Text, own)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Lines++
	p := s.part(r.Whose)
	switch book := p.book(stream{r.Service, r.Host}, r.By, now); {
	case book == nil:
		s.stats.Unplaced++
		p.left(at)
	case !book.Add(at, r.Text):
		s.stats.Late++
	}
}

// Name is "logs".
func (s *Source) Name() string { return "logs" }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueLog}
}

// Ask compares the logs of the incident's service, or its host, with before. Of
// another customer's of the same name it knows nothing, and of what everybody's sender
// sent a customer's incident is told its service's only. Where what other replicas
// were sent cannot be read it tells what it knows, and that.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	catching, cancel := context.WithTimeout(ctx, catchTime)
	err := s.ring.Catch(catching)
	cancel()
	answer := s.known(q)
	if err != nil {
		return answer, kept.Unread()
	}
	return answer, nil
}

func (s *Source) known(q diagnostics.Question) diagnostics.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	service, host := q.Label("service"), hostOf(q)
	var answer diagnostics.Answer
	for whose, p := range s.parts {
		if !diagnostics.Serves(whose, q.Incident.Customer) {
			continue
		}
		answer.Left += p.leftBetween(q.From, q.To)
		// A host's name says nothing about whose a line is that everybody's sender sent:
		// on one host there are services of several customers.
		byHost := host != "" && (whose != diagnostics.Everybody || q.Incident.Customer == "")
		for of, book := range p.books {
			if service != "" && of.service == service || byHost && of.host == host {
				answer.Logs = append(answer.Logs, book.Trends(q.From, q.Alert, q.To)...)
			}
		}
	}
	return answer
}

func hostOf(q diagnostics.Question) string {
	for _, label := range []string{"host", "hostname", "instance"} {
		if v := q.Label(label); v != "" {
			if h, _, err := net.SplitHostPort(v); err == nil {
				return h
			}
			return v
		}
	}
	return ""
}
