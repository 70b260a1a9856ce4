package discord

import (
	"context"
	"runtime/debug"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// caught is deferred where something from outside is looked at: a mistake of
// ours there must not end the process, and with it everybody's incidents.
func (in *Inbox) caught(ctx context.Context, what, id string) {
	if p := recover(); p != nil {
		in.panicked(ctx, what, id, p)
	}
}

func (in *Inbox) panicked(ctx context.Context, what, id string, p any) {
	in.Tally.Panics.Add(1)
	in.log.ErrorContext(ctx, "discord: a panic", "over", what, "reference", bot.Line(id, 40), "panic", p, "stack", string(debug.Stack()))
}

// broken is what the person is told then. Trying again would end the same way.
func broken(lang, id string) string {
	return phrases.T(lang, "error.internal", "reference", bot.Line(id, 40))
}

// outcome carries a wish out and renders what came of it.
func (in *Inbox) outcome(ctx context.Context, i *interaction, q bot.Request, do func(context.Context, bot.Request) (bot.Reply, error)) (out *payload) {
	defer func() {
		if p := recover(); p != nil {
			in.panicked(ctx, "a wish", i.ID, p)
			out = &payload{Content: broken(q.Lang, i.ID), Embeds: []embed{}, Components: []row{}, Attached: []attachment{}, Mentions: nobody(), Flags: flagPrivate}
		}
	}()
	reply, _ := do(ctx, q) // the reply says what is wrong, and the router has logged it
	return in.rendered(ctx, reply, q.Lang)
}
