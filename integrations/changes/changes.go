// Package changes is where pipelines and people say what they changed: in a form
// of our own, or as PagerDuty's change events. It is the diagnostics.Source that
// tells them. What was answered for is on the disk; memory and disk are bounded.
// Start with Open.
package changes

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
)

const (
	mostKept = 5000
	mostDisk = 8 << 20
	mostWord = 300
	mostLink = 1500
)

// Source holds the latest changes. It is safe for concurrent use.
type Source struct {
	clean func(string, int) string
	whose func(source string) string
	file  *kept.File
	mu    sync.Mutex
	all   []diagnostics.Change // the order in which they came
}

// Open reads what was kept before. clean takes secrets out and cuts; whose says whose
// the changes of a sender are (see diagnostics.Owned).
func Open(file string, clean func(text string, most int) string, whose func(source string) string) (*Source, error) {
	s := &Source{clean: clean, whose: whose}
	var err error
	s.file, err = kept.Open(file, mostDisk, func(line []byte) {
		var c diagnostics.Change
		if json.Unmarshal(line, &c) == nil && c.Title != "" {
			s.add(c)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("open the changes that were sent: %w", err)
	}
	return s, nil
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

func (s *Source) add(c diagnostics.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all = append(s.all, c); len(s.all) > mostKept {
		s.all = slices.Clone(s.all[len(s.all)-mostKept/2:])
	}
}

// Take keeps the changes of one POST.
func (s *Source) Take(source string, body []byte, now time.Time) (int, error) {
	all, err := Decode(body, now)
	if err != nil {
		return 0, err
	}
	lines := make([][]byte, len(all))
	for i := range all {
		c := &all[i]
		c.By = cmp.Or(c.By, source)
		if err := s.belongs(c, source); err != nil {
			return 0, err
		}
		for _, word := range []*string{&c.Service, &c.Customer, &c.Title, &c.By, &c.Revision} {
			*word = s.clean(*word, mostWord)
		}
		if len(c.URL) > mostLink {
			c.URL = ""
		}
		c.URL = s.clean(c.URL, mostLink)
		if lines[i], err = json.Marshal(c); err != nil {
			return 0, fmt.Errorf("encode a change: %w", err)
		}
	}
	if err := s.file.Append(lines); err != nil {
		return 0, incidents.Fail(incidents.Unavailable, "error.not_kept", "the changes could not be kept: "+err.Error(), "error", err.Error())
	}
	for _, c := range all {
		s.add(c)
	}
	return len(all), nil
}

// belongs says whose a change is. A customer's sender tells of nobody else's.
func (s *Source) belongs(c *diagnostics.Change, source string) error {
	whose := s.whose(source)
	switch {
	case c.Customer == "":
		c.Customer = whose
	case whose != "" && whose != diagnostics.Everybody && whose != c.Customer:
		return incidents.Fail(incidents.Invalid, "error.change_customer", "the source "+source+" is another customer's than the change", "source", source)
	}
	return nil
}

// Name is "changes".
func (s *Source) Name() string { return "changes" }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueChange}
}

// Ask gives all that may be the incident's customer's; which of them matter is the
// investigator's to say.
func (s *Source) Ask(_ context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return diagnostics.Answer{Changes: slices.DeleteFunc(slices.Clone(s.all), func(c diagnostics.Change) bool {
		return !diagnostics.Serves(c.Customer, q.Incident.Customer)
	})}, nil
}

// sent is a change in either form.
type sent struct {
	Service  string    `json:"service"`
	Customer string    `json:"customer"`
	Title    string    `json:"title"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	URL      string    `json:"url"`
	Revision string    `json:"revision"`

	Payload *struct { // https://developer.pagerduty.com/docs/send-change-events
		Summary   string    `json:"summary"`
		Timestamp time.Time `json:"timestamp"`
		Source    string    `json:"source"`
		Details   struct {
			Service  string `json:"service"`
			Customer string `json:"customer"`
		} `json:"custom_details"`
	} `json:"payload"`
	Links []struct {
		Href string `json:"href"`
	} `json:"links"`
}

// Decode reads one change, or an array of them. One without a time is of now.
func Decode(body []byte, now time.Time) ([]diagnostics.Change, error) {
	var all []sent
	body = bytes.TrimSpace(body)
	var err error
	if bytes.HasPrefix(body, []byte("[")) {
		err = json.Unmarshal(body, &all)
	} else {
		all = make([]sent, 1)
		err = json.Unmarshal(body, &all[0])
	}
	if err != nil {
		return nil, wrong("the body is no change: " + err.Error())
	}
	if len(all) > mostKept/10 {
		return nil, incidents.Fail(incidents.TooLarge, "error.change_many", fmt.Sprintf("more than %d changes in one body", mostKept/10))
	}
	changes := make([]diagnostics.Change, 0, len(all))
	for _, c := range all {
		if p := c.Payload; p != nil {
			c.Title, c.At, c.By = p.Summary, p.Timestamp, p.Source
			c.Service, c.Customer = cmp.Or(p.Details.Service, c.Service), cmp.Or(p.Details.Customer, c.Customer)
			if len(c.Links) > 0 {
				c.URL = c.Links[0].Href
			}
		}
		if c.Title == "" {
			return nil, wrong("a change needs a title")
		}
		if c.At.IsZero() || c.At.After(now) {
			c.At = now
		}
		changes = append(changes, diagnostics.Change{At: c.At.UTC(), Service: c.Service, Customer: c.Customer, Title: c.Title, By: c.By, URL: c.URL, Revision: c.Revision})
	}
	return changes, nil
}

func wrong(message string) error {
	return incidents.Fail(incidents.Invalid, "error.change_form", message, "error", message).WithHint(`{"service":"shop","title":"deployed 1.4.2","by":"ci"}`)
}
