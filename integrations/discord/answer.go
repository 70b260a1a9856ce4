package discord

import (
	"context"
	"net/http"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// The types of answers.
// https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
const (
	answerPong    = 1
	answerMessage = 4
	answerLater   = 5
	answerSilent  = 6
	answerChoices = 8
	answerForm    = 9
)

// flagPrivate makes a message that only the asker sees.
const flagPrivate = 1 << 6

// answer is the first answer to an interaction.
type answer struct {
	Type int         `json:"type"`
	Data *answerData `json:"data,omitempty"`
}

type answerData struct {
	Content    string    `json:"content,omitempty"`
	Embeds     []embed   `json:"embeds,omitempty"`
	Components []row     `json:"components,omitempty"`
	Mentions   *allowed  `json:"allowed_mentions,omitempty"`
	Flags      int       `json:"flags,omitempty"`
	Choices    *[]choice `json:"choices,omitempty"`
	ID         string    `json:"custom_id,omitempty"` // of a form
	Title      string    `json:"title,omitempty"`
}

// choice is one completion.
type choice struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// noChoices completes nothing.
func noChoices() answer { return answer{Type: answerChoices, Data: &answerData{Choices: &[]choice{}}} }

// sentence is an answer for the asker alone.
func (in *Inbox) sentence(text string) answer {
	none := nobody()
	return answer{Type: answerMessage, Data: &answerData{Content: cut(text, maxContent), Flags: flagPrivate, Mentions: &none}}
}

// rendered is the reply as Discord gets it; nil where the room shows what
// happened.
func (in *Inbox) rendered(ctx context.Context, reply bot.Reply, lang string) *payload {
	if reply.Message == nil {
		return nil
	}
	more := ""
	if reply.State != nil {
		more = in.Links.Incident(reply.State.ID)
	}
	out := rendered(reply.Message, lang, "", more)
	out.pictures = in.Shown.Draw(ctx, "reply", reply.Message.Images)
	if reply.Private {
		out.Flags |= flagPrivate
	}
	return &out
}

// prompt is the answer that is ready in time.
func prompt(i *interaction, out *payload) answer {
	if out == nil {
		if i.Type == kindComponent {
			return answer{Type: answerSilent}
		}
		none := nobody()
		return answer{Type: answerMessage, Data: &answerData{Content: "✓", Flags: flagPrivate, Mentions: &none}}
	}
	return answer{Type: answerMessage, Data: &answerData{Content: out.Content, Embeds: out.Embeds, Components: out.Components, Mentions: &out.Mentions, Flags: out.Flags}}
}

// promise says that an answer follows.
func promise(private bool) answer {
	data := &answerData{}
	if private {
		data.Flags = flagPrivate
	}
	return answer{Type: answerLater, Data: data}
}

// later keeps a promise. It can be tried for fifteen minutes; what the person
// asked for is done in any case.
func (in *Inbox) later(ctx context.Context, i *interaction, out *payload) {
	path := "/webhooks/" + in.config.App + "/" + i.Token + "/messages/@original"
	a := ask{method: http.MethodPatch, path: path, class: classAnswer, key: i.ID, lane: laneFirst, bare: true}
	err := in.answered(ctx, func(ctx context.Context) error {
		if out == nil {
			a.method = http.MethodDelete
			return in.Client.do(ctx, a, nil)
		}
		return in.Client.show(ctx, in.Shown, a, *out, nil)
	})
	if err != nil {
		in.log.WarnContext(ctx, "an answer did not reach the person in Discord", "interaction", i.ID, "error", err)
	}
}
