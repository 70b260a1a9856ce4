package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
)

// discordCommand is "hikeshi discord VERB …".
func discordCommand(ctx context.Context, args []string, std streams) int {
	verbs := map[string]func(context.Context, *config.Settled, streams) int{"invite": discordInvite, "doctor": discordDoctor}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_discord"))
		if len(args) > 0 && strings.TrimLeft(args[0], "-") == "help" {
			return exitOK
		}
		return exitUsage
	}
	fs := newFlags("discord "+args[0], std)
	path := fs.String("config", os.Getenv("HIKESHI_CONFIG"), phrases.T(language(), "cli.flag.config"))
	if code, done := parse(fs, args[1:], 0); done {
		return code
	}
	c, err := config.Load(*path, os.Getenv)
	var s *config.Settled
	if err == nil {
		s, err = c.Settle()
	}
	if err == nil && !s.Guild.On {
		err = incidents.Fail(incidents.Invalid, "error.no_discord", "the configuration says nothing of Discord").WithHint("docs/discord.md")
	}
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	return verbs[args[0]](ctx, s, std)
}

// discordInvite prints the address that lets the bot in.
func discordInvite(_ context.Context, s *config.Settled, std streams) int {
	fmt.Fprintln(std.out, discord.Invite(s.Guild.Config))
	return exitOK
}

// discordDoctor says what is wrong with the bot, and what to do about it.
func discordDoctor(ctx context.Context, s *config.Settled, std streams) int {
	lang, code := language(), exitOK
	for _, d := range examineDiscord(ctx, s) {
		mark := "✅ "
		if !d.Good {
			mark, code = "❌ ", exitFailed
		}
		fmt.Fprintln(std.out, mark+phrases.Fill(lang, d.What.Phrase, d.What.Args))
		if d.Do.Phrase != "" {
			fmt.Fprintln(std.out, "   → "+phrases.Fill(lang, d.Do.Phrase, d.Do.Args))
		}
	}
	if code == exitOK {
		fmt.Fprintln(std.out, phrases.T(lang, "discord.doctor.all_well"))
	}
	return code
}
