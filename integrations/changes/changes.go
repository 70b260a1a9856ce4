// Package changes is where pipelines and people say what they changed: in a form
// of our own, or as PagerDuty's change events. It is the diagnostics.Source that
// tells them, to whichever replica they were sent. What was answered for is in the
// store; memory and store are bounded. Start with New.
package changes

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
)

const (
	mostBody  = 500              // of one POST
	takeTime  = 10 * time.Second // for a POST to become durable
	catchTime = 2 * time.Second  // for what others were sent, when somebody asks
	before    = 6 * time.Hour    // an alert, that changes may matter
	mostWord  = 300
	mostLink  = 1500
)

// bound is of all services, and of one: pipelines that never rest push out no others.
var bound = incidents.RingBound{Ring: 256 << 10, All: 8 << 20, Age: keeps}

// Config says how changes are made fit to be kept, and where.
type Config struct {
	Store  kept.Store
	Self   string                             // names this process among replicas and restarts
	Clean  func(text string, most int) string // without secrets, cut
	Whose  func(source string) string         // whose the changes of a sender are (see diagnostics.Owned)
	Known  func(customer string) bool         // whether there is such a customer; nil: there are none
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now
}

// Source holds the latest changes. It is safe for concurrent use.
type Source struct {
	clean func(string, int) string
	whose func(source string) string
	known func(customer string) bool
	ring  *kept.Ring
	mu    sync.Mutex
	shelf *shelf
}

// New makes a source that knows nothing yet: Catch or Follow reads what was sent before.
func New(c Config) *Source {
	now := c.Now
	if now == nil {
		now = time.Now
	}
	s := &Source{clean: c.Clean, whose: c.Whose, known: c.Known, shelf: newShelf()}
	s.ring = kept.New(kept.Options{Store: c.Store, Kind: "changes", Bound: bound, Self: c.Self, Logger: c.Logger, Each: func(line []byte) {
		var c change
		if json.Unmarshal(line, &c) == nil && c.Title != "" {
			if !isLink(c.URL) {
				c.URL = "" // taken by a release that looked at its length only
			}
			s.add(c, now())
		}
	}})
	return s
}

// Follow reads what other replicas were sent until ctx ends.
func (s *Source) Follow(ctx context.Context) { s.ring.Follow(ctx) }

// Catch reads all that was sent until now, to whomever.
func (s *Source) Catch(ctx context.Context) error { return s.ring.Catch(ctx) }

func (s *Source) add(c change, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shelf.add(c, now)
}

// Take keeps the changes of one POST: all of them, or none. Those that are too old to be
// asked about are left out, and counted.
func (s *Source) Take(source string, body []byte, now time.Time) (accepted, leftOut int, err error) {
	all, err := decode(body, now)
	if err != nil {
		return 0, 0, err
	}
	sent := len(all)
	all = slices.DeleteFunc(all, func(c change) bool { return now.Sub(c.At) > keeps })
	leftOut = sent - len(all)
	var lines []kept.Lines
	for i := range all {
		c := &all[i]
		c.By = cmp.Or(c.By, source)
		if err := s.belongs(&c.Change, source); err != nil {
			return 0, 0, err
		}
		for _, word := range []*string{&c.Service, &c.Customer, &c.Title, &c.By, &c.Revision} {
			*word = s.clean(*word, mostWord)
		}
		c.URL = s.clean(c.URL, mostLink)
		line, err := json.Marshal(c)
		if err != nil {
			return 0, 0, fmt.Errorf("encode a change: %w", err)
		}
		lines = append(lines, kept.Lines{Ring: c.Customer + "\n" + c.Service, Text: append(line, '\n')})
	}
	ctx, cancel := context.WithTimeout(context.Background(), takeTime)
	defer cancel()
	if err := s.ring.Add(ctx, lines); err != nil {
		return 0, 0, fmt.Errorf("keep changes: %w", err)
	}
	for _, c := range all {
		s.add(c, now)
	}
	return len(all), leftOut, nil
}

// belongs says whose a change is. A customer's sender tells of nobody else's, and where
// there are customers a name that is none of theirs would be told to nobody, ever: it is
// refused while whoever misspelt it can see it. Where there are none it means nothing.
func (s *Source) belongs(c *diagnostics.Change, source string) error {
	whose := s.whose(source)
	switch {
	case c.Customer == "" || s.known == nil:
		c.Customer = whose
	case whose != "" && whose != diagnostics.Everybody && whose != c.Customer:
		return incidents.Fail(incidents.Invalid, "error.change_customer", "the source "+source+" is another customer's than the change", "source", source)
	case c.Customer != diagnostics.Everybody && !s.known(c.Customer):
		name := s.clean(c.Customer, mostWord)
		return incidents.Fail(incidents.Invalid, "error.change_no_customer", "there is no customer "+strconv.Quote(name), "customer", name).WithHint("docs/customers.md")
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
// investigator's to say. Where what other replicas were sent cannot be read it tells
// what it knows, and that.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	catching, cancel := context.WithTimeout(ctx, catchTime)
	defer cancel()
	err := s.ring.Catch(catching)
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer diagnostics.Answer
	answer.Changes, answer.Left = s.shelf.told(q.Incident.Customer, q.Alert.Add(-before), q.To)
	if err != nil {
		return answer, kept.Unread()
	}
	return answer, nil
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

// link is the first of PagerDuty's that is a page; else the first, which is refused.
func (c *sent) link() string {
	for _, l := range c.Links {
		if l.Href != "" && isLink(l.Href) {
			return l.Href
		}
	}
	if len(c.Links) > 0 {
		return c.Links[0].Href
	}
	return ""
}

// isLink says whether people may be led there: to a page, or to none. A scheme that a
// program here would carry out (javascript:, file:) is none, nor is a password kept.
func isLink(link string) bool {
	u, err := url.Parse(link)
	return link == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && len(link) <= mostLink
}

// decode reads one change, or an array of them. One without a time is of now.
func decode(body []byte, now time.Time) ([]change, error) {
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
	if len(all) > mostBody {
		return nil, incidents.Fail(incidents.TooLarge, "error.change_many", fmt.Sprintf("more than %d changes in one body", mostBody))
	}
	changes := make([]change, 0, len(all))
	for _, c := range all {
		if p := c.Payload; p != nil {
			c.Title, c.At, c.By = p.Summary, p.Timestamp, p.Source
			c.Service, c.Customer = cmp.Or(p.Details.Service, c.Service), cmp.Or(p.Details.Customer, c.Customer)
			c.URL = c.link()
		}
		if c.Title == "" {
			return nil, wrong("a change needs a title")
		}
		if !isLink(c.URL) {
			return nil, incidents.Fail(incidents.Invalid, "error.change_link", fmt.Sprintf("the link of a change is no http or https address without a password, of %d bytes at most", mostLink), "most", fmt.Sprint(mostLink)).
				WithHint(`"url":"https://ci.example.com/7"`)
		}
		undated := c.At.IsZero()
		if undated || c.At.After(now) {
			c.At = now
		}
		changes = append(changes, change{Undated: undated, Change: diagnostics.Change{At: c.At.UTC(), Service: c.Service, Customer: c.Customer, Title: c.Title, By: c.By, URL: c.URL, Revision: c.Revision}})
	}
	return changes, nil
}

func wrong(message string) error {
	return incidents.Fail(incidents.Invalid, "error.change_form", message, "error", message).WithHint(`{"service":"shop","title":"deployed 1.4.2","by":"ci"}`)
}
