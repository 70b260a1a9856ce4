package config

import (
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/slack"
)

// Slack is a Slack workspace and the app in it.
type Slack struct {
	BotToken              Secret   `yaml:"bot_token"`
	BotTokenFile          string   `yaml:"bot_token_file"`
	AppToken              Secret   `yaml:"app_token"`
	AppTokenFile          string   `yaml:"app_token_file"`
	SigningSecret         Secret   `yaml:"signing_secret"`
	SigningSecretFile     string   `yaml:"signing_secret_file"`
	NextSigningSecret     Secret   `yaml:"next_signing_secret"`
	NextSigningSecretFile string   `yaml:"next_signing_secret_file"`
	Team                  string   `yaml:"team"`
	App                   string   `yaml:"app"`
	Private               bool     `yaml:"private"`
	Invite                []string `yaml:"invite"`
	API                   string   `yaml:"api"`
}

// configured says whether anything is said of Slack at all.
func (c *Slack) configured() bool {
	return c.BotToken != "" || c.BotTokenFile != "" || c.AppToken != "" || c.AppTokenFile != "" || c.SigningSecret != "" || c.SigningSecretFile != "" || c.Team != "" || c.App != ""
}

// files are the paths that are relative to the configuration's file.
func (c *Slack) files() []*string {
	return []*string{&c.BotTokenFile, &c.AppTokenFile, &c.SigningSecretFile, &c.NextSigningSecretFile}
}

// SettledSlack is Slack, looked up and checked.
type SettledSlack struct {
	On     bool
	Config slack.Config
}

func (s SettledSlack) secrets() []string {
	var all []string
	for _, secret := range append([]string{s.Config.Token, s.Config.AppToken}, s.Config.SigningSecrets...) {
		if secret != "" {
			all = append(all, secret)
		}
	}
	return all
}

// slack checks what is said of Slack.
func (s *settler) slack() {
	c := s.Slack
	if !c.configured() {
		return
	}
	before := len(s.problems)
	to := slack.Config{
		Token: s.secret("slack.bot_token", c.BotToken, c.BotTokenFile), AppToken: s.secret("slack.app_token", c.AppToken, c.AppTokenFile),
		Team: c.Team, App: c.App, Private: c.Private, Invite: c.Invite, API: c.API, Language: s.Language,
	}
	for _, secret := range []string{
		s.secret("slack.signing_secret", c.SigningSecret, c.SigningSecretFile), s.secret("slack.next_signing_secret", c.NextSigningSecret, c.NextSigningSecretFile),
	} {
		if secret != "" {
			to.SigningSecrets = append(to.SigningSecrets, secret)
		}
	}
	if len(s.Customers) > 0 {
		to.Customers = s.guests(door{slack.Name, c.Private, c.Invite, slack.IsGuest})
	}
	if len(s.problems) == before {
		s.note(problemsOf(to.Validate(), func(e *incidents.Error) string { return "slack." + e.Args["key"] })...)
	}
	if !to.Sockets() && to.API == "" && !strings.HasPrefix(s.PublicURL, "https://") {
		s.note(wrong("public_url", "config.slack_https"))
	}
	s.Workspace = SettledSlack{true, to}
}
