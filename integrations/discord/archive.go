package discord

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Archive moves the room of an incident that is over into the category of
// closed ones, so that the category of open ones keeps free places (there are
// 50). Done twice it changes nothing, and a room that somebody has deleted or
// moved elsewhere is left alone.
func (p *Poster) Archive(ctx context.Context, room incidents.Room) error {
	all, err := p.channels(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(c channel) bool { return c.ID == room.ID })
	if at < 0 || !p.among(all, all[at].Parent) {
		return nil
	}
	parent, err := p.category(ctx, all, p.config.Archive)
	if err != nil {
		return err
	}
	err = p.client.do(ctx, ask{
		method: http.MethodPatch, path: "/channels/" + room.ID, body: map[string]any{"parent_id": parent},
		class: classMove, key: room.ID,
	}, nil)
	if codeOf(err) == codeUnknownChannel {
		return nil
	}
	p.forget(room.ID)
	return missing(err, "Manage Channels")
}

// among says whether the category is one of open rooms.
func (p *Poster) among(all []channel, id string) bool {
	return slices.ContainsFunc(all, func(c channel) bool {
		return c.ID == id && c.Type == discordgo.ChannelTypeGuildCategory && isNumbered(c.Name, p.config.Category)
	})
}

// isNumbered says whether a category is the one of the name, or one of those
// after it.
func isNumbered(name, of string) bool {
	if len(name) < len(of) || !strings.EqualFold(name[:len(of)], of) {
		return false
	}
	rest := name[len(of):]
	return rest == "" || rest[0] == ' ' && digits(rest[1:])
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
