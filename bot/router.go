package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Router takes a person's words, finds the command, asks whether they may,
// runs it, logs it and answers. Every chat, the web console and the API go
// through it, and through the one place in it that decides about rights (see
// carry).
type Router struct {
	commands  []Command
	verbs     map[string]*Command // by name and alias
	rights    Rights
	incidents Loader
	log       *slog.Logger
	reference func() string
}

// Loader finds an incident.
type Loader interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
}

// RouterOptions is what a Router needs.
type RouterOptions struct {
	Commands  []Command
	Rights    Rights
	Incidents Loader
	Logger    *slog.Logger
	Reference func() string // a short name for an internal error, found in the log; nil: eight random hex digits
}

// NewRouter refuses a command that cannot be reached or that nobody could be
// refused: two of one name, or one without a right.
func NewRouter(o RouterOptions) (*Router, error) {
	if o.Rights == nil || o.Incidents == nil || o.Logger == nil {
		return nil, errors.New("a router needs rights, incidents and a logger")
	}
	r := &Router{commands: o.Commands, verbs: map[string]*Command{}, rights: o.Rights, incidents: o.Incidents, log: o.Logger, reference: o.Reference}
	if r.reference == nil {
		r.reference = randomReference
	}
	for i := range o.Commands {
		c := &o.Commands[i]
		if c.Name == "" || c.Right == "" || c.Run == nil {
			return nil, fmt.Errorf("command %q needs a name, a right and a way to run", c.Name)
		}
		for _, verb := range append([]string{c.Name}, c.Aliases...) {
			if r.verbs[verb] != nil {
				return nil, fmt.Errorf("commands %s and %s are both called %q", r.verbs[verb].Name, c.Name, verb)
			}
			r.verbs[verb] = c
		}
	}
	return r, nil
}

// Commands are all there are, for completion.
func (r *Router) Commands() []Command { return slices.Clone(r.commands) }

// Handle carries out a line. Where it is refused or fails, the reply says so
// in the person's language and the error is an *incidents.Error.
func (r *Router) Handle(ctx context.Context, q Request) (Reply, error) {
	l := parseLine(q.Line)
	if q.Origin == "" {
		q.Origin = Typed
	}
	if l.verb == "" {
		l.verb = "help"
		if l.id != 0 || q.Incident != 0 {
			l.verb = "status"
		}
	}
	c := r.verbs[l.verb]
	if c == nil {
		return r.refuse(q, r.unknown(l.verb))
	}
	if l.id != 0 {
		q.Incident = l.id
	} else if c.Room {
		l.takeID(&q, c)
	}
	q.Rest = l.rest
	return r.carry(ctx, q, c, l.args)
}

// takeID reads an incident's number after the verb: "ack 42". In a room a bare
// number means something of the room's ("approve 1"), and a text is a text.
func (l *line) takeID(q *Request, c *Command) {
	if len(l.args) == 0 {
		return
	}
	word := narrow(l.args[0])
	id, ok := incidents.ParseID(word)
	if !ok || q.Incident != 0 && (c.Text || !strings.HasPrefix(word, "#") && !strings.HasPrefix(word, "inc")) {
		return
	}
	q.Incident, l.args = id, l.args[1:]
	_, l.rest = firstWord(l.rest)
}

// Press carries out a button of a war room. The button says which incident it
// belongs to; pressed anywhere else it does nothing.
func (r *Router) Press(ctx context.Context, q Request, buttonID string) (Reply, error) {
	q.Origin = Pressed
	p, ok := decodePress(buttonID)
	if !ok {
		return r.refuse(q, incidents.Fail(incidents.Invalid, "error.button", "this button is not one of ours").WithHint("/inc status"))
	}
	if q.Incident == 0 && p.verb == pressRoom { // in a room that many share, which is no incident's
		q.Incident = p.incident
	}
	if q.Incident == 0 || p.incident != q.Incident {
		return r.refuse(q, incidents.Fail(incidents.Forbidden, "error.button_elsewhere", "this button belongs to another war room"))
	}
	verb, args := presses[p.verb](p)
	return r.command(ctx, q, verb, args)
}

// Needs is the right that a button asks for; "" where it is none of ours. What
// else may be in the way shows when it is pressed.
func (r *Router) Needs(buttonID string) Right {
	p, ok := decodePress(buttonID)
	if !ok {
		return ""
	}
	verb, _ := presses[p.verb](p)
	if c := r.verbs[verb]; c != nil {
		return c.Right
	}
	return ""
}

// command carries out a verb whose words were found in another way than by
// typing them.
func (r *Router) command(ctx context.Context, q Request, verb string, args []string) (Reply, error) {
	c := r.verbs[verb]
	if c == nil {
		return r.refuse(q, r.unknown(verb))
	}
	q.Rest = ""
	return r.carry(ctx, q, c, args)
}

// carry is the one place through which every wish goes: may this person do
// this (deny by default), then do it, then write down who did what.
func (r *Router) carry(ctx context.Context, q Request, c *Command, args []string) (Reply, error) {
	began := time.Now()
	account := q.Person.ID
	q.Person = r.rights.Who(q.Person)
	q.Reader = ReaderOf(r.rights, q.Person)
	err := r.authorise(ctx, q, c)
	var reply Reply
	if err == nil {
		reply, err = r.run(ctx, q, c, args)
	}
	if err != nil {
		reply, err = r.explain(ctx, q, err)
	}
	if reply.Message != nil && reply.Message.At.IsZero() {
		reply.Message.At = began
	}
	attrs := []any{
		"verb", c.Name, "right", string(c.Right), "person", Line(q.Person.ID, 200), "account", Line(account, 200), "name", Who(q.Person), "chat", q.Chat,
		"incident", q.Incident.String(), "origin", string(q.Origin), "once", Line(q.Once, 200), "took_ms", time.Since(began).Milliseconds(),
	}
	if !c.Text { // what people write in their own words is in the timeline, or was refused
		attrs = append(attrs, "args", Line(strings.Join(args, " "), 500))
	}
	if err != nil {
		r.log.WarnContext(ctx, "command refused", append(attrs, "code", string(incidents.CodeOf(err)), "error", Line(err.Error(), 500))...)
		return reply, err
	}
	r.log.InfoContext(ctx, "command done", attrs...)
	return reply, nil
}

// authorise returns nil only where Rights allows it.
func (r *Router) authorise(ctx context.Context, q Request, c *Command) error {
	if q.Person.ID == "" {
		return incidents.Fail(incidents.Unauthenticated, "error.who", "we do not know who you are")
	}
	where := InGeneral
	if c.Room {
		if q.Incident == 0 {
			return incidents.Fail(incidents.Invalid, "error.which_incident", "which incident?").WithHint("/inc " + c.Name + " INC-42")
		}
		s, err := r.incidents.Load(ctx, q.Incident)
		if err != nil {
			return err
		}
		if s == nil || s.Version == 0 {
			return NoIncident()
		}
		if err := Unseen(r.rights, q.Person, s); err != nil {
			return err
		}
		where = Of(s.Scope())
	}
	return r.rights.May(q.Person, c.Right, where)
}

// run runs the command; a panic in it is an error like any other.
func (r *Router) run(ctx context.Context, q Request, c *Command, args []string) (reply Reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("command %s panicked: %v\n%s", c.Name, p, debug.Stack())
		}
	}()
	return c.Run(ctx, q, args)
}

func randomReference() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b[:])
}
