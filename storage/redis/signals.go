package redis

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Signals reach other replicas by publish and subscribe: fast, and lossy, which
// is all a signal has to be. A message is the sender's name, a blank and the
// signals.

// channel is where our replicas hear each other. A server has one set of channels for
// all of its databases, so that of any but the first bears its number.
func (t *target) channel() string {
	if t.DB == 0 {
		return t.prefix + "signals"
	}
	return t.prefix + "signals:" + strconv.Itoa(t.DB)
}

func (s *Store) channel() string { return s.target.channel() }

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
			s.hub.Send(heard(m.Payload, s.self, s.Shards())...)
		}
	}
}

// heard are the signals of a message that concern the replica self of a store with so
// many shards. Our own were sent on at once; what is no message of ours is nothing, and
// of a shard that there is not, somebody else's.
func heard(message, self string, shards int) []incidents.Signal {
	from, body, _ := strings.Cut(message, " ")
	var signals []incidents.Signal
	if from == self || json.Unmarshal([]byte(body), &signals) != nil {
		return nil
	}
	return slices.DeleteFunc(signals, func(sig incidents.Signal) bool { return sig.Shard < 0 || sig.Shard >= shards })
}
