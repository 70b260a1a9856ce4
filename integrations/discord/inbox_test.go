package discord

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// desk writes down what it is asked, and answers what it is told to.
type desk struct {
	mu    sync.Mutex
	asked []string
	once  map[string]int
	reply bot.Reply
	hold  chan struct{} // answers when it is closed
	heard *incidents.Incident
}

func (d *desk) note(format string, args ...any) (bot.Reply, error) {
	if d.hold != nil {
		<-d.hold
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, fmt.Sprintf(format, args...))
	if strings.Contains(d.asked[len(d.asked)-1], "boom") {
		panic("boom")
	}
	return d.reply, nil
}

func (d *desk) Handle(_ context.Context, q bot.Request) (bot.Reply, error) {
	return d.note("%s %s handle %s %s %s", q.Person.ID, q.Person.Name, q.Incident, q.Lang, q.Line)
}

func (d *desk) Press(_ context.Context, q bot.Request, id string) (bot.Reply, error) {
	d.mu.Lock()
	if d.once == nil {
		d.once = map[string]int{}
	}
	d.once[q.Once]++
	d.mu.Unlock()
	return d.note("%s press %s %s", q.Person.ID, q.Incident, id)
}

func (d *desk) React(_ context.Context, q bot.Request, r bot.Reaction) (bot.Reply, error) {
	said := ""
	if r.Said != nil {
		said = r.Said.By.ID + " " + r.Said.Text
	}
	return d.note("%s react %s %q %s %v %s", q.Person.ID, q.Incident, r.Key, r.Emoji, r.Taken, said)
}

// Said tells an incident, which may refuse it.
func (d *desk) Said(_ context.Context, id incidents.ID, s incidents.Said) error {
	d.mu.Lock()
	if d.heard == nil {
		d.heard = incident(id, "x")
	}
	_, _, err := incidents.Advance(d.heard, s, time.Now(), incidents.Policy{})
	d.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = d.note("%s said %s %s edited=%v deleted=%v", s.By.ID, id, s.Text, s.Edited, s.Deleted)
	return err
}

func (d *desk) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.asked, "\n")
}

// loader has one incident.
type loader struct{ s *incidents.Incident }

func (l loader) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return l.s, nil }

var (
	bea     = fake.Person{ID: "400000000000000001", Name: "bea", Roles: []string{fake.Role}}
	beaID   = "discord:" + fake.Guild + "/" + bea.ID
	replied = bot.Reply{Private: true, Message: &bot.Message{Kind: bot.KindReply, Title: "done, <@1>"}}
)

type inbox struct {
	*house
	*Inbox
	desk *desk
	room incidents.Room
	url  string
}

func newInbox(t *testing.T, change ...func(*Config)) *inbox {
	h := newHouse(t, append([]func(*Config){func(c *Config) { c.Via = ViaHTTP }}, change...)...)
	s := incident(42, "HighErrorRate")
	room := h.open(s)
	s.Suggestions = []incidents.Suggestion{{Rank: 1, Action: "restart", Title: incidents.Text{EN: "Restart the shop"}}}
	s.Rooms = map[string]incidents.Room{Chat: {ID: room.ID, Posted: map[string]incidents.Posted{}}}
	x := &inbox{house: h, desk: &desk{reply: replied}, room: room}
	x.Inbox = NewInbox(InboxOptions{
		Config: h.config, Client: h.client, Desk: x.desk, Talk: x.desk, Rooms: h.rooms, Incidents: loader{s},
		Commands: commands.All(commands.Deps{}), Links: bot.Links{Base: base}, Logger: h.poster.log, Now: time.Now,
	})
	x.Inbox.prompt = time.Minute // whatever else this machine does
	server := httptest.NewServer(x.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(x.Inbox.works.end) // nothing goes on trying after the test
	x.url = server.URL
	return x
}

func (x *inbox) deliver(i *fake.Interaction) map[string]any {
	x.t.Helper()
	if err := x.Deliver(x.t.Context(), x.url, i); err != nil {
		x.t.Fatal(err)
	}
	first := x.First(i)
	if first == nil {
		x.t.Fatalf("no answer: %d %s", i.Status, i.Said)
	}
	return first
}

func TestWhatPeopleTypeAndPress(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	for _, c := range []struct {
		i    *fake.Interaction
		want string
	}{
		{x.Command(bea, x.room.ID, []string{"severity"}, map[string]any{"severity": "SEV2"}), "bea handle INC-42 en severity SEV2"},
		{x.Command(bea, x.room.ID, []string{"vote"}, map[string]any{"vote": "up", "action": "1", "reason": "it is"}), "bea handle INC-42 en vote 1 up it is"},
		{x.Command(bea, "500000000000000009", []string{"ack"}, map[string]any{"incident": "INC-7"}), "bea handle INC-0 en INC-7 ack"},
		{x.Command(bea, "500000000000000009", []string{"declare"}, map[string]any{"title": "all is lost", "severity": "SEV1"}), "bea handle INC-0 en declare SEV1 all is lost"},
		{x.Command(bea, x.room.ID, []string{spare, "why"}, map[string]any{"action": "1"}), "bea handle INC-42 en why 1"},
		{x.Submit(bea, x.room.ID, "form.note.", map[string]string{"text": "two\nlines"}), "bea handle INC-42 en note two\nlines"},
		{x.Submit(bea, x.room.ID, "form.run.inc-9", map[string]string{"action": "restart", "parameters": "a=1\nb=2"}), "bea handle INC-42 en inc-9 run restart a=1 b=2"},
		{x.Press(bea, x.room.ID, "1", "h1.16.ack.."), "press INC-42 h1.16.ack.."},
		{x.Press(bea, x.room.ID, "1", menuID, "h1.16.why.x."), "press INC-42 h1.16.why.x."},
		{x.Press(bea, "500000000000000009", "1", "h1.16.ack.."), "press INC-0 h1.16.ack.."},
	} {
		first := x.deliver(c.i)
		if got := x.desk.all(); !strings.HasSuffix(got, c.want) || !strings.Contains(got, beaID+" ") {
			t.Errorf("%q, want %q", got, c.want)
		}
		if got := fmt.Sprint(first["type"], first["data"].(map[string]any)["flags"]); got != "464" {
			t.Errorf("%s answered %s", c.want, got)
		}
	}
	ja := bea
	ja.Lang = "ja"
	x.deliver(x.Command(ja, x.room.ID, []string{"ack"}, nil))
	if got := x.desk.all(); !strings.HasSuffix(got, "ja ack") {
		t.Error(got)
	}
}

func TestFormsAskForWhatIsMissing(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	for _, verb := range []string{"declare", "note", "run"} {
		first := x.deliver(x.Command(bea, x.room.ID, []string{verb}, nil))
		if fmt.Sprint(first["type"]) != "9" || !strings.HasPrefix(fmt.Sprint(first["data"].(map[string]any)["custom_id"]), "form."+verb) {
			t.Errorf("%s: %v", verb, first)
		}
	}
	if x.desk.all() != "" {
		t.Error(x.desk.all())
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	for _, c := range []struct{ verb, option, begun, want string }{{"approve", "action", "rest", "1 · Restart the shop"}, {"approve", "action", "flush", "[]"}, {"help", "verb", "se", "severity"}} {
		first := x.deliver(x.Complete(bea, x.room.ID, []string{c.verb}, map[string]any{c.option: c.begun}, c.option))
		if got := fmt.Sprint(first["data"].(map[string]any)["choices"]); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.want, got)
		}
	}
}

// Whom a customer invites is heard; what they may do is asked elsewhere.
func TestGuestsAreHeard(t *testing.T) {
	t.Parallel()
	x := newInbox(t, func(c *Config) {
		c.Roles, c.Customers = []string{"300000000000000007"}, map[string][]string{"acme": {fake.Role}, "globex": {"user:400000000000000009"}}
	})
	for _, who := range []fake.Person{bea, {ID: "400000000000000009", Name: "gus"}} {
		x.deliver(x.Command(who, x.room.ID, []string{"ack"}, nil))
	}
	if got := x.desk.all(); strings.Count(got, "ack") != 2 {
		t.Errorf("heard %s", got)
	}
}

// Strangers are told why they are not heard, and nothing happens.
func TestStrangersAreNotHeard(t *testing.T) {
	t.Parallel()
	x := newInbox(t, func(c *Config) { c.Roles = []string{fake.Role} })
	for want, who := range map[string]fake.Person{
		"roles":   {ID: bea.ID, Name: "bea"},
		"bots":    {ID: bea.ID, Name: "bea", Roles: []string{fake.Role}, Bot: true},
		"rules":   {ID: bea.ID, Name: "bea", Roles: []string{fake.Role}, Pending: true},
		"not the": {ID: bea.ID, Name: "bea", Roles: []string{fake.Role}, Guild: "200000000000000002"},
	} {
		for _, i := range []*fake.Interaction{x.Press(who, x.room.ID, "1", "h1.16.ack.."), x.Command(who, x.room.ID, []string{"ack"}, nil)} {
			data := x.deliver(i)["data"].(map[string]any)
			if !strings.Contains(fmt.Sprint(data["content"]), want) || fmt.Sprint(data["flags"]) != "64" {
				t.Errorf("%s: %v", want, data)
			}
		}
	}
	if x.desk.all() != "" {
		t.Error(x.desk.all())
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	now := time.Now()
	i := x.Press(bea, x.room.ID, "1", "h1.16.ack..")
	good, sig := x.Sign(now, i.Body)
	old, oldSig := x.Sign(now.Add(-freshness-2*time.Second), i.Body)
	early, earlySig := x.Sign(now.Add(freshness+2*time.Second), i.Body)
	_, otherSig := x.Sign(now, []byte("{}"))
	for name, c := range map[string][2]string{
		"none": {"", ""}, "garbage": {good, "zz"}, "zeros": {good, strings.Repeat("0", 128)}, "of another body": {good, otherSig},
		"too old": {old, oldSig}, "too early": {early, earlySig}, "another time": {old, sig}, "a time in words": {"now", sig}, "a longer time": {"+" + good, sig},
	} {
		if err := x.DeliverSigned(t.Context(), x.url, i, c[0], c[1]); err != nil || i.Status != http.StatusUnauthorized {
			t.Errorf("%s: %v %d", name, err, i.Status)
		}
	}
	if x.desk.all() != "" {
		t.Error(x.desk.all())
	}
	if err := x.DeliverSigned(t.Context(), x.url, i, good, sig); err != nil || i.Status != http.StatusOK {
		t.Fatalf("%v %d", err, i.Status)
	}
	for _, again := range []string{sig, strings.ToUpper(sig)} {
		if err := x.DeliverSigned(t.Context(), x.url, i, good, again); err != nil || i.Status != http.StatusUnauthorized {
			t.Errorf("a replay: %v %d", err, i.Status)
		}
	}
	if n := strings.Count(x.desk.all(), "press"); n != 1 {
		t.Errorf("pressed %d times", n)
	}
	large := &fake.Interaction{Body: make([]byte, maxBody+1)}
	if err := x.DeliverSigned(t.Context(), x.url, large, good, sig); err != nil || large.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("%v %d", err, large.Status)
	}
}

// What takes long is promised in time, and the promise is kept.
func TestWhatTakesLongIsPromised(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	x.desk.hold, x.Inbox.prompt = make(chan struct{}), 50*time.Millisecond
	i := x.Command(bea, x.room.ID, []string{"status"}, nil)
	if first := x.deliver(i); fmt.Sprint(first["type"]) != "5" {
		t.Fatalf("%v", first)
	}
	x.Lies(fake.Fail, 1, "PATCH", "@original", nil)
	close(x.desk.hold)
	x.Inbox.Wait()
	if more := x.More(i); len(more) != 1 || !strings.Contains(fmt.Sprint(more[0]["embeds"]), "done") {
		t.Errorf("%v", more)
	}
}

// The same interaction over and over, over two replicas: every one of them has
// the same Once, by which the core does it once.
func TestAHundredDeliveriesAreOneWish(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	other := NewInbox(InboxOptions{Config: x.config(), Client: x.client, Desk: x.desk, Talk: x.desk, Rooms: x.rooms, Incidents: x.Incidents, Links: x.Links, Logger: x.poster.log, Now: time.Now})
	t.Cleanup(other.works.end)
	second := httptest.NewServer(other.Handler())
	defer second.Close()
	i := x.Press(bea, x.room.ID, "1", "h1.16.ack..")
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			to := []string{x.url, second.URL}[n%2]
			again := &fake.Interaction{Body: i.Body}
			ts, sig := x.Sign(time.Now().Add(time.Duration(n)*time.Second), i.Body)
			_ = x.DeliverSigned(t.Context(), to, again, ts, sig)
		})
	}
	all.Wait()
	x.desk.mu.Lock()
	defer x.desk.mu.Unlock()
	if len(x.desk.once) != 1 || x.desk.once[Chat+":"+i.ID] == 0 {
		t.Errorf("%v", x.desk.once)
	}
}

func (x *inbox) config() Config { return x.Inbox.config }

func TestCommandsAreWrittenOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.client.pace = free{} // nobody writes commands as often as this
	all := commands.All(commands.Deps{})
	for i := range 2 {
		wrote, err := Register(t.Context(), h.client, h.config, all)
		if err != nil || wrote != (i == 0) {
			t.Errorf("%v %v", wrote, err)
		}
	}
	if _, err := Register(t.Context(), h.client, h.config, all[1:]); err != nil || h.Puts() != 2 {
		t.Errorf("%v, written %d times", err, h.Puts())
	}
	for range 60 - len(all) {
		all = append(all, bot.Command{Name: fmt.Sprintf("z%d", len(all)), Help: "help.ack", Usage: "z text"})
	}
	if _, err := Register(t.Context(), h.client, h.config, all[:45]); err != nil {
		t.Error(err)
	}
}
