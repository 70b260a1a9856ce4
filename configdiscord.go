package main

import (
	"cmp"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
)

// discordConfig is a Discord server and the bot in it.
type discordConfig struct {
	BotToken     secretValue `yaml:"bot_token"`
	BotTokenFile string      `yaml:"bot_token_file"`
	App          string      `yaml:"app_id"`
	Guild        string      `yaml:"guild_id"`
	Via          string      `yaml:"via"`
	PublicKey    string      `yaml:"public_key"`
	Category     string      `yaml:"category"`
	Archive      string      `yaml:"archive"`
	Private      bool        `yaml:"private"`
	Roles        []string    `yaml:"roles"`
	Messages     bool        `yaml:"messages"`
	API          string      `yaml:"api"`
}

// settledDiscord is Discord, looked up and checked.
type settledDiscord struct {
	on     bool
	config discord.Config
}

func (s settledDiscord) secrets() []string {
	if s.config.Token == "" {
		return nil
	}
	return []string{s.config.Token}
}

// discord checks what is said of Discord.
func (s *settler) discord() {
	c := s.Discord
	if c.BotToken == "" && c.BotTokenFile == "" && c.App == "" && c.Guild == "" {
		return
	}
	before := len(s.problems)
	to := discord.Config{
		Token: s.secret("discord.bot_token", c.BotToken, c.BotTokenFile), App: c.App, Guild: c.Guild, PublicKey: c.PublicKey,
		Via: discord.Via(cmp.Or(c.Via, string(discord.ViaGateway))), Category: cmp.Or(c.Category, discord.DefaultCategory), Archive: cmp.Or(c.Archive, discord.DefaultArchive),
		Private: c.Private, Roles: c.Roles, Messages: c.Messages, Language: s.Language, URL: c.API,
	}
	if len(s.problems) == before {
		s.note(problemsOf(to.Validate(), func(e *incidents.Error) string { return "discord." + e.Args["key"] })...)
	}
	s.guild = settledDiscord{true, to}
}
