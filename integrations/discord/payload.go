package discord

import (
	"reflect"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// payload is a message as Discord takes it. The library's own type has no
// nonce, and its edits hold fields that Discord does not know.
type payload struct {
	Content    string       `json:"content"`
	Embeds     []embed      `json:"embeds"`
	Components []row        `json:"components"`
	Mentions   allowed      `json:"allowed_mentions"`
	Flags      int          `json:"flags,omitempty"`
	Nonce      string       `json:"nonce,omitempty"`
	Enforce    bool         `json:"enforce_nonce,omitempty"`
	Attached   []attachment `json:"attachments"`
	files      []file       // what Attached names
	frames     []string     // the paths of the pictures that the last embeds are for
	pictures   []chat.Picture
}

// allowed says who may be mentioned: nobody, always.
type allowed struct {
	Parse []string `json:"parse"`
}

func nobody() allowed { return allowed{Parse: []string{}} }

type attachment struct {
	ID   int    `json:"id"`
	Name string `json:"filename"`
	Alt  string `json:"description,omitempty"`
}

type embed struct {
	Title  string       `json:"title,omitempty"`
	URL    string       `json:"url,omitempty"`
	Text   string       `json:"description,omitempty"`
	Color  int          `json:"color,omitempty"`
	Fields []embedField `json:"fields,omitempty"`
	Image  *picture     `json:"image,omitempty"`
	Footer *footer      `json:"footer,omitempty"`
	At     string       `json:"timestamp,omitempty"`
}

type embedField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline,omitempty"`
}

type footer struct {
	Text string `json:"text"`
}

// row is an action row; its parts are buttons, or one menu.
type row struct {
	Type  discordgo.ComponentType `json:"type"`
	Parts []part                  `json:"components"`
}

type part struct {
	Type        discordgo.ComponentType `json:"type"`
	ID          string                  `json:"custom_id,omitempty"`
	Label       string                  `json:"label,omitempty"`
	Style       int                     `json:"style,omitempty"`
	URL         string                  `json:"url,omitempty"`
	Placeholder string                  `json:"placeholder,omitempty"`
	Options     []option                `json:"options,omitempty"`
	Required    *bool                   `json:"required,omitempty"`
	MaxLength   int                     `json:"max_length,omitempty"`
	Value       string                  `json:"value,omitempty"`
}

type option struct {
	Label string `json:"label"`
	Value string `json:"value"`
	About string `json:"description,omitempty"`
}

// message is what Discord says of one.
type message struct {
	ID      string         `json:"id"`
	Channel string         `json:"channel_id"`
	Author  discordgo.User `json:"author"`
	Content string         `json:"content"`
	Embeds  []embed        `json:"embeds"`
}

// shows says whether the message that stands says what p says.
func (m *message) shows(p *payload) bool {
	if m.Content != p.Content || len(m.Embeds) != len(p.Embeds) {
		return false
	}
	for i := range m.Embeds {
		a, b := m.Embeds[i], p.Embeds[i]
		a.At, b.At, a.Image, b.Image = "", "", nil, nil // Discord keeps a picture under an address of its own
		if !reflect.DeepEqual(a, b) {
			return false
		}
	}
	return true
}
