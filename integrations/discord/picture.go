package discord

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// picture is an embed's; its address names a file of the same message.
// https://docs.discord.com/developers/reference#editing-message-attachments-using-attachments-within-embeds
type picture struct {
	URL string `json:"url"`
}

// images adds an embed for each picture: its title leads to the console, and
// with puts the picture itself there, where it can be had.
func (p *payload) images(images []bot.Image, color int) {
	for _, i := range images[:min(len(images), chat.MaxPictures)] {
		e := embed{Title: orDots(cut("📈 "+line(i.Title), maxTitle/2)), Color: color}
		if followable(i.URL) {
			e.URL = i.URL
		}
		p.Embeds = append(p.Embeds, e)
		p.frames = append(p.frames, i.Path)
	}
}

// with is the message with its pictures, each in the embed that is for it.
func (p *payload) with(pictures []chat.Picture) payload {
	out := *p
	out.Embeds, out.Attached, out.files = slices.Clone(p.Embeds), slices.Clone(p.Attached), slices.Clone(p.files)
	first := len(out.Embeds) - len(p.frames)
	for i := range pictures {
		at := slices.Index(p.frames, pictures[i].Image.Path)
		if at < 0 {
			continue
		}
		out.Embeds[first+at].Image = &picture{"attachment://" + pictures[i].Name}
		if slices.ContainsFunc(out.files, func(f file) bool { return f.Name == pictures[i].Name }) {
			continue // two that look alike
		}
		out.Attached = append(out.Attached, attachment{len(out.files), pictures[i].Name, cut(bot.Line(pictures[i].Image.Alt, maxAlt), maxAlt)})
		out.files = append(out.files, file{pictures[i].Name, string(pictures[i].PNG), "image/png"})
	}
	return out
}

// show sends a message with its pictures, or without them where Discord takes
// the message but not those: they are too large, say, or the bot may attach
// nothing.
func (c *Client) show(ctx context.Context, g chat.Gallery, a ask, out payload, into any) error {
	if len(out.pictures) > 0 {
		whole := out.with(out.pictures)
		a.body, a.files = whole, whole.files
		err := c.do(ctx, a, into)
		if err == nil {
			g.Shown(len(out.pictures))
		}
		if r, said := errors.AsType[*refusal](err); !said || !r.ofContent() {
			return err
		}
		g.Failed(ctx, a.name(), len(out.pictures), err)
	}
	a.body, a.files = out, out.files
	return c.do(ctx, a, into)
}

// ofContent says whether it is about what was sent.
func (r *refusal) ofContent() bool {
	switch r.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return true
	}
	return r.code == codeMissingPermission
}
