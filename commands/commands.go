// Package commands has the verbs of /inc, one file each. A command reads its
// words, asks the incident for what they mean, and confirms in the person's
// language; who may do what is decided before it runs (see bot.Router).
//
// It promises that every verb works alike in every chat and in the API, and
// that saying a thing twice does nothing twice.
//
// Start with All.
package commands

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// Incidents is where incidents are read and moved. once names the wish, so
// that a chat which repeats it does not do it twice; "" for none.
type Incidents interface {
	Do(ctx context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error)
	Declare(ctx context.Context, once string, d incidents.Declare) (*incidents.Incident, error)
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
}

// history is what can be read of an incident.
type history interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
}

// Again asks for the investigation or the ranking to be done once more.
type Again interface {
	Again(ctx context.Context, id incidents.ID, kind incidents.EffectKind) error
}

// Wishes knows which wishes were carried out: see Incidents for once.
type Wishes interface {
	Happened(ctx context.Context, id incidents.ID, once string) (bool, error)
}

// People finds a person by the name that somebody typed in a chat.
type People interface {
	Person(ctx context.Context, chat, name string) (incidents.Actor, bool)
	// Customers are those whose incidents somebody may open, and whether they may
	// open one that is nobody's.
	Customers(p incidents.Actor) (names []string, nobodys bool)
	// Owns says whether the incidents of the scope are theirs to answer by name.
	Owns(p incidents.Actor, scope incidents.Scope) bool
	// Having are those who have a right there.
	Having(right bot.Right, where bot.Where) []incidents.Actor
}

// Library finds a runbook by its id; nil where there is none.
type Library interface {
	Get(id string) *runbooks.Runbook
}

// Deps is what the commands need.
type Deps struct {
	Incidents Incidents
	Again     Again
	Inquiry   Inquiry // nil: there is nobody to ask
	Wishes    Wishes
	Library   Library
	Freezer   Freezer
	Trust     Trust    // nil: nothing is trusted to run by itself
	Lessons   Lessons  // nil: nothing is learned
	Trackers  Trackers // nil: no tracker is configured
	People    People   // nil: names are taken as they are typed
	Customers []string // the configured ones
	Links     bot.Links
	Calendar  func(now time.Time) []Window // the times of windows that are now or next; nil: there are none
	Now       func() time.Time             // its time zone is the one that times are shown in
}

// All are the verbs, in the order in which help lists them.
func All(d Deps) []bot.Command {
	all := []bot.Command{
		declare(d), list(d), status(d),
		ack(d), severity(d), assign(d), lead(d), note(d), todo(d), pin(d), room(d),
		timeline(d), alerts(d), diagnose(d), similar(d), changes(d), logs(d), graph(d), useful(d), suggest(d), why(d), vote(d),
		run(d), approve(d), deny(d), withdraw(d), settleRun(d), freeze(d), trustCommand(d), learn(d), ticket(d),
		resolve(d), reopen(d), postmortem(d), draftCommand(d),
	}
	return append(all, help(all))
}

// confirm says that it is done. Somebody who pressed a button or reacted sees
// that in the room, so only typed words are answered.
func confirm(r bot.Request, s *incidents.Incident, key string, args ...string) bot.Reply {
	if r.Origin == bot.Pressed || r.Origin == bot.Reacted {
		return bot.Reply{State: s}
	}
	return answer(s, bot.Message{Tone: bot.ToneGood, Text: phrases.T(r.Lang, key, args...)})
}

// answer is a private answer that is worth reading however it was asked for.
func answer(s *incidents.Incident, m bot.Message) bot.Reply {
	m.Kind = bot.KindReply
	return bot.Reply{Message: &m, Private: true, State: s}
}

// events reads an incident's log from its start.
func events(ctx context.Context, in history, id incidents.ID) ([]incidents.Event, error) {
	const page = 500
	var all []incidents.Event
	for {
		after := int64(0)
		if n := len(all); n > 0 {
			after = all[n-1].Seq
		}
		next, err := in.Events(ctx, id, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, next...)
		if len(next) < page {
			return all, nil
		}
	}
}
