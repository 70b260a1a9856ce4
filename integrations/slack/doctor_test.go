package slack

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

func told(all []Diagnosis) (good, bad string) {
	for _, d := range all {
		text := phrases.Fill(phrases.English, d.What.Phrase, d.What.Args)
		if d.Good {
			good += text + "\n"
			continue
		}
		bad += text + " → " + phrases.Fill(phrases.English, d.Do.Phrase, d.Do.Args) + "\n"
	}
	return good, bad
}

func TestTheDoctorFindsNothingWhereAllIsWell(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config, *fake.Options){"sockets": overSockets, "HTTP": func(*Config, *fake.Options) {}} {
		w := newWorld(t, change)
		if _, bad := told(w.Examine(t.Context(), w.fake.Address())); bad != "" {
			t.Errorf("%s: %s", name, bad)
		}
	}
}

func TestTheDoctorNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Config, *fake.Options)
		do     func(*fake.Server)
		want   string
	}{
		"scope":     {overSockets, func(f *fake.Server) { f.Scopes([]string{"users:read", "chat:write", "usergroups:read"}) }, "channels:manage"},
		"revoked":   {overSockets, func(f *fake.Server) { f.Revoke(true) }, "token_revoked"},
		"app token": {func(c *Config, _ *fake.Options) { c.AppToken, c.SigningSecrets = "xapp-another", nil }, nil, "connections:write"},
		"app":       {func(c *Config, o *fake.Options) { overSockets(c, o); c.App = "A0OTHER" }, nil, fake.App},
		"workspace": {func(c *Config, o *fake.Options) { overSockets(c, o); c.Team = "T0OTHER" }, nil, fake.Team},
		"invitee":   {func(c *Config, o *fake.Options) { overSockets(c, o); c.Invite = []string{"UNOBODY"} }, nil, "UNOBODY"},
		"group":     {func(c *Config, o *fake.Options) { overSockets(c, o); c.Invite = []string{"SNOBODY"} }, nil, "SNOBODY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.change)
			if tc.do != nil {
				tc.do(w.fake)
			}
			if _, bad := told(w.Examine(t.Context(), "")); !strings.Contains(bad, tc.want) || !strings.Contains(bad, " → ") {
				t.Errorf("%q lacks %s", bad, tc.want)
			}
		})
	}
}

func TestTheManifestAsksForWhatIsUsed(t *testing.T) {
	t.Parallel()
	var m struct {
		OAuth struct {
			Scopes struct{ Bot []string }
		} `json:"oauth_config"`
		Settings struct {
			Sockets bool `json:"socket_mode_enabled"`
			Events  struct {
				URL string `json:"request_url"`
			} `json:"event_subscriptions"`
		}
	}
	if err := json.Unmarshal(Manifest("https://hikeshi.example.com/"), &m); err != nil {
		t.Fatal(err)
	}
	if m.Settings.Sockets || m.Settings.Events.URL != "https://hikeshi.example.com/slack/events" {
		t.Errorf("%+v", m)
	}
	for name, method := range fake.Methods {
		if method.Scope != "" && !slices.Contains(m.OAuth.Scopes.Bot, method.Scope) {
			t.Errorf("%s needs %s", name, method.Scope)
		}
	}
}
