package discord

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Chat is this chat's name in the policy, in requests and in rooms.
const Chat = "discord"

// channel is what Discord says of one.
type channel struct {
	ID     string                `json:"id"`
	Type   discordgo.ChannelType `json:"type"`
	Name   string                `json:"name"`
	Topic  string                `json:"topic"`
	Parent string                `json:"parent_id"`
}

// OpenRoom makes the incident's channel, or adopts the one that an earlier
// attempt left behind: ours is the oldest whose name begins with the incident's
// number and whose topic has its mark. A channel has no key that Discord would
// know it by, so one looks before one creates.
func (p *Poster) OpenRoom(ctx context.Context, s *incidents.Incident) (incidents.Room, error) {
	all, err := p.channels(ctx)
	if err != nil {
		return incidents.Room{}, err
	}
	found := findRoom(all, s)
	if found == nil {
		failpoint.Hit("discord.room.before_create")
		if found, err = p.createRoom(ctx, s, all); err != nil {
			return incidents.Room{}, err
		}
		p.fresh(found.ID)
		failpoint.Hit("discord.room.created")
	}
	if s.ID != 0 { // else several incidents share it, and it is nobody's
		if err := p.rooms.Put(ctx, found.ID, s.ID); err != nil {
			return incidents.Room{}, fmt.Errorf("note that channel %s is the room of %s: %w", found.ID, s.ID, err)
		}
	}
	failpoint.Hit("discord.room.noted")
	room := incidents.Room{ID: found.ID, Name: roomName(s), URL: "https://discord.com/channels/" + p.config.Guild + "/" + found.ID}
	if n, err := strconv.ParseInt(found.ID, 10, 64); err == nil {
		room.OpenedAt = sinceEpoch(n)
	}
	return room, nil
}

// channels are all of the guild.
func (p *Poster) channels(ctx context.Context) ([]channel, error) {
	var all []channel
	err := p.client.do(ctx, ask{method: http.MethodGet, path: "/guilds/" + p.config.Guild + "/channels", class: classRead, key: p.config.Guild, lane: laneFirst}, &all)
	return all, missing(err, "View Channels")
}

// topicMark is what says in a channel's topic which incident it belongs to. The
// time keeps the incidents of a new store apart from those of an old one.
func topicMark(s *incidents.Incident) string {
	if s.ID == 0 { // a shared room is known by its name
		return "hikeshi:" + roomName(s)
	}
	return "hikeshi:" + strconv.FormatInt(int64(s.ID), 10) + "." + strconv.FormatInt(s.CreatedAt.Unix(), 36)
}

// numbered is what the names of an incident's rooms begin with.
func numbered(s *incidents.Incident) string {
	if s.ID == 0 {
		return roomName(s)
	}
	return fmt.Sprintf("inc-%04d", int64(s.ID))
}

// roomName is the channel's name; one that several incidents share has no number.
func roomName(s *incidents.Incident) string {
	if s.ID == 0 {
		return strings.TrimPrefix(s.Slug(), "inc-0000-")
	}
	return s.Slug()
}

// roomIncident is the incident of a room's name.
func roomIncident(name string) (incidents.ID, bool) {
	parts := strings.SplitN(name, "-", 3)
	if len(parts) < 2 || parts[0] != "inc" {
		return 0, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	return incidents.ID(n), err == nil && n > 0
}

// findRoom is the oldest room of the incident.
func findRoom(all []channel, s *incidents.Incident) *channel {
	var ours []channel
	for _, c := range all {
		if c.Type == discordgo.ChannelTypeGuildText && strings.HasPrefix(c.Name, numbered(s)) && slices.Contains(strings.Fields(c.Topic), topicMark(s)) {
			ours = append(ours, c)
		}
	}
	if len(ours) == 0 {
		return nil
	}
	oldest := slices.MinFunc(ours, func(a, b channel) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	return &oldest
}

// createRoom makes the channel, with everything that it needs from the start:
// its topic can hardly be changed later (twice in ten minutes).
func (p *Poster) createRoom(ctx context.Context, s *incidents.Incident, all []channel) (*channel, error) {
	if len(all) >= maxPerGuild {
		return nil, fullGuild(nil)
	}
	parent, err := p.category(ctx, all, p.config.Category)
	if err != nil {
		return nil, err
	}
	mark := topicMark(s)
	topic := phrases.T(p.config.Language, "discord.topic", "incident", s.ID.String(), "title", plain(bot.Line(s.Title, 200)))
	if more := p.links.Incident(s.ID); more != "" && s.ID != 0 {
		topic += " " + more
	}
	if s.ID == 0 {
		topic = plain(bot.Line(s.Title, 200))
	}
	made := map[string]any{
		"name": roomName(s), "type": discordgo.ChannelTypeGuildText, "parent_id": parent,
		"topic": cut(topic, maxTopic-units(mark)-1) + " " + mark,
	}
	if p.config.Private {
		overwrites, err := p.private(ctx, p.config.guests(s.Customer))
		if err != nil {
			return nil, err
		}
		made["permission_overwrites"] = overwrites
	}
	return p.createChannel(ctx, made)
}

func (p *Poster) createChannel(ctx context.Context, made map[string]any) (*channel, error) {
	var out channel
	err := p.client.do(ctx, ask{method: http.MethodPost, path: "/guilds/" + p.config.Guild + "/channels", body: made, class: classCreate, key: p.config.Guild, lane: laneFirst, soon: true}, &out)
	switch {
	case codeOf(err) == codeTooManyChannels:
		return nil, fullGuild(err)
	case err != nil:
		return nil, missing(err, "Manage Channels, Manage Roles")
	case !isID(out.ID):
		return nil, errNoID
	}
	return &out, nil
}

// fullGuild says that there is no room for another channel.
func fullGuild(cause error) error {
	full := incidents.Fail(incidents.TooLarge, "error.discord_full",
		"the Discord server has "+strconv.Itoa(maxPerGuild)+" channels, which is Discord's limit: delete some", "max", strconv.Itoa(maxPerGuild)).WithHint("docs/discord.md")
	if cause == nil {
		return full
	}
	return fmt.Errorf("%w: %w", full, cause)
}

// category is the one of this name that has room, or a new one: "incidents",
// "incidents 2" and so on.
func (p *Poster) category(ctx context.Context, all []channel, name string) (string, error) {
	children := map[string]int{}
	for _, c := range all {
		children[c.Parent]++
	}
	for n := 1; ; n++ {
		wanted := name
		if n > 1 {
			wanted += " " + strconv.Itoa(n)
		}
		at := slices.IndexFunc(all, func(c channel) bool {
			return c.Type == discordgo.ChannelTypeGuildCategory && strings.EqualFold(c.Name, wanted)
		})
		if at < 0 {
			made, err := p.createChannel(ctx, map[string]any{"name": wanted, "type": discordgo.ChannelTypeGuildCategory})
			if err != nil {
				return "", err
			}
			return made.ID, nil
		}
		if children[all[at].ID] < maxPerCategory {
			return all[at].ID, nil
		}
	}
}

// overwrite is a permission overwrite; Discord's numbers are strings here.
type overwrite struct {
	ID    string `json:"id"`
	Type  int    `json:"type"` // 0 a role, 1 a member
	Allow string `json:"allow"`
	Deny  string `json:"deny"`
}

// private lets the guests and the bot see a room, and nobody else.
func (p *Poster) private(ctx context.Context, guests []string) ([]overwrite, error) {
	self, err := p.client.Self(ctx)
	if err != nil {
		return nil, err
	}
	bits := func(n int64) string { return strconv.FormatInt(n, 10) }
	all := []overwrite{
		{p.config.Guild, 0, "0", bits(permView)}, // the role of everybody has the guild's id
		{self, 1, bits(permView | permSend | permEmbed | permAttach | permHistory | permManageChannels | permPin), "0"},
	}
	for _, guest := range slices.Compact(slices.Sorted(slices.Values(guests))) { // Discord takes each once
		kind := 0
		id, member := strings.CutPrefix(guest, userPrefix)
		if member {
			kind = 1
		}
		all = append(all, overwrite{id, kind, bits(permView | permSend | permHistory | permAddReactions), "0"})
	}
	return all, nil
}
