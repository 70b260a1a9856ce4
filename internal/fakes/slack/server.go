// Package slack is a strict Slack for tests, written from Slack's reference:
// what the reference does not allow, and every mention that untrusted text could
// have made, is answered with an error and noted as a problem of the test. It
// keeps Slack's limits, and it can lie: see [Lie].
//
// Start with [New]; [Server.Command], [Server.Press] and [Server.Event] are
// people, and [Server.Rooms] is what they see.
package slack

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// What a test's app is called here.
const (
	Team     = "T0HIKESHI"
	App      = "A0HIKESHI"
	BotUser  = "U0BOT"
	Token    = "xoxb-token-for-tests"
	AppToken = "xapp-token-for-tests"
	Secret   = "signing-secret-for-tests"
)

// User is somebody.
type User struct {
	ID, Team, Name, Locale        string
	Bot, Guest, Deleted, Stranger bool
}

// Message is one that stands in a room.
type Message struct {
	TS, User, Text, Blocks, Key, Thread string
	File, Title, Alt                    string // of a file, whose content is Text
	Bot                                 bool
	Edits                               int
	At                                  time.Time
	metadata                            string
}

// Room is a channel.
type Room struct {
	ID, Name, Creator, Topic, Purpose string
	Private, Archived                 bool
	Created                           time.Time
	Members, Pins                     []string
	Bookmarks                         []string // their links
	Messages                          []Message
}

// Options is what a Server is.
type Options struct {
	Tiers  bool     // keep Slack's rates
	Scopes []string // that the token has; nil: all that are needed
	Now    func() time.Time
	// Patience is how long Slack waits for an acknowledgement, and a trigger for
	// its modal; 0: three seconds.
	Patience time.Duration
	App      string // where the app takes what is sent over HTTP
	Others   bool   // another client than ours calls: what only we promise is not asked of it
}

// Server is one Slack with one workspace.
type Server struct {
	URL string // of the methods, with a slash at its end
	t   testing.TB
	o   Options

	mu        sync.Mutex
	users     map[string]User
	groups    map[string][]string
	rooms     []*Room
	lies      map[string][]Lie
	calls     map[string][]time.Time // by method, and by method and channel
	count     map[string]int
	ephemeral []Ephemeral
	views     []View
	homes     map[string]View
	triggers  map[string]time.Time
	uploads   map[string]*upload
	sockets   []*socket
	acks      map[string]chan string
	clock     int64
	serial    int
	revoked   bool
	down      bool
	slow      time.Duration
	done      chan struct{}
	upgrader  websocket.Upgrader
}

// New starts one for the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience == 0 {
		o.Patience = 3 * time.Second
	}
	s := &Server{t: t, o: o, users: map[string]User{BotUser: {ID: BotUser, Team: Team, Name: "hikeshi", Bot: true}}, groups: map[string][]string{},
		lies: map[string][]Lie{}, calls: map[string][]time.Time{}, count: map[string]int{}, homes: map[string]View{}, triggers: map[string]time.Time{},
		uploads: map[string]*upload{}, acks: map[string]chan string{}, done: make(chan struct{}),
		upgrader: websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}} // clients say https://api.slack.com
	server := httptest.NewServer(s.handler())
	s.URL = server.URL + "/api/"
	t.Cleanup(func() {
		close(s.done)
		s.DropSockets()
		server.CloseClientConnections()
		server.Close()
	})
	return s
}

// At says where the app takes what is sent over HTTP.
func (s *Server) At(app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.App = app
}

// Add makes a member of the workspace, who is in every room.
func (s *Server) Add(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.Team == "" {
		u.Team = Team
	}
	s.users[u.ID] = u
}

// Group makes a user group.
func (s *Server) Group(id string, users ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[id] = users
}

// Rooms are the channels, as they are.
func (s *Server) Rooms() []Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Room
	for _, r := range s.rooms {
		c := *r
		c.Messages, c.Members, c.Pins, c.Bookmarks = slices.Clone(r.Messages), slices.Clone(r.Members), slices.Clone(r.Pins), slices.Clone(r.Bookmarks)
		all = append(all, c)
	}
	return all
}

// MakeRoom makes a channel that somebody else made.
func (s *Server) MakeRoom(name, creator string, created time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addRoom(name, creator, false, created).ID
}

// Archive archives a channel, as a person would.
func (s *Server) Archive(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.room(channel); r != nil {
		r.Archived = true
	}
}

// Revoke takes the tokens back.
func (s *Server) Revoke(revoked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = revoked
}

// Scopes are from now on what the token has; nil: all that are needed.
func (s *Server) Scopes(scopes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Scopes = scopes
}

// Calls is how often each method was called, and under "429" how often too fast.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.count)
}

// Ephemeral is a message that one person saw.
type Ephemeral struct{ Channel, User, Text, Blocks string }

// Ephemerals are those so far.
func (s *Server) Ephemerals() []Ephemeral {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ephemeral)
}

// View is a modal or a Home tab that somebody saw.
type View struct{ ID, User, JSON string }

// Views are the modals that were opened.
func (s *Server) Views() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.views)
}

// Home is somebody's Home tab.
func (s *Server) Home(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.homes[user].JSON
}

func (s *Server) room(id string) *Room {
	for _, r := range s.rooms {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (s *Server) addRoom(name, creator string, private bool, created time.Time) *Room {
	s.serial++
	r := &Room{ID: fmt.Sprintf("C%06d", s.serial), Name: name, Creator: creator, Private: private, Created: created, Members: []string{creator}}
	s.rooms = append(s.rooms, r)
	return r
}

// ts is the next message's id: later than all before it.
func (s *Server) ts() string {
	s.clock = max(s.clock+1, s.o.Now().UnixMicro())
	return strconv.FormatInt(s.clock/1e6, 10) + fmt.Sprintf(".%06d", s.clock%1e6)
}

// wrong is a request that Slack's reference does not allow, or that no app of
// ours may send.
func (s *Server) wrong(method, format string, args ...any) {
	s.t.Errorf("Slack: %s: %s", method, fmt.Sprintf(format, args...))
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.call)
	mux.HandleFunc("POST /upload/{id}", s.sent)
	mux.HandleFunc("POST /respond/{channel}/{user}", s.respond)
	mux.HandleFunc("GET /socket", s.open)
	return s.orDown(mux)
}

// Transport reaches it without a network, as a test with a clock of its own wants.
func (s *Server) Transport() http.RoundTripper { return direct{s.handler()} }

type direct struct{ to http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.to.ServeHTTP(w, r)
	out := w.Result()
	out.Request = r
	return out, nil
}

// Address is where the app takes what is sent over HTTP.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o.App
}
