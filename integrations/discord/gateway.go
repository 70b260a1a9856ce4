package discord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/gorilla/websocket"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// How long the gateway may be silent: it acknowledges our heartbeats, which it
// wants every 41 seconds or so. The library waits for five of them, and forever
// while it connects.
const silence = 75 * time.Second

// maxPause bounds the pause before the gateway is tried again.
const maxPause = 5 * time.Second

// Run keeps a connection to the gateway until ctx ends. It returns before only
// where trying again cannot help: the token, or an intent, is refused.
func (in *Inbox) Run(ctx context.Context) error {
	defer func() {
		if ctx.Err() != nil { // else it is run again
			in.Wait()
		}
	}()
	hearing, deaf := context.WithCancel(ctx)
	ears := in.listen(hearing)
	defer func() { deaf(); ears.stop() }()
	s, lost, err := in.session(ears)
	if err != nil {
		return err
	}
	defer s.Close()
	for pause := time.Second; ; {
		err := s.Open()
		if err == nil {
			pause = time.Second
			select {
			case <-ctx.Done():
				return nil
			case <-lost:
				in.log.InfoContext(ctx, "the gateway hung up")
			}
		} else if fatal := hopeless(err); fatal != nil {
			return fatal
		} else {
			in.log.WarnContext(ctx, "the gateway could not be reached", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, maxPause)
	}
}

// session is the library's connection with its own ways switched off: it does
// not reconnect, retry, wait or remember by itself.
func (in *Inbox) session(ears *ears) (*discordgo.Session, <-chan struct{}, error) {
	s, err := discordgo.New("Bot " + in.config.Token)
	if err != nil {
		return nil, nil, fmt.Errorf("set up the gateway: %w", err)
	}
	s.ShouldReconnectOnError, s.ShouldRetryOnRateLimit, s.MaxRestRetries = false, false, 0
	s.StateEnabled, s.SyncEvents, s.LogLevel = false, true, -1
	s.Client = &http.Client{Timeout: callTimeout, Transport: elsewhere{in.config.URL, in.Client.http.Transport}}
	s.Identify.Intents = intents(in.config)
	dial := &net.Dialer{Timeout: callTimeout}
	s.Dialer = &websocket.Dialer{HandshakeTimeout: callTimeout, Proxy: http.ProxyFromEnvironment, NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial.DialContext(ctx, network, addr)
		return impatient{c}, err
	}}
	lost := make(chan struct{}, 1)
	s.AddHandler(func(*discordgo.Session, *discordgo.Disconnect) {
		select {
		case lost <- struct{}{}:
		default:
		}
	})
	s.AddHandler(func(_ *discordgo.Session, e *discordgo.Event) {
		if e.Operation == 0 {
			ears.hear(e.Type, e.RawData)
		}
	})
	return s, lost, nil
}

// intents are the kinds of events that are wanted.
// https://docs.discord.com/developers/events/gateway#gateway-intents
func intents(c Config) discordgo.Intent {
	want := discordgo.IntentGuilds | discordgo.IntentGuildMessages | discordgo.IntentGuildMessageReactions
	if c.Messages {
		want |= discordgo.IntentMessageContent
	}
	return want
}

// hopeless is what people must do something about; nil where time may help.
// https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
func hopeless(err error) error {
	revoked := incidents.Fail(incidents.Unavailable, "error.discord_revoked", "discord does not accept the bot's token").WithHint("hikeshi discord doctor")
	if r, ok := errors.AsType[*discordgo.RESTError](err); ok && r.Response.StatusCode == http.StatusUnauthorized {
		return revoked
	}
	shut, ok := errors.AsType[*websocket.CloseError](err)
	if !ok {
		return nil
	}
	switch shut.Code {
	case 4004:
		return revoked
	case 4013, 4014:
		return incidents.Fail(incidents.Forbidden, "error.discord_intents", "discord does not let the bot read messages: switch on the message content intent in the developer portal").WithHint("hikeshi discord doctor")
	}
	return nil
}

// impatient is a connection that ends where nothing comes for too long.
type impatient struct{ net.Conn }

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// elsewhere sends what the library asks of Discord to another address: its
// own are constants.
type elsewhere struct {
	base string
	next http.RoundTripper
}

// RoundTrip sends one request.
func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	next := e.next
	if next == nil {
		next = http.DefaultTransport
	}
	if e.base == "" {
		return next.RoundTrip(r)
	}
	to, err := url.Parse(strings.TrimRight(e.base, "/") + strings.TrimPrefix(r.URL.Path, "/api/v"+discordgo.APIVersion))
	if err != nil {
		return nil, fmt.Errorf("discord's address: %w", err)
	}
	to.RawQuery = r.URL.RawQuery
	out := r.Clone(r.Context())
	out.URL, out.Host = to, to.Host
	return next.RoundTrip(out)
}

// heard is one event.
type heard struct {
	kind string
	raw  json.RawMessage
}

// ears take events off the socket at once: those of people's talk are dealt
// with in their order, interactions beside one another.
type ears struct {
	in    *Inbox
	ctx   context.Context // ends with Run, whose it is
	talk  chan heard
	ended chan struct{}
}

// maxHeard is how much may wait.
const maxHeard = 1000

func (in *Inbox) listen(ctx context.Context) *ears {
	e := &ears{in: in, ctx: ctx, talk: make(chan heard, maxHeard), ended: make(chan struct{})}
	go func() {
		defer close(e.ended)
		for {
			select {
			case <-ctx.Done():
				return
			case h := <-e.talk:
				in.overheard(ctx, h)
			}
		}
	}()
	return e
}

func (e *ears) stop() { <-e.ended }

func (e *ears) hear(kind string, raw json.RawMessage) {
	h := heard{kind, append(json.RawMessage(nil), raw...)}
	switch kind {
	case "INTERACTION_CREATE":
		if !e.in.works.take(e.in.works.heard) {
			e.in.Tally.Dropped.Add(1)
			e.in.log.Warn("an interaction was dropped: too many at once", "max", maxAnswers)
			return
		}
		go func() { defer func() { <-e.in.works.heard }(); e.in.offered(e.ctx, h.raw) }()
	case "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK", "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE":
		select {
		case e.talk <- h:
		default:
			e.in.Tally.Dropped.Add(1)
			e.in.log.Warn("an event of a room was dropped: too many wait", "kind", kind, "max", maxHeard)
		}
	}
}

// offered carries out an interaction that came by the gateway. Every replica
// hears of it: the first to answer has answered.
func (in *Inbox) offered(ctx context.Context, raw json.RawMessage) {
	var i interaction
	defer func() {
		if p := recover(); p != nil {
			in.panicked(ctx, "an interaction", i.ID, p)
		}
	}()
	if err := json.Unmarshal(raw, &i); err != nil {
		in.log.WarnContext(ctx, "an interaction could not be read", "error", err)
		return
	}
	out := in.Take(ctx, &i)
	ctx, cancel := in.lasting(ctx)
	defer cancel()
	err := in.Client.do(ctx, ask{
		method: http.MethodPost, path: "/interactions/" + i.ID + "/" + i.Token + "/callback", body: out, class: classAnswer, key: i.ID, lane: laneFirst, bare: true,
	}, nil)
	if err != nil && codeOf(err) != codeInteractionDone {
		in.log.WarnContext(ctx, "an interaction could not be answered", "interaction", i.ID, "error", err)
	}
}
