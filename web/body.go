package web

import (
	"encoding/json"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// body is what a room keeps of one message, as JSON: Hikeshi's own messages in
// every language they were written in, so that each reader sees theirs, or
// what a person said, in the words they used.
type body struct {
	In   map[string]bot.Message `json:"in,omitempty"`   // by language
	Said *said                  `json:"said,omitempty"` //
}

// said is what a person wrote in a room.
type said struct {
	By   incidents.Actor `json:"by"`
	Text string          `json:"text"`
}

// maxSaid bounds what one person says at once, in bytes.
const maxSaid = 8000

// decodeBody reads a posting.
func decodeBody(p *incidents.Posting) (body, error) {
	var b body
	if err := json.Unmarshal(p.Body, &b); err != nil {
		return body{}, fmt.Errorf("decode message %s of room %s: %w", p.Key, p.Room, err)
	}
	return b, nil
}

// message is the posting for one reader: in their language where it has that,
// else in another one.
func (b *body) message(p *incidents.Posting, lang string) bot.Message {
	if b.Said != nil {
		return bot.Message{Key: p.Key, Kind: bot.KindSaid, At: p.At, By: bot.Who(b.Said.By), Text: b.Said.Text}
	}
	m, ok := b.In[lang]
	for _, l := range phrases.Languages {
		if !ok {
			m, ok = b.In[l]
		}
	}
	m.Key = p.Key
	if m.At.IsZero() {
		m.At = p.At
	}
	return m
}
