package discord

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// Discord wants an answer within three seconds, and takes a later one for
// fifteen minutes. What takes longer than promptly is promised first.
const (
	promptly = 1500 * time.Millisecond
	laterFor = 14 * time.Minute
)

// How much may be under way at once, and how long that is waited for at the end.
const (
	maxAnswers = 64 // interactions that are looked at, and as many that were promised
	drainTime  = 10 * time.Second
)

// works is what is under way: each has a slot, so that whoever has all of them
// knows that nothing is, nor begins.
type works struct {
	heard    chan struct{}
	promised chan struct{}
	over     context.Context // the end of everything that was promised
	end      context.CancelFunc
}

func newWorks() works {
	w := works{heard: make(chan struct{}, maxAnswers), promised: make(chan struct{}, maxAnswers)}
	w.over, w.end = context.WithCancel(context.Background())
	return w
}

// take takes a slot, where there is one.
func (w *works) take(slots chan struct{}) bool {
	if w.over.Err() != nil {
		return false
	}
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// Wait takes nothing in any more and waits until everything that was promised is
// answered, for at most drainTime: then it is given up.
func (in *Inbox) Wait() {
	defer in.works.end()
	end := time.After(drainTime)
	for _, slots := range []chan struct{}{in.works.heard, in.works.promised} {
		for range maxAnswers {
			select {
			case slots <- struct{}{}:
			case <-end:
				return
			}
		}
	}
}

// lasting is a context for what goes on after the request that it came with.
func (in *Inbox) lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), laterFor)
	stop := context.AfterFunc(in.works.over, cancel)
	return ctx, func() { stop(); cancel() }
}

// promised answers with what came of it where that is known soon, else later.
func (in *Inbox) promised(ctx context.Context, i *interaction, q bot.Request, do func(context.Context, bot.Request) (bot.Reply, error)) answer {
	if !in.works.take(in.works.promised) {
		in.log.WarnContext(ctx, "an interaction was refused: too many are under way", "max", maxAnswers)
		return in.sentence(phrases.T(q.Lang, "discord.try_again"))
	}
	ctx, cancel := in.lasting(ctx)
	done, owed := make(chan *payload, 1), make(chan bool, 1)
	go func() {
		defer func() { cancel(); <-in.works.promised }()
		defer in.caught(ctx, "an answer", i.ID)
		out := in.outcome(ctx, i, q, do)
		done <- out
		if <-owed {
			in.later(ctx, i, out)
		}
	}()
	soon := time.NewTimer(in.prompt)
	defer soon.Stop()
	select {
	case out := <-done:
		files := out != nil && len(out.files)+len(out.pictures) > 0 // which only a later answer can carry
		owed <- files
		if files {
			return promise(out.Flags&flagPrivate != 0)
		}
		return prompt(i, out)
	case <-soon.C:
		owed <- true
		return promise(true)
	}
}
