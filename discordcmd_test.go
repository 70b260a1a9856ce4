package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// As a new user would: docs/discord.md's steps, against the fake.
func TestDiscordInFiveMinutes(t *testing.T) {
	s := fake.New(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), fake.Token+"\n")
	file := filepath.Join(dir, "hikeshi.yaml")
	write(t, file, "discord:\n  bot_token_file: token\n  app_id: \""+fake.App+"\"\n  guild_id: \""+fake.Guild+"\"\n  roles: [\""+fake.Role+"\"]\n  api: "+s.URL+"\n")
	for verb, want := range map[string]string{"invite": "https://discord.com/oauth2/authorize?", "doctor": "✅"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"discord", verb, "--config", file}, streams{nil, &out, &errs}); code != exitOK || !strings.HasPrefix(out.String(), want) || strings.Contains(out.String()+errs.String(), fake.Token) {
			t.Errorf("%s: %d\n%s%s", verb, code, out.String(), errs.String())
		}
	}
	s.Allow(0)
	var out bytes.Buffer
	if code := run(t.Context(), []string{"discord", "doctor", "--config", file}, streams{nil, &out, &out}); code != exitFailed || !strings.Contains(out.String(), "Pin Messages") {
		t.Errorf("%d\n%s", code, out.String())
	}
}
