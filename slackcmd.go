package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/slack"
)

// slackCommand is "hikeshi slack VERB …".
func slackCommand(ctx context.Context, args []string, std streams) int {
	verbs := map[string]func(context.Context, []string, streams) int{"manifest": slackManifest, "doctor": slackDoctor}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_slack"))
		return exitUsage
	}
	return verbs[args[0]](ctx, args[1:], std)
}

// slackManifest prints the app, to be pasted into Slack.
func slackManifest(_ context.Context, args []string, std streams) int {
	fs := newFlags("slack manifest", std)
	url := fs.String("url", "", phrases.T(language(), "cli.flag.slack_url"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	if *url != "" && !config.GoodLink(*url) {
		fmt.Fprintln(std.err, phrases.Fill(language(), "config.public_url", map[string]string{"value": *url}))
		return exitUsage
	}
	fmt.Fprintf(std.out, "%s", slack.Manifest(*url))
	return exitOK
}

// slackDoctor says what is wrong with the app, and what to do about it.
func slackDoctor(ctx context.Context, args []string, std streams) int {
	fs := newFlags("slack doctor", std)
	path := fs.String("config", os.Getenv("HIKESHI_CONFIG"), phrases.T(language(), "cli.flag.config"))
	if code, done := parse(fs, args, 0); done {
		return code
	}
	c, err := config.Load(*path, os.Getenv)
	var s *config.Settled
	if err == nil {
		s, err = c.Settle()
	}
	if err == nil && !s.Workspace.On {
		err = incidents.Fail(incidents.Invalid, "error.no_slack", "the configuration says nothing of Slack").WithHint("docs/slack.md")
	}
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	chat, err := examineSlack(s)
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	lang, well := language(), true
	for _, d := range chat.Examine(ctx, s.PublicURL) {
		mark := "✅ "
		if !d.Good {
			mark, well = "❌ ", false
		}
		fmt.Fprintln(std.out, mark+phrases.Fill(lang, d.What.Phrase, d.What.Args))
		if d.Do.Phrase != "" {
			fmt.Fprintln(std.out, "   → "+phrases.Fill(lang, d.Do.Phrase, d.Do.Args))
		}
	}
	if !well {
		return exitFailed
	}
	fmt.Fprintln(std.out, phrases.T(lang, "slack.doctor.all_well"))
	return exitOK
}
