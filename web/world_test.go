package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web/find"
)

// world is a store in memory with the real core, the real router and the real
// room sync around it: enough for every page to show what it will show.
type world struct {
	mu                     sync.Mutex
	now                    func() time.Time
	policy                 incidents.Policy
	logs                   map[incidents.ID][]incidents.Event
	rooms                  map[string][]incidents.Posting
	revs                   map[string]int64
	once                   map[string]bool
	watchers               map[chan incidents.Signal]bool
	dead                   []incidents.DeadLetter
	redriven               []string
	turn                   sync.Mutex // who moves an incident has it until the room shows it
	reasons, alarms, notes []incidents.Reason
	fail                   error // what every read answers, if set
	pressed                []bot.Request
	router                 *bot.Router
}

func newWorld(t testing.TB, now func() time.Time) *world {
	w := &world{
		now: now, policy: incidents.Policy{Chats: []string{chat}},
		logs: map[incidents.ID][]incidents.Event{}, rooms: map[string][]incidents.Posting{}, revs: map[string]int64{},
		once: map[string]bool{}, watchers: map[chan incidents.Signal]bool{},
	}
	r, err := bot.NewRouter(bot.RouterOptions{Commands: w.verbs(), Rights: bot.Open{}, Incidents: w, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.router = r
	return w
}

func (w *world) replay(id incidents.ID) *incidents.Incident {
	s := &incidents.Incident{}
	for i := range w.logs[id] {
		incidents.Apply(s, &w.logs[id][i])
	}
	return s
}

// state is an incident as it is now.
func (w *world) state(id incidents.ID) *incidents.Incident {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replay(id)
}

func (w *world) Load(_ context.Context, id incidents.ID) (*incidents.Incident, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return nil, w.fail
	}
	if len(w.logs[id]) == 0 {
		return nil, nil
	}
	return w.replay(id), nil
}

func (w *world) List(_ context.Context, q incidents.Query) (incidents.Page, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return incidents.Page{}, w.fail
	}
	page := incidents.Page{}
	limit := cmp.Or(q.Limit, 50)
	for id := incidents.ID(len(w.logs)); id > 0; id-- {
		sum := w.replay(id).Summary()
		if sum.Status.Open() {
			page.Open++
		}
		if q.Open && !sum.Status.Open() || q.Service != "" && q.Service != sum.Service || q.Before > 0 && id >= q.Before {
			continue
		}
		if len(page.Incidents) == limit {
			page.Next = cmp.Or(page.Next, page.Incidents[limit-1].ID)
			continue
		}
		page.Incidents = append(page.Incidents, sum)
	}
	return page, nil
}

func (w *world) Events(_ context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.logs[id]
	all = all[min(int(after), len(all)):]
	return slices.Clone(all[:min(max, len(all))]), w.fail
}

func (w *world) Post(_ context.Context, room, key string, body []byte, at time.Time) (incidents.Posting, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revs[room]++
	all := w.rooms[room]
	i := slices.IndexFunc(all, func(p incidents.Posting) bool { return p.Key == key })
	if i >= 0 {
		all[i].Body, all[i].Edited, all[i].Rev = body, at, w.revs[room]
	} else {
		i = len(all)
		all = append(all, incidents.Posting{Room: room, Key: key, Seq: int64(i + 1), Rev: w.revs[room], At: at, Body: body})
	}
	w.rooms[room] = all
	w.signal(incidents.Signal{Kind: incidents.SignalRoom, Room: room})
	return all[i], nil
}

func (w *world) Postings(_ context.Context, room string, afterRev int64, max int) ([]incidents.Posting, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []incidents.Posting
	for _, p := range w.rooms[room] {
		if p.Rev > afterRev {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b incidents.Posting) int { return cmp.Compare(a.Rev, b.Rev) })
	return out[:min(max, len(out))], nil
}

func (w *world) LastPostings(_ context.Context, room string, beforeSeq int64, max int) ([]incidents.Posting, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.rooms[room]
	if beforeSeq > 0 {
		all = all[:min(int(beforeSeq-1), len(all))]
	}
	return slices.Clone(all[len(all)-min(max, len(all)):]), nil
}

func (w *world) DeadLetters(context.Context, int) ([]incidents.DeadLetter, error) { return w.dead, nil }

func (w *world) Redrive(_ context.Context, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.dead, func(d incidents.DeadLetter) bool { return d.Effect.Key == key })
	if i < 0 {
		return incidents.Fail(incidents.NotFound, "web.error.not_found", "there is no such dead letter")
	}
	w.dead, w.redriven = slices.Delete(slices.Clone(w.dead), i, i+1), append(w.redriven, key)
	return nil
}

func (w *world) watch() (<-chan incidents.Signal, func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan incidents.Signal, 100)
	w.watchers[c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, c)
	}
}

func (w *world) signal(sig incidents.Signal) {
	for c := range w.watchers {
		select {
		case c <- sig:
		default:
		}
	}
}

// do moves an incident and brings its room up to date, as the worker would.
func (w *world) do(id incidents.ID, cmd incidents.Command) (*incidents.Incident, error) {
	w.turn.Lock() // versions would run backwards where two interleave, and pages begin anew
	defer w.turn.Unlock()
	w.mu.Lock()
	s := w.replay(id)
	events, _, err := incidents.Advance(s, cmd, w.now(), w.policy)
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	w.logs[id] = append(w.logs[id], events...)
	log := slices.Clone(w.logs[id])
	w.signal(incidents.Signal{Kind: incidents.SignalIncident, Incident: id})
	w.mu.Unlock()

	sync := bot.Syncer{Chat: chat, Poster: Rooms{Store: w, Now: w.now}, Now: w.now}
	last := s.Rooms[chat].LastSeq
	room, err := sync.Sync(context.Background(), s, log[last:])
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if synced, _, err := incidents.Advance(s, incidents.RoomSynced{Chat: chat, Room: room}, w.now(), w.policy); err == nil {
		w.logs[id] = append(w.logs[id], synced...)
	}
	return s, nil
}

// verbs are a few commands, enough to press every button.
func (w *world) verbs() []bot.Command {
	return []bot.Command{
		{Name: "declare", Usage: "declare [SEV1…SEV5] title", Help: "help.declare", Right: bot.Respond, Text: true,
			Run: func(_ context.Context, r bot.Request, _ []string) (bot.Reply, error) {
				w.mu.Lock()
				id := incidents.ID(len(w.logs) + 1)
				w.mu.Unlock()
				s, err := w.do(id, incidents.Declare{ID: id, Title: r.Rest, By: r.Person})
				return bot.Reply{State: s}, err
			}},
		w.verb("ack", "ack", bot.Respond, func(r bot.Request, _ []string) incidents.Command { return incidents.Ack{By: r.Person} }),
		w.verb("lead", "lead [@name|me]", bot.Respond, func(r bot.Request, _ []string) incidents.Command {
			return incidents.Lead{By: r.Person, Who: r.Person}
		}),
		w.verb("note", "note text", bot.Respond, func(r bot.Request, _ []string) incidents.Command {
			return incidents.Note{By: r.Person, Text: r.Rest}
		}),
		w.verb("resolve", "resolve [reason]", bot.Respond, func(r bot.Request, _ []string) incidents.Command {
			return incidents.Resolve{By: r.Person, Text: r.Rest}
		}),
		w.verb("vote", "vote rank|action up|down|none [reason]", bot.Respond, func(r bot.Request, args []string) incidents.Command {
			return incidents.Vote{By: r.Person, Action: args[0], Value: map[string]int{"up": 1, "down": -1}[args[1]]}
		}),
		w.verb("approve", "approve [rank|action|request:N]", bot.ApproveRuns, func(r bot.Request, args []string) incidents.Command {
			target, _ := bot.ParseTarget(args)
			s, _ := w.Load(context.Background(), r.Incident)
			if target.Request != "" {
				return incidents.Approve{By: r.Person, ID: target.Request, Digest: s.Approval(target.Request).Plan.Digest, SignedIn: r.SignedIn}
			}
			g := target.Suggestion(s)
			return incidents.Approve{By: r.Person, Action: g.Action, Digest: g.Plan.Digest}
		}),
		w.verb("deny", "deny [request] [reason]", bot.ApproveRuns, func(r bot.Request, args []string) incidents.Command {
			target, _ := bot.ParseTarget(args)
			return incidents.Deny{By: r.Person, ID: target.Request}
		}),
		{Name: "status", Aliases: []string{"info"}, Usage: "status", Help: "help.status", Right: bot.View, Room: true,
			Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
				s, err := w.Load(ctx, r.Incident)
				if err != nil {
					return bot.Reply{}, err
				}
				m := bot.Room(s, nil, r.Lang, w.now(), bot.Links{})[0]
				m.Kind, m.Pinned = bot.KindReply, false
				return bot.Reply{Message: &m, Private: true, State: s}, nil
			}},
		{Name: "help", Aliases: []string{"?"}, Usage: "help [verb]", Help: "help.help", Right: bot.View,
			Run: func(_ context.Context, r bot.Request, args []string) (bot.Reply, error) {
				if len(args) > 0 && args[0] == "aloud" { // an answer for everybody
					return bot.Reply{Message: &bot.Message{Kind: bot.KindReply, Text: "for everybody"}}, nil
				}
				return bot.Reply{Private: true, Message: &bot.Message{Kind: bot.KindReply, Title: "Help", Text: "/inc ack\n/inc status"}}, nil
			}},
	}
}

func (w *world) verb(name, usage string, right bot.Right, cmd func(bot.Request, []string) incidents.Command) bot.Command {
	return bot.Command{Name: name, Usage: usage, Help: "help." + name, Right: right, Room: true, Text: name == "note" || name == "resolve",
		Run: func(_ context.Context, r bot.Request, args []string) (bot.Reply, error) {
			w.mu.Lock()
			again := w.once[r.Once]
			w.once[r.Once] = true
			w.pressed = append(w.pressed, r)
			w.mu.Unlock()
			if again {
				return bot.Reply{}, incidents.Fail(incidents.Conflict, "error.happened", "this happened already")
			}
			s, err := w.do(r.Incident, cmd(r, args))
			return bot.Reply{State: s}, err
		}}
}

// options are a server's options around this world.
func (w *world) options() Options {
	story := bot.Story{Now: w.now}
	return Options{
		Incidents: w, Alerts: find.New(find.Options{Incidents: w, Now: w.now}), Rooms: w, Router: w.router, Postmortem: story.Postmortem, DeadLetters: w, Outputs: spoken{}, Learning: w, Watch: w.watch,
		Ready: func(context.Context) Readiness {
			w.mu.Lock()
			defer w.mu.Unlock()
			return Readiness{Wrong: w.reasons, Alarms: w.alarms, Notes: w.notes}
		},
		Log: slog.New(slog.DiscardHandler), Now: w.now,
	}
}

// must moves an incident and fails the test where that is refused.
func (w *world) must(t testing.TB, id incidents.ID, cmd incidents.Command) *incidents.Incident {
	t.Helper()
	s, err := w.do(id, cmd)
	if err != nil {
		t.Fatalf("%T: %v", cmd, err)
	}
	return s
}

// open begins an incident with alerts of these labels ("a=b,c=d").
func (w *world) open(t testing.TB, summary string, at time.Time, alerts ...string) incidents.ID {
	t.Helper()
	id := incidents.ID(len(w.logs) + 1)
	cmd := incidents.Open{ID: id, Source: "prometheus"}
	for _, labels := range alerts {
		a := incidents.Alert{Labels: labelsOf(labels), StartsAt: at, GeneratorURL: "http://prometheus.example.com:9090/graph?g0.expr=up",
			Annotations: incidents.LabelsFromMap(map[string]string{"summary": summary, "runbook_url": "https://runbooks.example.com/checkout"})}
		cmd.Alerts, cmd.Keys = append(cmd.Alerts, a), append(cmd.Keys, a.Fingerprint())
	}
	cmd.Grouping = incidents.Rules{}.Group("", &cmd.Alerts[0])
	w.must(t, id, cmd)
	return id
}

// clear resolves the alerts.
func (w *world) clear(t testing.TB, id incidents.ID, from time.Time, alerts ...string) {
	t.Helper()
	cmd := incidents.Receive{Source: "prometheus"}
	for _, labels := range alerts {
		a := incidents.Alert{Labels: labelsOf(labels), StartsAt: from, EndsAt: w.now(), Resolved: true}
		cmd.Alerts, cmd.Keys = append(cmd.Alerts, a), append(cmd.Keys, a.Fingerprint())
	}
	w.must(t, id, cmd)
}

func labelsOf(s string) incidents.Labels {
	m := map[string]string{}
	for pair := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return incidents.LabelsFromMap(m)
}

var errAway = errors.New("the store is away")

// said reads back what stands in a room, for assertions.
func (w *world) said(t testing.TB, room string) []body {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []body
	for _, p := range w.rooms[room] {
		var b body
		if err := json.Unmarshal(p.Body, &b); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}
