package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// Limiter is the pace of what is asked of Discord. Replicas share which windows
// are closed, not how many requests are left.
type Limiter interface {
	Wait(ctx context.Context, class, key string, lane limit.Lane) error
	Close(ctx context.Context, class, key string, d time.Duration)
}

// Client asks things of Discord's API. It sends each request once: the library
// would send one again after a 502 (a second message) and sleep through a 429
// with its locks held, so requests are made here, and the library keeps the
// gateway and its vocabulary.
type Client struct {
	base  string
	token string
	http  *http.Client
	pace  Limiter
	spent budget
	now   func() time.Time

	mu   sync.Mutex
	self string // the bot's user id
}

// The address of Discord's API; what it answers follows this version.
const apiURL = "https://discord.com/api/v10"

// ClientOptions is what a Client needs.
type ClientOptions struct {
	Config    Config
	Pace      Limiter
	Transport http.RoundTripper // nil: the default one
	Now       func() time.Time
}

// NewClient makes one.
func NewClient(o ClientOptions) *Client {
	base := strings.TrimRight(o.Config.URL, "/")
	if base == "" {
		base = apiURL
	}
	return &Client{base: base, token: o.Config.Token, pace: o.Pace, now: o.Now, spent: budget{now: o.Now}, http: &http.Client{
		Transport: o.Transport, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // never with the token
	}}
}

// ask is one request.
type ask struct {
	method, path string
	body         any
	files        []file
	class, key   string // whose pace it keeps
	lane         limit.Lane
	bare         bool // without the bot's token: the address has one of its own
	soon         bool // rather come again than wait for a turn: see soon
}

// soon is how long making a room waits for its turn before it is given back: in
// a storm the slots of the worker are for the rooms that there are.
const soon = 250 * time.Millisecond

// turn waits for a's turn.
func (c *Client) turn(ctx context.Context, a ask) error {
	if a.soon {
		waiting, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		ctx = waiting
	}
	return c.pace.Wait(ctx, a.class, a.key, a.lane)
}

// file is an attachment.
type file struct {
	Name, Content, Kind string
}

// do sends it and reads the answer into out, which may be nil.
func (c *Client) do(ctx context.Context, a ask, out any) error {
	if wait := c.spent.closed(); wait > 0 {
		return tooManyRefusals(wait)
	}
	if err := c.turn(ctx, a); err != nil {
		return err
	}
	req, err := c.request(ctx, a)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name(), hide(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	c.heed(ctx, a, resp)
	if resp.StatusCode >= 300 {
		return c.refused(ctx, a, resp, body)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%s: read the answer: %w", a.name(), err)
	case len(body) > maxAnswer:
		return fmt.Errorf("%s: the answer has more than %d bytes", a.name(), maxAnswer)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s: the answer is not what it should be: %w", a.name(), err)
	}
	return nil
}

// name is the request for logs; an interaction's token is a secret.
func (a ask) name() string {
	path := a.path
	if a.bare {
		path = strings.Join(strings.SplitN(path, "/", 4)[:3], "/") + "/…"
	}
	return a.method + " " + path
}

// hide takes the address out of an error of net/http: it may hold a token.
func hide(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		return inner
	}
	return err
}

func (c *Client) request(ctx context.Context, a ask) (*http.Request, error) {
	var body io.Reader
	kind := "application/json"
	if a.body != nil {
		b, err := json.Marshal(a.body)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", a.name(), err)
		}
		if body = bytes.NewReader(b); len(a.files) > 0 {
			if body, kind, err = withFiles(b, a.files); err != nil {
				return nil, fmt.Errorf("encode %s: %w", a.name(), err)
			}
		}
	}
	req, err := http.NewRequestWithContext(ctx, a.method, c.base+a.path, body)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", a.name(), hide(err))
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if !a.bare {
		req.Header.Set("Authorization", "Bot "+c.token)
	}
	req.Header.Set("User-Agent", "DiscordBot (https://github.com/hikeshi-ops/hikeshi, 1)")
	return req, nil
}

// withFiles is a form of the JSON and the files.
// https://docs.discord.com/developers/reference#uploading-files
func withFiles(payload []byte, files []file) (io.Reader, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(name, filename, kind string, content []byte) error {
		h := textproto.MIMEHeader{}
		disposition := `form-data; name="` + name + `"`
		if filename != "" {
			disposition += `; filename="` + filename + `"`
		}
		h.Set("Content-Disposition", disposition)
		h.Set("Content-Type", kind)
		p, err := w.CreatePart(h)
		if err == nil {
			_, err = p.Write(content)
		}
		return err
	}
	if err := part("payload_json", "", "application/json", payload); err != nil {
		return nil, "", err
	}
	for i, f := range files {
		if err := part(fmt.Sprintf("files[%d]", i), f.Name, f.Kind, []byte(f.Content)); err != nil {
			return nil, "", err
		}
	}
	return &b, w.FormDataContentType(), w.Close()
}

// Self is the bot's own user id, asked for once.
func (c *Client) Self(ctx context.Context) (string, error) {
	c.mu.Lock()
	id := c.self
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	var me discordgo.User
	if err := c.do(ctx, ask{method: http.MethodGet, path: "/users/@me", class: classRead, key: "me", lane: laneFirst}, &me); err != nil {
		return "", err
	}
	if !isID(me.ID) {
		return "", errors.New("discord did not say who the bot is")
	}
	c.mu.Lock()
	c.self = me.ID
	c.mu.Unlock()
	return me.ID, nil
}
