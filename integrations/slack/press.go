package slack

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// interaction is what Slack sends when somebody presses a button or fills in a
// modal.
type interaction struct {
	Type string `json:"type"`
	App  string `json:"api_app_id"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Container struct {
		Channel string `json:"channel_id"`
		Message string `json:"message_ts"`
		Thread  string `json:"thread_ts"`
	} `json:"container"`
	Actions []struct {
		ID string `json:"action_id"`
		At string `json:"action_ts"`
	} `json:"actions"`
	View    submitted `json:"view"`
	Trigger string    `json:"trigger_id"`
	Respond string    `json:"response_url"`
}

func (c *Chat) interaction(ctx context.Context, h happening) (outcome, error) {
	var i interaction
	if !c.read(ctx, h, &i) || !c.ours(ctx, i.Team.ID, i.App) {
		return outcome{}, nil
	}
	a := &asker{user: i.User.ID, channel: i.Channel.ID, thread: i.Container.Thread, respond: i.Respond, trigger: i.Trigger, once: once(i.Trigger)}
	if i.User.Team != "" && i.User.Team != c.config.Team {
		return c.no(a, stranger("slack.who.outsider", "not a member of this workspace")), nil
	}
	switch i.Type {
	case "block_actions":
		return c.press(ctx, a, &i), nil
	case "view_submission":
		return c.submission(ctx, a, &i.View), nil
	}
	return outcome{}, nil
}

// press passes a button on. Its channel must be a room, and the button one of
// that room's incident; what it stands for, and whether they may, is looked up.
func (c *Chat) press(ctx context.Context, a *asker, i *interaction) outcome {
	if len(i.Actions) != 1 || !strings.HasPrefix(i.Actions[0].ID, "h1.") {
		return outcome{} // a select in a modal, say
	}
	if i.Container.Channel != "" && i.Container.Channel != a.channel {
		return c.no(a, incidents.Fail(incidents.Forbidden, "error.button_elsewhere", "this button belongs to another war room"))
	}
	if a.once == "" {
		a.once = once(i.Actions[0].At + "/" + a.user)
	}
	if err := c.meet(ctx, a); err != nil {
		return c.no(a, err)
	}
	reply, _ := c.desk.Press(ctx, a.request(""), i.Actions[0].ID)
	return c.reply(a, reply)
}
