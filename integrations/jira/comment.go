package jira

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// said is a comment as Jira tells it.
type said struct {
	ID           string    `json:"id"`
	Body         string    `json:"body"`
	Author       *user     `json:"author"`
	UpdateAuthor *user     `json:"updateAuthor"`
	Created      timestamp `json:"created"`
	Updated      timestamp `json:"updated"`
	Properties   []struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	} `json:"properties"`
}

// key is which comment of ours it is; "" for a person's.
func (s *said) key() string {
	for _, p := range s.Properties {
		if p.Key != propertyKey {
			continue
		}
		if text, ok := p.Value.(string); ok {
			_ = json.Unmarshal([]byte(text), &p.Value) // what is none, is no key
		}
		if v, ok := p.Value.(map[string]any); ok {
			key, _ := v["key"].(string)
			return key
		}
	}
	return ""
}

// property is one of ours. Data Center's specification wants its value as text
// that holds JSON, and Cloud's as it is.
func (k *Tracker) property(value map[string]any) property {
	if k.config.Flavour == Cloud {
		return property{propertyKey, value}
	}
	b, err := json.Marshal(value)
	if err != nil {
		panic("jira: plain values did not encode: " + err.Error())
	}
	return property{propertyKey, string(b)}
}

// recent is how many comments are looked through for one of ours; a retry comes
// soon.
const recent = 50

func (k *Tracker) recentComments(ctx context.Context, key string) ([]said, error) {
	var page struct {
		Comments []said `json:"comments"`
	}
	q := url.Values{"orderBy": {"-created"}, "maxResults": {strconv.Itoa(recent)}, "expand": {"properties"}}
	err := k.client.do(ctx, ask{method: http.MethodGet, path: "issue/" + esc(key) + "/comment", query: q}, &page)
	return page.Comments, err
}

// Comment writes one below the ticket, unless it stands there already: the
// attempt before may have worked without anybody hearing of it.
func (k *Tracker) Comment(ctx context.Context, key string, c bot.TicketComment) error {
	me, err := k.client.me(ctx)
	if err != nil {
		return err
	}
	there, err := k.recentComments(ctx, key)
	if err != nil {
		return err
	}
	text := comment(c)
	for i := range there {
		if there[i].Author.account() == me.account() && (there[i].key() == c.Key || there[i].key() == "" && same(there[i].Body, text)) {
			return nil
		}
	}
	body := map[string]any{"body": text, "properties": []property{k.property(map[string]any{"key": c.Key})}}
	return k.client.do(ctx, ask{method: http.MethodPost, path: "issue/" + esc(key) + "/comment", body: body, key: key}, nil)
}
