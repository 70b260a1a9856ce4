// Package logs is where Fluentd, Fluent Bit, rsyslog or a curl send their lines.
// It counts the templates of each service and host over the last hours, and is
// the diagnostics.Source that tells which of them are new, came in a burst or
// fell silent.
//
// It promises that a line is redacted before it is kept anywhere, and on the
// disk before it is answered for; that memory and disk are bounded; and that
// what did not fit is counted and said. Start with Open.
package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
)

const (
	mostStreams = 100      // services and hosts that are told apart
	mostLine    = 2000     // bytes of a line that are kept
	mostDisk    = 64 << 20 // bytes
)

// Config says how lines are made fit to be kept.
type Config struct {
	File  string                             // where they are kept
	Clean func(line string, most int) string // without secrets, cut

	Whose func(source string) string                            // whose the lines of a sender are (see diagnostics.Owned); nil: nobody's
	Heard func(at time.Time, whose, service, host, line string) // told of each line, those of before too; may be nil
}

// Source holds the books. It is safe for concurrent use.
type Source struct {
	config Config
	file   *kept.File

	mu    sync.Mutex
	books map[stream]*diagnostics.Book
	stats Stats

	unplaced map[string]int // by whose they are: of another's not even the number is told
}

// Stats is what became of the lines.
type Stats struct {
	Lines, Unplaced, Late int // taken; of one stream too many; older than what is kept
}

type stream struct{ whose, service, host string }

// record is a line as it is kept.
type record struct {
	At      int64  `json:"t"` // Unix milliseconds
	Service string `json:"s,omitempty"`
	Host    string `json:"h,omitempty"`
	Whose   string `json:"c,omitempty"`
	Text    string `json:"m"`
}

// Open reads what was kept before.
func Open(c Config) (*Source, error) {
	s := &Source{config: c, books: map[stream]*diagnostics.Book{}, unplaced: map[string]int{}}
	var err error
	s.file, err = kept.Open(c.File, mostDisk, func(line []byte) {
		var r record
		if json.Unmarshal(line, &r) == nil && r.At > 0 {
			s.count(r)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("open the log that was sent: %w", err)
	}
	return s, nil
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

// Stats says what became of the lines.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Take keeps the lines of one POST, in any form that Decode reads.
func (s *Source) Take(source string, body []byte, now time.Time) (int, error) {
	lines, err := Decode(body, now)
	if err != nil {
		return 0, err
	}
	whose := ""
	if s.config.Whose != nil {
		whose = s.config.Whose(source)
	}
	records := make([]record, len(lines))
	encoded := make([][]byte, len(lines))
	for i, l := range lines {
		r := record{At: l.At.UnixMilli(), Service: s.config.Clean(l.Service, mostName), Host: s.config.Clean(l.Host, mostName), Whose: whose, Text: s.config.Clean(l.Text, mostLine)}
		if r.Service == "" && r.Host == "" {
			r.Host = source
		}
		if encoded[i], err = json.Marshal(r); err != nil {
			return 0, fmt.Errorf("encode a line: %w", err)
		}
		records[i] = r
	}
	if err := s.file.Append(encoded); err != nil {
		return 0, incidents.Fail(incidents.Unavailable, "error.not_kept", "the lines could not be kept: "+err.Error(), "error", err.Error())
	}
	for _, r := range records {
		s.count(r)
	}
	return len(records), nil
}

func (s *Source) count(r record) {
	if s.config.Heard != nil {
		s.config.Heard(time.UnixMilli(r.At), r.Whose, r.Service, r.Host, r.Text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Lines++
	key := stream{r.Whose, r.Service, r.Host}
	book := s.books[key]
	if book == nil {
		if len(s.books) >= mostStreams {
			s.stats.Unplaced++
			s.unplaced[r.Whose]++
			return
		}
		book = diagnostics.NewBook()
		s.books[key] = book
	}
	if !book.Add(time.UnixMilli(r.At), r.Text) {
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
// another customer's of the same name it knows nothing.
func (s *Source) Ask(_ context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	service, host := q.Label("service"), hostOf(q)
	var answer diagnostics.Answer
	for whose, n := range s.unplaced {
		if diagnostics.Serves(whose, q.Incident.Customer) {
			answer.Left += n
		}
	}
	for key, book := range s.books {
		if !diagnostics.Serves(key.whose, q.Incident.Customer) {
			continue
		}
		if service != "" && key.service == service || host != "" && key.host == host {
			answer.Logs = append(answer.Logs, book.Trends(q.From, q.Alert, q.To)...)
		}
	}
	return answer, nil
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
