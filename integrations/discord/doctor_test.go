package discord

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

func TestTheDoctorFindsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Config)
		ruin   func(*fake.Server)
		want   string
	}{
		"nothing":      {nil, nil, ""},
		"token":        {nil, (*fake.Server).Revoke, "discord.doctor.do.token"},
		"nobody there": {func(c *Config) { c.URL = "http://127.0.0.1:1" }, nil, "discord.doctor.do.network"},
		"permissions":  {nil, func(s *fake.Server) { s.Allow(fake.AllPerms &^ (permPin | 1<<3)) }, "Pin Messages"},
		"app":          {func(c *Config) { c.App = "100000000000000009" }, nil, "discord.doctor.do.app"},
		"guild":        {func(c *Config) { c.Guild = "200000000000000009" }, nil, "discord.doctor.do.invite"},
		"role":         {func(c *Config) { c.Roles = []string{"300000000000000007"} }, nil, "discord.doctor.do.role"},
		"guest":        {func(c *Config) { c.Customers = map[string][]string{"acme": {"300000000000000007"}} }, nil, "discord.doctor.do.role"},
		"member":       {func(c *Config) { c.Customers = map[string][]string{"acme": {"user:" + fake.Nobody}} }, nil, "discord.doctor.do.member"},
		"intent":       {func(c *Config) { c.Messages = true }, func(s *fake.Server) { s.Intents &^= 1 << 15 }, "discord.doctor.do.messages"},
		"endpoint":     {func(c *Config) { c.Via = ViaHTTP }, nil, "discord.doctor.do.endpoint"},
		"two ways":     {nil, func(s *fake.Server) { s.Endpoint = "https://x.example.com" }, "discord.doctor.do.gateway"},
		"no more room": {nil, func(s *fake.Server) {
			for range 460 {
				s.AddChannel(0, "c", "", "")
			}
		}, "discord.doctor.do.channels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFake(t)
			if c.ruin != nil {
				c.ruin(s)
			}
			if c.change == nil {
				c.change = func(*Config) {}
			}
			h := houseOn(t, s, &contract.Settings{}, c.change)
			bad := ""
			for _, d := range Examine(t.Context(), h.client, h.config) {
				if !d.Good {
					bad += fmt.Sprint(d.What, d.Do)
				}
			}
			if !strings.Contains(bad, c.want) || c.want == "" && bad != "" {
				t.Errorf("%q, want %q", bad, c.want)
			}
		})
	}
}

func TestTheInvitationAsksForWhatIsNeeded(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(Invite(Config{App: "1", Guild: "2"}))
	if err != nil || u.Query().Get("permissions") != fmt.Sprint(int64(1<<4|1<<6|1<<10|1<<11|1<<14|1<<15|1<<16|1<<51)) || u.Query().Get("scope") != "bot applications.commands" {
		t.Errorf("%v %v", u, err)
	}
	if Invite(Config{Private: true}) == Invite(Config{}) {
		t.Error("private rooms need Manage Roles")
	}
}

func TestConfigurationsThatAreWrong(t *testing.T) {
	t.Parallel()
	good := goodConfig(newFake(t))
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"bot_token": func(c *Config) { c.Token = "changeme" }, "app_id": func(c *Config) { c.App = "x" }, "guild_id": func(c *Config) { c.Guild = "" },
		"public_key": func(c *Config) { c.Via, c.PublicKey = ViaHTTP, strings.Repeat("0", 63) }, "via": func(c *Config) { c.Via = "pigeon" },
		"messages": func(c *Config) { c.Via, c.Messages = ViaHTTP, true }, "roles": func(c *Config) { c.Private = true }, "archive": func(c *Config) { c.Archive = c.Category },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "discord."+want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// A room that several incidents share has no number, is nobody's, and is found
// again by its name.
func TestASharedRoom(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := &incidents.Incident{Title: "storm 2026-02-03 14-03-00", CreatedAt: someDay, Released: true}
	room := h.open(s)
	s.CreatedAt = someDay.AddDate(0, 0, 1)
	if again := h.open(s); again.ID != room.ID || room.Name != "storm-2026-02-03-14-03-00" {
		t.Errorf("%+v %+v", room, again)
	}
	if _, ok, _ := h.rooms.Incident(t.Context(), room.ID); ok {
		t.Error("it belongs to an incident")
	}
}
