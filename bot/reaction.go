package bot

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Reaction is an emoji that a person put on a message of a war room, or took
// away from it.
type Reaction struct {
	Key   string          // the message's key
	Emoji string          // "👍", "+1", "thumbsup"
	Said  *incidents.Said // the message itself, where a person wrote it in this room; nil: it is one of ours
	Taken bool            // it was taken away
}

// React understands thumbs, on a run, a request or the suggestions (the best
// one), eyes on the card (an acknowledgement), and a pin on what somebody said,
// here or in another room (it belongs on the timeline). Approving takes a button:
// a reaction is too easily made by mistake, or on a message that has changed
// since. Anything else means nothing, and is no error: people react as they like.
func (r *Router) React(ctx context.Context, q Request, e Reaction) (Reply, error) {
	q.Origin = Reacted
	what := emojiWord(e.Emoji)
	if what == "" || q.Incident == 0 {
		return Reply{}, nil
	}
	if what == "ack" {
		if e.Key != keyCard || e.Taken {
			return Reply{}, nil
		}
		return r.command(ctx, q, "ack", nil)
	}
	if what == "pin" {
		if e.Said == nil && !strings.HasPrefix(e.Key, saidPrefix) {
			return Reply{}, nil
		}
		q.Said = e.Said
		return r.command(ctx, q, "pin", []string{e.Key, map[bool]string{false: "on", true: "off"}[e.Taken]})
	}
	s, err := r.incidents.Load(ctx, q.Incident)
	if err != nil {
		return r.explain(ctx, q, err)
	}
	action := reactedAction(s, e.Key)
	if action == "" {
		return Reply{}, nil
	}
	if e.Taken {
		mine := s.Votes[action][q.Person.ID]
		if mine == 0 || (mine > 0) != (what == "up") {
			return Reply{}, nil // they have changed their mind since
		}
		what = "none"
	}
	return r.command(ctx, q, "vote", []string{action, what})
}

// emojiWord reads an emoji or its name in Slack or Discord; skin tones do not
// matter.
func emojiWord(emoji string) string {
	name, _, _ := strings.Cut(strings.Trim(emoji, ":"), "::skin-tone")
	name = strings.TrimRight(name, "🏻🏼🏽🏾🏿\uFE0F")
	switch name {
	case "👍", "+1", "thumbsup", "thumbs_up":
		return "up"
	case "👎", "-1", "thumbsdown", "thumbs_down":
		return "down"
	case "👀", "eyes":
		return "ack"
	case "📌", "pushpin", "📍", "round_pushpin":
		return "pin"
	}
	return ""
}

// reactedAction is the action that a message is about.
func reactedAction(s *incidents.Incident, key string) string {
	if s == nil {
		return ""
	}
	if key == keySuggestions && len(s.Suggestions) > 0 {
		return s.Suggestions[0].Action
	}
	for i := range s.Runs {
		if runKey(s.Runs[i].ID) == key {
			return s.Runs[i].Plan.Runbook
		}
	}
	for i := range s.Approvals {
		if approvalKey(s.Approvals[i].ID) == key {
			return s.Approvals[i].Plan.Runbook
		}
	}
	return ""
}
