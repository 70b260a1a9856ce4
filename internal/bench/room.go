package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"
)

// bell is a webhook that hears Alertmanager's notifications: which service's,
// with how many alerts, and when.
type bell struct {
	server *httptest.Server
	rung   chan ring
}

type ring struct {
	service string
	alerts  int
	at      time.Time
}

func newBell() *bell {
	b := &bell{rung: make(chan ring, 4096)}
	b.server = httptest.NewServer(http.HandlerFunc(b.hear)) // on loopback
	return b
}

func (b *bell) hear(_ http.ResponseWriter, r *http.Request) {
	at := time.Now()
	var n struct {
		GroupLabels map[string]string `json:"groupLabels"`
		Alerts      []struct {
			Labels map[string]string `json:"labels"`
		} `json:"alerts"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil || json.Unmarshal(body, &n) != nil || len(n.Alerts) == 0 {
		return
	}
	b.rung <- ring{service: n.Alerts[0].Labels["service"], alerts: len(n.Alerts), at: at}
}

// config is Alertmanager at its quickest: no wait before the first message of
// a group, one second between its messages.
func (b *bell) config() string {
	return "route: {receiver: bell, group_by: [group], group_wait: 0s, group_interval: 1s}\n" +
		"receivers: [{name: bell, webhook_configs: [{url: '" + b.server.URL + "', send_resolved: false}]}]\n"
}

// pause between two alerts that each find an idle server.
const pause = 100 * time.Millisecond

// measureRoom follows alerts, one at a time, to where a person sees them: the
// card in the room, by the API; Alertmanager's webhook call.
func measureRoom(ctx context.Context, l *lab) error {
	b := newBell()
	defer b.server.Close()
	for _, s := range l.subjects() {
		if err := l.rooms(ctx, s, b); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func (l *lab) rooms(ctx context.Context, s subject, b *bell) error {
	t, err := l.startWith(ctx, s, b.config())
	if err != nil {
		return err
	}
	defer t.stop()
	sleep(ctx, rest)
	const warm = 3 // the first pay for connections and caches, on all servers
	var took []time.Duration
	for i := range l.size.rooms + warm {
		d, err := t.follow(ctx, i+1, b)
		if err != nil {
			return err
		}
		if i >= warm {
			took = append(took, d)
		}
		sleep(ctx, pause)
	}
	slices.Sort(took)
	l.out.add("room.p50", s, ms(percentile(took, 50)), "ms")
	l.out.add("room.p99", s, ms(percentile(took, 99)), "ms")
	return nil
}

// follow sends the i-th alert and waits for its message.
func (t *target) follow(ctx context.Context, i int, b *bell) (time.Duration, error) {
	body := newBody(1, time.Now().Add(-time.Second))
	body.alert(0, i, i)
	body.end(time.Now().Add(time.Hour))
	s := newSender(t.addr, body)
	defer s.close()
	ctx, cancel := context.WithTimeout(ctx, t.lab.size.settle)
	defer cancel()
	began := time.Now()
	status, err := s.send()
	if err != nil || status != http.StatusOK {
		return 0, fmt.Errorf("send alert %d: %d, %w", i, status, err)
	}
	if t.subject == alertmanager {
		for {
			select {
			case r := <-b.rung:
				if r.service == serviceOf(i) {
					return r.at.Sub(began), nil
				}
			case <-ctx.Done():
				return 0, fmt.Errorf("wait for the message about alert %d: %w", i, ctx.Err())
			}
		}
	}
	for {
		c, err := t.card(ctx, i)
		if err != nil {
			return 0, fmt.Errorf("wait for the card of incident %d: %w", i, err)
		}
		if c != "" {
			return time.Since(began), nil
		}
		sleep(ctx, 300*time.Microsecond)
	}
}

// room is an incident's war room, as far as it is looked at here.
type room struct {
	After    int `json:"after"` // the room's revision: how often it changed
	Messages []struct {
		Message struct {
			Key    string `json:"key"`
			Fields []struct {
				Name, Value string
			} `json:"fields"`
		} `json:"message"`
	} `json:"messages"`
}

// messages reads up to limit of them; none where there is no such incident yet.
func (t *target) messages(ctx context.Context, id, limit int) (room, error) {
	var r room
	code, body, err := t.get(ctx, fmt.Sprintf("/api/v1/incidents/%d/messages?limit=%d", id, limit))
	if err != nil || code == http.StatusNotFound {
		return r, err
	}
	if err := json.Unmarshal(body, &r); err != nil || code != http.StatusOK {
		return r, fmt.Errorf("read the room: %d: %.200s", code, body)
	}
	return r, nil
}

// card is what the card of an incident says of its alerts; "" where it does
// not stand in the room yet.
func (t *target) card(ctx context.Context, id int) (string, error) {
	r, err := t.messages(ctx, id, 500)
	if err != nil {
		return "", err
	}
	for _, m := range r.Messages {
		if m.Message.Key != "card" {
			continue
		}
		for _, f := range m.Message.Fields {
			if f.Name == "Alerts" {
				return f.Value, nil
			}
		}
	}
	return "", nil
}

// collect asks f for each of n things in turn, until it says that the thing is
// done, and returns when it was seen to be. What is done before its turn is seen
// late, never early, and the last is seen when it is done. Asking for all of them
// at once would tell each time better and cost the server, on the same two cores,
// more than what is measured.
func collect(ctx context.Context, n int, f func(i int) (bool, error)) ([]time.Time, error) {
	at := make([]time.Time, n)
	for i := range at {
		for {
			done, err := f(i)
			if err != nil {
				return nil, err
			}
			if done {
				break
			}
			if !sleep(ctx, 5*time.Millisecond) {
				return nil, ctx.Err()
			}
		}
		at[i] = time.Now()
	}
	return at, nil
}
