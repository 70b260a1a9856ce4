package redis

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Signals reach other replicas by publish and subscribe: fast, and lossy, which
// is all a signal has to be. A message is the sender's name, a blank and the
// signals.

func (s *Store) channel() string { return s.target.prefix + "signals" }

func (s *Store) message(signals ...incidents.Signal) string {
	if len(signals) == 0 {
		return ""
	}
	body, err := json.Marshal(signals)
	if err != nil {
		return "" // cannot happen: they are plain values
	}
	return s.self + " " + string(body)
}

// listens passes on what other replicas say, until ctx ends.
func (s *Store) listens(ctx context.Context) {
	sub := s.client.Subscribe(ctx, s.channel())
	defer sub.Close()
	messages := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			from, body, _ := strings.Cut(m.Payload, " ")
			var signals []incidents.Signal
			if from == s.self || json.Unmarshal([]byte(body), &signals) != nil {
				continue // our own were sent on at once; what is no message of ours is nothing
			}
			s.hub.Send(signals...)
		}
	}
}
