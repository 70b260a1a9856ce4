package web

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Config is who may use the console.
type Config struct {
	// People and their tokens. None: everybody on this machine, and nobody else.
	People []Person
	// HTTPS says that browsers reach the console by https (a proxy in front ends
	// TLS): the session cookie is then sent by https only.
	HTTPS bool
	// SignInName is what people call the provider of Options.SignIn.
	SignInName string
}

// Person is somebody who may sign in. Two entries with one name are two tokens
// of the same person, so that a token can be changed without a gap.
type Person struct {
	Name  string // immutable: the person's id is "console:" + Name
	Token string // at least MinToken bytes
}

// MinToken is the shortest token that is accepted, in bytes.
const MinToken = 16

// Options are the parts that a Server is made of. All are needed unless noted.
type Options struct {
	Config      Config
	Incidents   Incidents
	Alerts      Alerts
	Rooms       RoomStore
	Router      Router
	Talk        Talk                                                                      // nil: there is no other chat to tell what people say
	Postmortem  func(lang string, s *incidents.Incident, events []incidents.Event) string // as Markdown
	Draw        func(c *incidents.Clue, alert time.Time) ([]byte, error)                  // a chart as PNG; nil: none is shown
	DeadLetters DeadLetters
	Learning    Learning // nil: nothing is learned here
	Outputs     Outputs
	Runbooks    Runbooks // nil: there are none to read
	Manuals     Manuals  // nil: nobody keeps any
	Watch       func() (signals <-chan incidents.Signal, stop func())
	Ready       func(context.Context) Readiness
	SignIn      SignIn           // nil: people have tokens, or nobody signs in
	Rights      Rights           // nil: bot.Open
	Log         *slog.Logger     // nil: slog.Default()
	Now         func() time.Time // nil: time.Now
}

// Server is the console. Its Handler serves; Run feeds the live streams.
type Server struct {
	Options
	mux      *http.ServeMux
	csrf     *http.CrossOriginProtection
	pages    pages
	assets   assets
	sessions *sessions
	attempts *attempts
	hub      *hub
	seal     cipher.AEAD
	busy     chan struct{}
	rhythm   rhythm
	trouble  *trouble
}

// maxBusy bounds the requests that are served at once, streams not counted.
const maxBusy = 256

// Validate says everything that is wrong with the configuration, or nil.
func (c Config) Validate() error {
	var problems []error
	for _, p := range c.People {
		if len(p.Token) < MinToken {
			problems = append(problems, incidents.Fail(incidents.Invalid, "config.person_token",
				fmt.Sprintf("console: the token of %q has %d bytes; at least %d are needed", p.Name, len(p.Token), MinToken),
				"key", "token", "name", p.Name, "n", strconv.Itoa(len(p.Token)), "min", strconv.Itoa(MinToken)).WithHint("openssl rand -hex 32"))
		}
		if name, ok := personName(p.Name); !ok || name != p.Name {
			problems = append(problems, incidents.Fail(incidents.Invalid, "config.person_name",
				fmt.Sprintf("console: %q is no usable name: 1 to %d letters, digits, spaces or . _ -", p.Name, maxName),
				"key", "name", "name", p.Name, "max", strconv.Itoa(maxName)))
		}
	}
	return errors.Join(problems...)
}

// New makes the console. It fails for a token that is too short.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Rights == nil {
		o.Rights = bot.Open{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	embedded, err := load()
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	seal, err := newSeal()
	if err != nil {
		return nil, err
	}
	s := &Server{
		Options: o, mux: http.NewServeMux(), csrf: http.NewCrossOriginProtection(),
		pages: embedded.pages, assets: embedded.assets, sessions: newSessions(), attempts: newAttempts(), hub: newHub(),
		seal: seal, busy: make(chan struct{}, maxBusy), rhythm: usualRhythm,
		trouble: &trouble{ready: o.Ready, every: troubleEvery},
	}
	for _, rt := range routes {
		s.mux.Handle(rt.pattern, s.guard(rt))
	}
	return s, nil
}

// Handler serves the console and its API. It belongs at "/" of the listener.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Run passes the store's signals to the open streams until ctx ends, and then
// ends the streams, so that the listener can shut down. It returns after that.
func (s *Server) Run(ctx context.Context) error {
	signals, stop := s.Watch()
	defer stop()
	defer s.hub.close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case sig, ok := <-signals:
			if !ok {
				return nil
			}
			s.hub.wake(sig)
		}
	}
}

// may asks for a right of the person, about a service or in general.
// Nobody has none.
func (s *Server) may(v *visit, right bot.Right, where bot.Where) error {
	if v.person.ID == "" {
		return incidents.Fail(incidents.Unauthenticated, "web.error.unauthenticated", "this needs a token").
			WithHint("Authorization: Bearer <token>")
	}
	if err := s.Rights.May(v.person, right, where); err != nil {
		return fmt.Errorf("ask for the right %s: %w", right, err)
	}
	return nil
}
