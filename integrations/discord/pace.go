package discord

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// The classes of requests. Discord tells the limits of a route with each answer
// and says not to rely on numbers; these are where one starts from, and what
// the answers say closes a class and key for as long as they say.
const (
	classPost   = "post"   // by channel
	classEdit   = "edit"   // by channel
	classPin    = "pin"    // by channel
	classCreate = "create" // channels, by guild; how many is for the answers to say
	classMove   = "move"   // by channel: two name or topic edits in ten minutes, and we make none of those
	classRead   = "read"   // by what is read
	classSetup  = "setup"  // commands
	classAnswer = "answer" // to interactions, by interaction
)

// Rates are the paces to start from. What is by channel or by interaction is in
// the hands of one replica at a time.
func Rates() map[string]limit.Rate {
	return map[string]limit.Rate{
		limit.AllClasses: {N: 50, Per: time.Second}, // https://docs.discord.com/developers/topics/rate-limits#global-rate-limit
		classPost:        {N: 5, Per: 5 * time.Second, Own: true},
		classEdit:        {N: 5, Per: 5 * time.Second, Own: true},
		classPin:         {N: 5, Per: 5 * time.Second, Own: true},
		classMove:        {N: 2, Per: 10 * time.Minute, Own: true},
		classRead:        {N: 10, Per: time.Second},
		classSetup:       {N: 5, Per: 20 * time.Second},
		classAnswer:      {N: 5, Per: time.Second, Own: true},
	}
}

// heed closes what the answer says is used up.
func (c *Client) heed(ctx context.Context, a ask, resp *http.Response) {
	if resp.StatusCode == http.StatusTooManyRequests || resp.Header.Get("X-RateLimit-Remaining") != "0" {
		return // of a refusal the body knows more
	}
	if d := seconds(resp.Header.Get("X-RateLimit-Reset-After")); d > 0 {
		c.pace.Close(ctx, a.class, a.key, d)
	}
}

// maxWindow is the longest window that is believed: topics close for ten
// minutes, Cloudflare for an hour.
const maxWindow = time.Hour

// seconds reads a number of seconds; 0 where it is none that makes sense.
func seconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return 0
	}
	return time.Duration(math.Min(f, maxWindow.Seconds()) * float64(time.Second))
}

// budget counts the requests that Discord refused as invalid: 10,000 of them in
// ten minutes and it hears nothing from this address for an hour. We stop far
// below that.
// https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans
type budget struct {
	now func() time.Time

	mu      sync.Mutex
	minutes [10]int   // refusals by minute
	latest  time.Time // the minute of the newest
}

const maxRefusals = 900

// spend notes one refusal.
func (b *budget) spend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn()
	b.minutes[b.slot(b.latest)]++
}

func (*budget) slot(t time.Time) int { return int(t.Unix()/60) % 10 }

// turn forgets what is ten minutes old.
func (b *budget) turn() {
	now := b.now().Truncate(time.Minute)
	if now.Sub(b.latest) >= 10*time.Minute {
		b.minutes = [10]int{}
		b.latest = now
	}
	for b.latest.Before(now) {
		b.latest = b.latest.Add(time.Minute)
		b.minutes[b.slot(b.latest)] = 0
	}
}

// Refusals is how many requests Discord refused in the last ten minutes.
func (b *budget) refusals() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn()
	n := 0
	for _, k := range b.minutes {
		n += k
	}
	return n
}

// closed is how long nothing may be asked; 0 where something may.
func (b *budget) closed() time.Duration {
	if b.refusals() < maxRefusals {
		return 0
	}
	return time.Minute
}
