package config

import (
	"cmp"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
)

// Discord is a Discord server and the bot in it.
type Discord struct {
	BotToken     Secret   `yaml:"bot_token"`
	BotTokenFile string   `yaml:"bot_token_file"`
	App          string   `yaml:"app_id"`
	Guild        string   `yaml:"guild_id"`
	Via          string   `yaml:"via"`
	PublicKey    string   `yaml:"public_key"`
	Category     string   `yaml:"category"`
	Archive      string   `yaml:"archive"`
	Private      bool     `yaml:"private"`
	Roles        []string `yaml:"roles"`
	Messages     bool     `yaml:"messages"`
	API          string   `yaml:"api"`
}

// SettledDiscord is Discord, looked up and checked.
type SettledDiscord struct {
	On     bool
	Config discord.Config
}

func (s SettledDiscord) secrets() []string {
	if s.Config.Token == "" {
		return nil
	}
	return []string{s.Config.Token}
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
	if len(s.Customers) > 0 {
		to.Customers = s.guests(door{discord.Chat, c.Private, c.Roles, discord.IsGuest})
	}
	if len(s.problems) == before {
		s.note(problemsOf(to.Validate(), func(e *incidents.Error) string { return "discord." + e.Args["key"] })...)
	}
	s.Guild = SettledDiscord{true, to}
}
