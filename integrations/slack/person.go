package slack

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// person is a full member of our workspace, as Slack knows them.
type person struct {
	actor incidents.Actor
	lang  string
	no    *incidents.Error // why they are refused; nil: they are not
	at    time.Time
}

// people remembers who somebody is.
type people struct {
	mu    sync.Mutex
	known map[string]person
}

const (
	knownFor  = 5 * time.Minute // that somebody was deactivated is noticed within
	staleFor  = time.Hour       // while Slack does not answer
	maxPeople = 20_000
)

// who is the person behind a user's id, or why they may do nothing here. Names
// are for reading: rights hang on the id.
func (c *Chat) who(ctx context.Context, user string) (person, error) {
	c.people.mu.Lock()
	p, ok := c.people.known[user]
	c.people.mu.Unlock()
	if !ok || c.now().Sub(p.at) > knownFor {
		found, err := c.ask(ctx, user)
		switch {
		case err == nil:
			p = found
			c.remember(user, p)
		case !ok || c.now().Sub(p.at) > staleFor:
			return person{lang: c.config.language()}, err
		}
	}
	if p.no != nil {
		return p, p.no
	}
	return p, nil
}

func (c *Chat) remember(user string, p person) {
	c.people.mu.Lock()
	defer c.people.mu.Unlock()
	if c.people.known == nil || len(c.people.known) >= maxPeople {
		c.people.known = map[string]person{}
	}
	c.people.known[user] = p
}

func (c *Chat) ask(ctx context.Context, user string) (person, error) {
	var u *api.User
	err := c.call(ctx, usersInfo, "", limit.Urgent, func(ctx context.Context) (err error) {
		u, err = c.api.GetUserInfoContext(ctx, user)
		return err
	})
	p := person{lang: c.config.language(), at: c.now()}
	if word := refused(err); word == "user_not_found" || word == "user_not_visible" {
		p.no = stranger("slack.who.outsider", "not a member of this workspace")
		return p, nil
	}
	if err != nil {
		return p, explain(usersInfo, err)
	}
	if strings.HasPrefix(u.Locale, "ja") {
		p.lang = phrases.Japanese
	} else if u.Locale != "" {
		p.lang = phrases.English
	}
	p.no = c.refuses(user, u)
	p.actor = incidents.Actor{ID: Name + ":" + c.config.Team + "/" + user, Name: bot.Line(cmp.Or(u.Profile.DisplayName, u.RealName, u.Name), 80)}
	return p, nil
}

// refuses says why a user may do nothing here; nil where they may.
func (c *Chat) refuses(id string, u *api.User) *incidents.Error {
	switch {
	case u.ID != id:
		return stranger("slack.who.outsider", "slack answered about somebody else")
	case u.Deleted:
		return stranger("slack.who.deactivated", "a deactivated account")
	case u.IsBot, u.IsAppUser, u.IsWorkflowBot, u.IsConnectorBot, id == "USLACKBOT":
		return stranger("slack.who.bot", "bots and workflows may not")
	case u.TeamID != c.config.Team, u.IsStranger:
		return stranger("slack.who.outsider", "not a member of this workspace")
	case u.IsRestricted, u.IsUltraRestricted, u.IsInvitedUser:
		return stranger("slack.who.guest", "guests may not")
	}
	return nil
}

func stranger(phrase, message string) *incidents.Error {
	return incidents.Fail(incidents.Forbidden, phrase, message)
}
