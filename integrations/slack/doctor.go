package slack

import (
	"context"
	"net/http"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// Diagnosis is one thing that was looked at.
type Diagnosis struct {
	Good bool
	What incidents.Reason
	Do   incidents.Reason // what mends it; empty where it is good
}

// Examine looks at everything that has to be right for the app to work, and
// changes nothing. url is where Slack reaches us, for HTTP.
func (c *Chat) Examine(ctx context.Context, url string) []Diagnosis {
	var all []Diagnosis
	good := func(phrase string, args ...string) {
		all = append(all, Diagnosis{Good: true, What: incidents.Because(phrase, args...)})
	}
	bad := func(what incidents.Reason, phrase string, args ...string) {
		all = append(all, Diagnosis{What: what, Do: incidents.Because(phrase, args...)})
	}
	self, err := c.me(ctx)
	if err != nil {
		do := "slack.doctor.do.token"
		if wording(err).Phrase == "slack.error.away" { // a good token must not be made anew for that
			do = "slack.doctor.do.network"
		}
		bad(inWords(err), do)
		return all
	}
	good("slack.doctor.token", "team", self.Team, "user", self.User)
	c.examineScopes(self.Header, good, bad)
	c.examineApp(ctx, self.BotID, good, bad)
	if c.config.Sockets() {
		err := c.call(ctx, connectionsOpen, "", limit.Urgent, func(ctx context.Context) error {
			_, _, err := c.api.StartSocketModeContext(ctx)
			return err
		})
		if err != nil {
			bad(inWords(explain(connectionsOpen, err)), "slack.doctor.do.app_token")
		} else {
			good("slack.doctor.sockets")
		}
	} else {
		c.examineWay(ctx, url, good, bad)
	}
	for _, id := range c.config.everybody() {
		if strings.HasPrefix(id, "S") {
			if len(c.membersOf(ctx, id)) == 0 {
				bad(incidents.Because("slack.doctor.no_group", "id", id), "slack.doctor.do.invite")
			}
		} else if p, err := c.who(ctx, id); err != nil {
			bad(inWords(err), "slack.doctor.do.invite_person", "id", id)
		} else {
			good("slack.doctor.invited", "id", id, "name", p.actor.Name)
		}
	}
	return all
}

// inWords is an error as a sentence of the catalogue.
func inWords(err error) incidents.Reason {
	e := wording(err)
	return incidents.Reason{Phrase: e.Phrase, Args: e.Args}
}

// examineScopes compares what the token may with what it must; Slack names
// the scopes in a header of each answer.
func (c *Chat) examineScopes(h http.Header, good func(string, ...string), bad func(incidents.Reason, string, ...string)) {
	has := map[string]bool{}
	for _, name := range strings.Split(h.Get("X-OAuth-Scopes"), ",") {
		has[strings.TrimSpace(name)] = true
	}
	complete := true
	for _, s := range scopes {
		if !has[s.name] {
			complete = false
			bad(incidents.Because("slack.doctor.no_scope", "scope", s.name, "why", s.why), "slack.doctor.do.scope", "scope", s.name)
		}
	}
	if complete {
		good("slack.doctor.scopes")
	}
}

// examineApp compares the app of the token with the configured one: what is
// sent for another one is refused.
func (c *Chat) examineApp(ctx context.Context, bot string, good func(string, ...string), bad func(incidents.Reason, string, ...string)) {
	var b *api.Bot
	err := c.call(ctx, botsInfo, "", limit.Urgent, func(ctx context.Context) (err error) {
		b, err = c.api.GetBotInfoContext(ctx, api.GetBotInfoParameters{Bot: bot})
		return err
	})
	switch {
	case err != nil:
		bad(inWords(explain(botsInfo, err)), "slack.doctor.do.token")
	case b.AppID != c.config.App:
		bad(incidents.Because("slack.doctor.other_app", "app", b.AppID, "wanted", c.config.App), "slack.doctor.do.app", "app", b.AppID)
	default:
		good("slack.doctor.app", "app", b.AppID)
	}
}

// examineWay knocks where Slack would: an unsigned request must come back
// refused by a running Hikeshi.
func (c *Chat) examineWay(ctx context.Context, url string, good func(string, ...string), bad func(incidents.Reason, string, ...string)) {
	to := strings.TrimRight(url, "/") + EventsPath
	if url == "" || !strings.HasPrefix(url, "https://") && c.config.API == "" {
		bad(incidents.Because("slack.doctor.no_url"), "slack.doctor.do.url")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader("{}"))
	if err != nil {
		bad(incidents.Because("slack.doctor.unreachable", "url", to, "error", clip(err.Error())), "slack.doctor.do.url")
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := newDoor(nil).client.Do(req)
	if err != nil {
		bad(incidents.Because("slack.doctor.unreachable", "url", to, "error", clip(err.Error())), "slack.doctor.do.reach")
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		bad(incidents.Because("slack.doctor.unreachable", "url", to, "error", resp.Status), "slack.doctor.do.reach")
		return
	}
	good("slack.doctor.reachable", "url", to)
}
