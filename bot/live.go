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
	app       context.Context
	incidents Loader
	links     Links
	now       func() time.Time
	log       *slog.Logger
	chats     map[string]*liveChat
}

// LiveOptions is what a Live needs.
type LiveOptions struct {
	App       context.Context // when it ends, nothing is put right any more; nil: never
	Incidents Loader
	Posters   map[string]Poster            // by chat
	Every     map[string]time.Duration     // between two edits in a chat; else liveEvery
	Languages map[string]map[string]string // by chat: of rooms of some customers, as in a Syncer
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
	// liveLooks is how often it is looked whether the run has a message in a chat where it
	// has none: the first time after the chat's pause, then after twice as long each.
	liveLooks = 6
)

// liveChat is one chat, in which one edit at a time is made.
type liveChat struct {
	name      string
	poster    Poster
	every     time.Duration
	languages map[string]string
	turn      chan struct{} // holds who edits, and the pause after it
}

// NewLive makes one.
func NewLive(o LiveOptions) *Live {
	if o.App == nil {
		o.App = context.Background()
	}
	l := &Live{app: o.App, incidents: o.Incidents, links: o.Links, now: o.Now, log: o.Logger, chats: map[string]*liveChat{}}
	for name, poster := range o.Posters {
		every := o.Every[name]
		if every == 0 {
			every = liveEvery
		}
		l.chats[name] = &liveChat{name: name, poster: poster, every: every, languages: o.Languages[name], turn: make(chan struct{}, 1)}
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

// seen is what became of one picture of a run.
type seen int

const (
	seenYes     seen = iota
	seenNot          // the next one shows more
	seenNowhere      // the run has no message there, or not yet
	seenEnough       // there will never be one to edit again
)

// follow shows what is new, taken together over the chat's pause. A run that is over
// before the first has passed is shown by its outcome only.
func (l *Live) follow(ctx context.Context, c *liveChat, id incidents.ID, run string, look runbooks.Look) {
	var doubt bool
	defer func() {
		if p := recover(); p != nil { // what it says may be anything; the run goes on unseen
			l.log.ErrorContext(ctx, "showing a run panicked", "chat", c.name, "run", run, "panic", p, "stack", string(debug.Stack()))
		}
		if doubt {
			l.putRightLater(c, id, run, 1)
		}
	}()
	last, pause := seenYes, c.every
	for looks := 0; ; {
		_, more := look()
		if last == seenYes && !changed(ctx, more) || !wait(ctx, pause) || !c.wait(ctx) {
			return
		}
		var late bool
		last, late = l.frame(ctx, c, id, run, look)
		doubt = doubt || late
		if looks, pause = looks+1, 2*pause; last != seenNowhere {
			looks, pause = 0, c.every
		}
		if last == seenEnough || looks == liveLooks {
			return
		}
	}
}

// frame shows how the run goes now, in the chat's turn, which it gives back. It is late
// where the chat has not said what became of the edit, and may still make it.
func (l *Live) frame(ctx context.Context, c *liveChat, id incidents.ID, run string, look runbooks.Look) (what seen, late bool) {
	defer c.rest()
	now, _ := look()
	if len(now.Steps) == 0 && now.Output == "" {
		return seenYes, false // there is nothing to be shown
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

// wait is false where ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
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
func (l *Live) show(ctx context.Context, c *liveChat, id incidents.ID, run string, p incidents.Progress) (what seen, late bool) {
	if ctx.Err() != nil {
		return seenEnough, false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveWithin)
	defer cancel()
	s, err := l.incidents.Load(ctx, id)
	if err != nil || s == nil {
		return seenNot, false
	}
	r := s.Run(run)
	if r == nil || r.State != incidents.RunRunning {
		return seenEnough, false // somebody else has told what became of it
	}
	room := s.Rooms[c.name]
	posted, stands := room.Posted[runKey(run)]
	if !stands || room.Row != 0 {
		return seenNowhere, false
	}
	m := l.message(c, s, func(v *view) Message { return v.running(r, p) })
	if _, err := c.poster.Post(ctx, room, runKey(run), m, posted); err != nil {
		l.log.DebugContext(ctx, "what a run says was not shown", "chat", c.name, "run", run, "error", err)
		if errors.Is(err, ErrGone) {
			return seenEnough, false
		}
		return seenNot, incidents.CodeOf(err) != incidents.Overloaded // then it was not sent, or refused
	}
	return seenYes, false
}

// message is one of the incident's in every language, or in the one of its customer's room.
func (l *Live) message(c *liveChat, s *incidents.Incident, of func(*view) Message) LocalMessage {
	m := LocalMessage{}
	for _, lang := range phrases.Languages {
		m[lang] = of(&view{s: s, lang: lang, now: l.now(), links: l.links})
	}
	if lang := c.languages[s.Customer]; lang != "" {
		return m.only(lang)
	}
	return m
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
