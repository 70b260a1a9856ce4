package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// Directory says which incident a channel belongs to.
type Directory interface {
	Put(ctx context.Context, channel string, id incidents.ID) error
	Incident(ctx context.Context, channel string) (incidents.ID, bool, error)
}

// Incidents are read for the Home tab, and for what a message in a room is.
type Incidents interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
}

// Options is what a Chat needs.
type Options struct {
	Config    Config
	Limits    Limiter // see Rates
	Directory Directory
	Incidents Incidents
	Rights    bot.Rights    // for the Home tab, which nobody asked a command for
	Pictures  chat.Pictures // nil: messages have links to their pictures
	Tally     *chat.Tally   // nil: nobody reads it
	Links     bot.Links
	Now       func() time.Time
	Logger    *slog.Logger
	Transport http.RoundTripper // nil: the ordinary one
}

// Chat is Slack: outwards the bot.Poster of its rooms, inwards an http.Handler
// or the sockets that Run keeps open.
type Chat struct {
	*client
	config    Config
	directory Directory
	incidents Incidents
	rights    bot.Rights
	links     bot.Links
	memory    memory
	replays   replays
	people    people
	groups    groups
	pictured  pictured
	gallery   chat.Gallery
	tally     *chat.Tally

	desk chat.Desk
	talk chat.Talk

	patience time.Duration // ackTime

	furnish chan furnishing
	picture chan picturing
	works   chan struct{} // a place for each work under way
}

var _ bot.Poster = (*Chat)(nil)

// maxWorks is how much that came in may be under way at once; beyond it Slack is
// told to come again.
const maxWorks = 64

// New makes a Chat that can post. Connect gives it whom to pass on to what
// people say.
func New(o Options) (*Chat, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Limits == nil || o.Directory == nil || o.Incidents == nil || o.Rights == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("slack needs limits, a directory, incidents, rights, a logger and a clock")
	}
	if o.Tally == nil {
		o.Tally = chat.NewTally(Name)
	}
	return &Chat{
		client: newClient(o.Config, o.Limits, o.Transport, o.Now, o.Logger), config: o.Config, directory: o.Directory,
		patience: ackTime, incidents: o.Incidents, rights: o.Rights, links: o.Links,
		gallery: chat.Gallery{Pictures: o.Pictures, Tally: o.Tally, Log: o.Logger}, tally: o.Tally,
		furnish: make(chan furnishing, maxFurnish), picture: make(chan picturing, maxPicturing), works: make(chan struct{}, maxWorks),
	}, nil
}

// Connect says where people's wishes and words go. It is called once, before
// anything comes in; the router needs the rooms' links, and they need a Chat.
func (c *Chat) Connect(desk chat.Desk, talk chat.Talk) { c.desk, c.talk = desk, talk }

// Run furnishes new rooms, puts pictures into them and, where that is configured, keeps the sockets
// open, until ctx ends. Then it waits for what is under way.
func (c *Chat) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { c.furnishRooms(ctx) })
	parts.Go(func() { c.pictureMessages(ctx) })
	if c.config.Sockets() {
		for range sockets {
			parts.Go(func() { c.keepSocket(ctx) })
		}
	}
	parts.Wait()
	end := time.After(drainTime)
	for range maxWorks { // with all places taken, nothing is under way any more
		select {
		case c.works <- struct{}{}:
		case <-end:
			return
		}
	}
}

// drainTime bounds the wait for what is under way at the end.
const drainTime = 10 * time.Second
