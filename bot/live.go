package bot

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// Live shows in the rooms what a run does and says while it goes. It edits the
// run's message, which stands there already, and writes nothing down: a room is
// what Room makes of its incident, and the next sync puts that in place of what
// was shown meanwhile. So whoever dies in the middle leaves nothing to tidy up, and
// there is no commit for what nobody needs tomorrow.
type Live struct {
	incidents Loader
	links     Links
	now       func() time.Time
	log       *slog.Logger
	chats     map[string]*liveChat
}

// LiveOptions is what a Live needs.
type LiveOptions struct {
	Incidents Loader
	Posters   map[string]Poster        // by chat
	Every     map[string]time.Duration // between two edits in a chat; else liveEvery
	Links     Links
	Now       func() time.Time
	Logger    *slog.Logger
}

// ErrGone is what a Poster answers where a live message is to be edited that no longer
// stands. It posts none: nobody would write down where, so the next edit would post
// another.
var ErrGone = errors.New("the message was deleted")

// Paces of what is shown while a run goes.
const (
	// liveEvery is between two edits in one chat, whatever runs there: Slack takes
	// 50 edits a minute from all replicas together, and cards and approvals need some.
	liveEvery = 3 * time.Second
	// liveWithin bounds one edit, also the one that a run's end waits for. What cannot
	// be shown by then is left out: the next one shows more.
	liveWithin = 2 * time.Second
)

// liveChat is one chat, in which one edit at a time is made.
type liveChat struct {
	name   string
	poster Poster
	every  time.Duration
	turn   chan struct{} // holds who edits, and the pause after it
}

// NewLive makes one.
func NewLive(o LiveOptions) *Live {
	l := &Live{incidents: o.Incidents, links: o.Links, now: o.Now, log: o.Logger, chats: map[string]*liveChat{}}
	for name, poster := range o.Posters {
		every := o.Every[name]
		if every == 0 {
			every = liveEvery
		}
		l.chats[name] = &liveChat{name: name, poster: poster, every: every, turn: make(chan struct{}, 1)}
	}
	return l
}

// Follow implements runbooks.Follow. What a chat shows does not wait for another's.
func (l *Live) Follow(ctx context.Context, plan incidents.Plan, run string, look runbooks.Look) {
	var all sync.WaitGroup
	for _, c := range l.chats {
		all.Go(func() { l.follow(ctx, c, plan.Incident, run, look) })
	}
	all.Wait()
}

// follow shows what is new, taken together over the chat's pause. A run that is over
// before the first has passed is shown by its outcome only.
func (l *Live) follow(ctx context.Context, c *liveChat, id incidents.ID, run string, look runbooks.Look) {
	defer func() {
		if p := recover(); p != nil { // what it says may be anything; the run goes on unseen
			l.log.ErrorContext(ctx, "showing a run panicked", "chat", c.name, "run", run, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	shown, gone := true, false
	for {
		_, more := look()
		if shown && !changed(ctx, more) || !c.pause(ctx) || !c.wait(ctx) {
			return
		}
		if shown, gone = l.frame(ctx, c, id, run, look); gone {
			return
		}
	}
}

// frame shows how the run goes now, in the chat's turn, which it gives back.
func (l *Live) frame(ctx context.Context, c *liveChat, id incidents.ID, run string, look runbooks.Look) (shown, gone bool) {
	defer c.rest()
	now, _ := look()
	if len(now.Steps) == 0 && now.Output == "" {
		return true, false // there is nothing to be shown
	}
	return l.show(ctx, c, id, run, now)
}

// changed waits until there is more; false: ctx ended.
func changed(ctx context.Context, more <-chan struct{}) bool {
	select {
	case <-more:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause is false where ctx ended first.
func (c *liveChat) pause(ctx context.Context) bool {
	timer := time.NewTimer(c.every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// wait takes the chat's turn, rest gives it back after the pause.
func (c *liveChat) wait(ctx context.Context) bool {
	select {
	case c.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *liveChat) rest() { time.AfterFunc(c.every, func() { <-c.turn }) }

// show edits the run's message once, where it stands and the run still goes on. An
// edit that has begun is waited for: it must not come after what the run's end says.
// Where somebody has deleted the message it is gone, and stays so until a sync.
func (l *Live) show(ctx context.Context, c *liveChat, id incidents.ID, run string, p incidents.Progress) (shown, gone bool) {
	if ctx.Err() != nil {
		return true, false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveWithin)
	defer cancel()
	s, err := l.incidents.Load(ctx, id)
	if err != nil || s == nil {
		return false, false
	}
	r, room := s.Run(run), s.Rooms[c.name]
	if r == nil || r.State != incidents.RunRunning || room.Row != 0 {
		return true, false // somebody else has told what became of it; or it has no message there
	}
	posted, stands := room.Posted[runKey(run)]
	if !stands {
		return false, false // the room is being opened
	}
	m := LocalMessage{}
	for _, lang := range phrases.Languages {
		v := view{s: s, lang: lang, now: l.now(), links: l.links}
		m[lang] = v.running(r, p)
	}
	if _, err := c.poster.Post(ctx, room, runKey(run), m, posted); err != nil {
		l.log.DebugContext(ctx, "what a run says was not shown", "chat", c.name, "run", run, "error", err)
		return false, errors.Is(err, ErrGone)
	}
	return true, false
}

// running is a run's message while its steps are carried out.
func (v *view) running(r *incidents.Run, p incidents.Progress) Message {
	m := v.run(r)
	m.Live, m.Checks, m.Code = true, nil, nil
	at := len(p.Steps)
	if p.Step != "" {
		at++
	}
	m.Text += " " + v.t("run.live_step", "n", strconv.Itoa(at), "all", strconv.Itoa(len(r.Plan.Recover)))
	for i := max(0, len(p.Steps)-maxSteps); i < len(p.Steps); i++ {
		c := v.step(&p.Steps[i])
		c.Detail = "" // the run's end shows it; now the step under way is of interest
		m.Checks = append(m.Checks, c)
	}
	if p.Step == "" {
		return m
	}
	name := v.title(p.Title, p.Step)
	m.Checks = append(m.Checks, Check{Group: v.t("run.steps"), State: CheckWaiting, Name: name, Value: v.t("run.live_now")})
	if p.Output == "" {
		return m
	}
	label := v.t("run.live_output", "step", name)
	if p.Before > 0 {
		label = v.t("run.live_end", "step", name, "n", strconv.FormatInt(p.Before, 10))
	}
	m.Code = []Code{{Label: label, Text: Cut(Clean(p.Output), maxOutput)}}
	return m
}
