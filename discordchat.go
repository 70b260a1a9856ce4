package main

import (
	"context"
	"net/http"
	"time"

	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// discordKind is Discord, for the table of outside chats.
func discordKind() outsideKind {
	return outsideKind{name: discord.Chat, configured: func(c *config.Settled) bool { return c.Guild.On }, make: makeDiscord}
}

func makeDiscord(p chatParts) (outside, error) {
	config := p.config.Guild.Config
	client := discord.NewClient(discord.ClientOptions{
		Config: config, Pace: p.limits(discord.Chat, discord.Rates()), Now: p.now,
	})
	rooms, verbs := chat.NewDirectory(p.store, discord.Chat), commands.All(commands.Deps{})
	shown := chat.Gallery{Pictures: p.drawn, Tally: p.tally, Log: p.log}
	in := discord.NewInbox(discord.InboxOptions{
		Config: config, Client: client, Desk: p.desk, Talk: p.talk, Rooms: rooms, Incidents: p.store, Commands: verbs, Links: p.links, Shown: shown, Tally: p.tally, Logger: p.log, Now: p.now,
	})
	out := outside{poster: discord.NewPoster(discord.PosterOptions{Config: config, Client: client, Links: p.links, Rooms: rooms, Shown: shown, Logger: p.log})}
	listen := in.Run
	if config.Via == discord.ViaHTTP {
		out.routes = map[string]http.Handler{"POST " + discord.Path: in.Handler()}
		listen = func(ctx context.Context) error { <-ctx.Done(); in.Wait(); return nil }
	}
	out.run = func(ctx context.Context) error {
		if _, err := discord.Register(ctx, client, config, verbs); err != nil && ctx.Err() == nil {
			p.log.Warn("the commands could not be written into Discord", "error", err)
		}
		return listen(ctx)
	}
	return out, nil
}

// examineDiscord only looks.
func examineDiscord(ctx context.Context, c *config.Settled) []discord.Diagnosis {
	client := discord.NewClient(discord.ClientOptions{
		Config: c.Guild.Config, Pace: limit.New(limit.Options{Provider: discord.Chat, Rates: discord.Rates(), Now: time.Now}), Now: time.Now,
	})
	return discord.Examine(ctx, client, c.Guild.Config)
}
