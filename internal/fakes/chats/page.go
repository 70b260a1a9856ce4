package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// room, message and control are what both chats have.
type room struct {
	Chat, ID, Name, Topic string
	Messages              []message
	Private               []string // what bea alone was told
}

type message struct {
	ID, By, Body string
	Reply        bool
	Pictures     []template.URL
	Controls     []control
}

type control struct{ ID, Label string }

// words are the texts of some JSON in order, and its buttons.
type words struct {
	text     strings.Builder
	controls []control
}

// read walks through blocks, embeds and components: what has a text shows it.
func (w *words) read(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			w.read(e)
		}
	case []map[string]any:
		for _, e := range v {
			w.read(e)
		}
	case map[string]any:
		w.object(v)
	}
}

func (w *words) object(v map[string]any) {
	kind := fmt.Sprint(v["type"])
	if id := cmp.Or(word(v["action_id"]), word(v["custom_id"])); id != "" && kind != "3" {
		label := word(v["label"])
		if t, ok := v["text"].(map[string]any); ok {
			label = word(t["text"])
		}
		w.controls = append(w.controls, control{id, label})
		return
	}
	for _, o := range list(v["options"]) {
		o, _ := o.(map[string]any)
		w.controls = append(w.controls, control{word(o["value"]), word(o["label"])})
	}
	for _, k := range []string{"title", "description", "content", "name", "value", "text"} {
		if s := word(v[k]); s != "" && s != "\u200b" {
			w.text.WriteString(s)
			if kind != "text" && kind != "link" {
				w.text.WriteString("\n")
			}
		} else {
			w.read(v[k])
		}
	}
	for _, k := range []string{"elements", "fields", "embeds", "components"} {
		w.read(v[k])
	}
	if strings.HasPrefix(kind, "rich_text_") || kind == "header" {
		w.text.WriteString("\n")
	}
	if f, ok := v["footer"].(map[string]any); ok {
		w.text.WriteString("— " + word(f["text"]) + "\n")
	}
}

func word(v any) string { s, _ := v.(string); return s }

func list(v any) []any { l, _ := v.([]any); return l }

func shown(v any) string {
	var w words
	w.read(v)
	return strings.TrimSpace(w.text.String())
}

func picture(name, content string) []template.URL {
	if !strings.HasSuffix(name, ".png") {
		return nil
	}
	return []template.URL{template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(content)))}
}

func (c *chats) inSlack() (all []room) {
	for _, r := range c.slack.Rooms() {
		v := room{Chat: "slack", ID: r.ID, Name: r.Name, Topic: r.Topic}
		for _, m := range r.Messages {
			var blocks []any
			_ = json.Unmarshal([]byte(m.Blocks), &blocks)
			var w words
			w.read(blocks)
			body := cmp.Or(strings.TrimSpace(w.text.String()), m.Text)
			if m.File != "" {
				body = "📎 " + cmp.Or(m.Title, m.File)
			}
			v.Messages = append(v.Messages, message{m.TS, m.User, body, m.Thread != "", picture(m.File, m.Text), w.controls})
		}
		for _, e := range c.slack.Ephemerals() {
			if e.Channel == r.ID {
				v.Private = append(v.Private, e.Text)
			}
		}
		all = append(all, v)
	}
	return all
}

func (c *chats) roomsInDiscord() (all []room) {
	for _, r := range c.discord.Channels(0) {
		v := room{Chat: "discord", ID: r.ID, Name: r.Name, Topic: r.Topic}
		for _, m := range c.discord.Messages(r.ID) {
			all := words{}
			all.text.WriteString(m.Content)
			all.read(m.Embeds)
			all.read(m.Rows)
			one := message{ID: m.ID, By: author(m), Body: strings.TrimSpace(all.text.String()), Controls: all.controls}
			for name, content := range m.Files {
				one.Pictures = append(one.Pictures, picture(name, content)...)
			}
			v.Messages = append(v.Messages, one)
		}
		all = append(all, v)
	}
	return all
}

func author(m discord.Message) string {
	if m.Author == discord.Bot {
		return "hikeshi"
	}
	return m.Author
}

var layout = template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><title>A Slack and a Discord</title>
<style>body{font:15px/1.45 system-ui,sans-serif;margin:1rem;display:grid;grid-template-columns:1fr 1fr;gap:1rem;background:#f4f4f5}
section{background:#fff;border:1px solid #ddd;border-radius:8px;padding:.8rem;overflow-wrap:anywhere}h2{margin:0 0 .3rem;font-size:1rem}
.discord{background:#313338;color:#dbdee1}.m{border-left:3px solid #888;padding:.1rem .6rem;margin:.5rem 0;white-space:pre-wrap}.reply{margin-left:2rem}
small{opacity:.7}button{margin:.15rem .2rem 0 0}img{display:block;max-width:100%;margin:.3rem 0}.said{grid-column:1/3;white-space:pre-wrap}form{display:inline}</style>
{{with .Said}}<p class="said">Only bea sees: {{.}}</p>{{end}}
{{range .Rooms}}{{$r := .}}<section class="{{.Chat}}" id="{{.ID}}"><h2>{{.Chat}} #{{.Name}}</h2><small>{{.Topic}}</small>
{{range .Messages}}{{$m := .}}<div class="m{{if .Reply}} reply{{end}}"><small>{{.By}}</small> {{.Body}}{{range .Pictures}}<img src="{{.}}" alt="a picture">{{end}}
{{range .Controls}}<form method="post" action="/do"><input type="hidden" name="chat" value="{{$r.Chat}}"><input type="hidden" name="room" value="{{$r.ID}}"><input type="hidden" name="on" value="{{$m.ID}}"><button name="button" value="{{.ID}}">{{.Label}}</button></form>{{end}}</div>{{end}}
{{range .Private}}<p><small>Only bea sees:</small> {{.}}</p>{{end}}
<form method="post" action="/do"><input type="hidden" name="chat" value="{{.Chat}}"><input type="hidden" name="room" value="{{.ID}}"><input name="text" size="40" placeholder="/inc ack, or words"> <button>Send</button></form></section>
{{else}}<p>No rooms yet. Send Hikeshi an alert.</p>{{end}}`))

func (c *chats) page(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	err := layout.Execute(&b, map[string]any{"Rooms": append(c.inSlack(), c.roomsInDiscord()...), "Said": r.FormValue("said")})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}
