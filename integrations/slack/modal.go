package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// A modal is a form for a line of /inc: what is filled in is made into the line
// and goes the way of a typed one. It opens where the verb stands alone.

// The modals, by callback_id, and the fields in them, by block_id.
const (
	modalDeclare = "declare"
	modalNote    = "note"
	modalRun     = "run"

	fieldTitle    = "title"
	fieldSeverity = "severity"
	fieldText     = "text"
	fieldAction   = "action"
	fieldValues   = "values"
	fieldInput    = "input" // the action_id of each
)

// maxOptions bounds a select.
const maxOptions = 100

// opens opens the modal that a line asks for, if it asks for one.
func (c *Chat) opens(ctx context.Context, a *asker, line string) (opened bool, err error) {
	var view *api.ModalViewRequest
	switch verb := strings.ToLower(strings.TrimSpace(line)); {
	case a.trigger == "":
	case verb == modalDeclare || verb == "new":
		view = c.declareModal(a)
	case verb == modalNote || verb == "update":
		if a.incident != 0 {
			view = c.noteModal(a)
		}
	case verb == modalRun:
		if view, err = c.runModal(ctx, a); err != nil {
			return true, err
		}
	}
	if view == nil {
		return false, nil
	}
	err = c.call(ctx, viewsOpen, "", limit.Urgent, func(ctx context.Context) error {
		_, err := c.api.OpenViewContext(ctx, a.trigger, *view)
		return err
	})
	return true, explain(viewsOpen, err)
}

// where is what a modal remembers: the channel it was opened in. Whose room that
// is, is looked up again.
type where struct {
	Channel string `json:"channel"`
}

func (a *asker) modal(name string, blocks ...api.Block) *api.ModalViewRequest {
	at, err := json.Marshal(where{a.channel})
	if err != nil {
		panic("slack: a string did not encode: " + err.Error())
	}
	t := func(key string) *api.TextBlockObject { return words(phrases.T(a.lang, "slack.modal."+key)) }
	return &api.ModalViewRequest{
		Type: api.VTModal, CallbackID: name, Title: t(name), Submit: t(name + ".submit"), Close: t("close"),
		PrivateMetadata: string(at), Blocks: api.Blocks{BlockSet: blocks},
	}
}

func (a *asker) field(name string, element api.BlockElement, optional bool) api.Block {
	b := api.NewInputBlock(name, words(phrases.T(a.lang, "slack.modal.field."+name)), nil, element)
	b.Optional = optional
	return b
}

func input(multiline bool, longest int) *api.PlainTextInputBlockElement {
	e := api.NewPlainTextInputBlockElement(nil, fieldInput)
	e.Multiline, e.MaxLength = multiline, longest
	return e
}

func (c *Chat) declareModal(a *asker) *api.ModalViewRequest {
	severities := []*api.OptionBlockObject{}
	for _, s := range []string{"SEV1", "SEV2", "SEV3", "SEV4", "SEV5"} {
		severities = append(severities, api.NewOptionBlockObject(s, words(s), nil))
	}
	choose := api.NewOptionsSelectBlockElement(api.OptTypeStatic, nil, fieldInput, severities...)
	return a.modal(modalDeclare, a.field(fieldTitle, input(false, incidents.MaxTitle), false), a.field(fieldSeverity, choose, true))
}

func (c *Chat) noteModal(a *asker) *api.ModalViewRequest {
	return a.modal(modalNote, a.field(fieldText, input(true, maxPart), false))
}

// runModal offers what is suggested; without suggestions there is nothing to
// choose, and the words of the command say so.
func (c *Chat) runModal(ctx context.Context, a *asker) (*api.ModalViewRequest, error) {
	if a.incident == 0 {
		return nil, nil
	}
	s, err := c.incidents.Load(ctx, a.incident)
	if err != nil {
		return nil, err
	}
	if err := c.rights.May(c.rights.Who(a.actor), bot.View, bot.Of(s.Scope())); err != nil {
		return nil, err
	}
	options := []*api.OptionBlockObject{}
	for i := range s.Suggestions {
		g := &s.Suggestions[i]
		if len(options) < maxOptions && len(g.Action) <= 75 {
			options = append(options, api.NewOptionBlockObject(g.Action, words(cut(bot.Title(a.lang, g.Title, g.Action), 75)), nil))
		}
	}
	if len(options) == 0 {
		return nil, nil
	}
	choose := api.NewOptionsSelectBlockElement(api.OptTypeStatic, nil, fieldInput, options...)
	return a.modal(modalRun, a.field(fieldAction, choose, false), a.field(fieldValues, input(true, maxPart), true)), nil
}

// submitted is a modal as it was filled in.
type submitted struct {
	Callback string `json:"callback_id"`
	Private  string `json:"private_metadata"`
	ID       string `json:"id"`
	State    struct {
		Values map[string]map[string]struct {
			Value    string `json:"value"`
			Selected struct {
				Value string `json:"value"`
			} `json:"selected_option"`
		} `json:"values"`
	} `json:"state"`
}

func (v *submitted) field(name string) string {
	f := v.State.Values[name][fieldInput]
	return cmp.Or(f.Value, f.Selected.Value)
}

// submission carries out what was filled in. A refusal stands in the modal, so
// that nothing has to be typed again.
func (c *Chat) submission(ctx context.Context, a *asker, v *submitted) outcome {
	var at where
	_ = json.Unmarshal([]byte(v.Private), &at) // without it there is no room
	a.channel = at.Channel
	if a.once == "" {
		a.once = once(v.ID)
	}
	err := c.meet(ctx, a)
	line, wrong := v.line()
	if err == nil && wrong != "" {
		return refusedIn(v, phrases.T(a.lang, wrong))
	}
	var reply bot.Reply
	if err == nil {
		reply, err = c.desk.Handle(ctx, a.request(line))
	}
	switch {
	case err == nil:
		return c.reply(a, reply)
	case reply.Message != nil:
		return refusedIn(v, reply.Message.Text)
	case a.no != nil:
		return refusedIn(v, bot.ErrorText(cmp.Or(a.lang, c.config.language()), a.no))
	}
	return refusedIn(v, phrases.T(cmp.Or(a.lang, c.config.language()), "error.too_slow"))
}

// refusedIn shows an error under a modal's first field.
func refusedIn(v *submitted, text string) outcome {
	first := map[string]string{modalDeclare: fieldTitle, modalNote: fieldText, modalRun: fieldValues}[v.Callback]
	return outcome{ack: map[string]any{"response_action": "errors", "errors": map[string]string{first: cut(text, 500)}}}
}

// line is the line of /inc that was filled in; wrong says what cannot be said
// in one.
func (v *submitted) line() (line, wrong string) {
	switch v.Callback {
	case modalDeclare:
		return strings.Join(strings.Fields("declare "+v.field(fieldSeverity)+" "+v.field(fieldTitle)), " "), ""
	case modalNote:
		return "note " + v.field(fieldText), ""
	case modalRun:
		line := "run " + v.field(fieldAction)
		for value := range strings.Lines(v.field(fieldValues)) {
			value = strings.TrimSpace(value)
			if value == "" {
				continue
			}
			if strings.ContainsAny(value, "\"“”＂") || !strings.Contains(value, "=") {
				return "", "slack.modal.values_wrong"
			}
			line += ` "` + value + `"`
		}
		return line, ""
	}
	return "help", ""
}
