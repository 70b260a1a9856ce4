package jira

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

// closed is an incident that is over, with its log, in a house.
type closed struct {
	*house
	s   *incidents.Incident
	log []incidents.Event
}

func (c *closed) do(cmds ...incidents.Command) {
	c.t.Helper()
	for _, cmd := range cmds {
		events, _, err := incidents.Advance(c.s, cmd, c.clock(), incidents.Policy{})
		if err != nil {
			c.t.Fatal(err)
		}
		c.log = append(c.log, events...)
	}
}

func (c *closed) Events(_ context.Context, _ incidents.ID, after int64, most int) ([]incidents.Event, error) {
	left := c.log[after:]
	return left[:min(most, len(left))], nil
}

func newClosed(t *testing.T, flavour Flavour) *closed {
	c := &closed{house: newHouse(t, flavour), s: &incidents.Incident{}}
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "Down", "service": "shop"}), StartsAt: noon}
	by := incidents.Actor{ID: "slack:T1/U1", Name: "bea"}
	c.do(incidents.Open{ID: 42, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Grouping: incidents.Grouping{Key: incidents.KeyOf("g")}},
		incidents.Note{By: by, Text: "the password was s3_cret_s3cret"}, incidents.Resolve{By: by})
	c.end()
	return c
}

// end lets the time pass in which the incident would be reopened.
func (c *closed) end() {
	c.wait(48 * time.Hour)
	c.do(incidents.Tick{Name: string(incidents.TimerClose)})
	if c.s.Status() != incidents.Closed {
		c.t.Fatal(c.s.Status())
	}
}

// life brings the ticket up to date as a worker does, until it works, in a
// process that dies at the plug and then in one that lives.
func (c *closed) life(p *plug) (dead bool) {
	c.t.Helper()
	sync := func(k *Tracker) {
		for range 100 {
			y := tracker.Syncer{Name: "jira", Tracker: k, Directory: &owners{all: map[string]incidents.ID{}}, Lang: "en", Log: c, Now: c.clock,
				Links: bot.Links{Base: "https://hikeshi.example.com"}, Clean: func(s string) string { return strings.ReplaceAll(s, "s3_cret_s3cret", "•••") }}
			ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
			ticket, err := y.Sync(ctx, c.s, c.log)
			cancel()
			c.do(incidents.TicketSynced{Tracker: "jira", Ticket: ticket})
			if err == nil {
				return
			}
			c.wait(time.Minute)
		}
		c.t.Error("it never worked")
	}
	k := c.another(c.tracker.config.Flavour)
	client, err := newClient(k.config, free{}, pluggedWire{c.jira.Transport(), p}, c.clock)
	if err != nil {
		c.t.Fatal(err)
	}
	k.client = client
	func() {
		defer func() {
			if v := recover(); v != nil {
				if _, dead = v.(died); !dead {
					panic(v)
				}
			}
		}()
		sync(k)
	}()
	if dead {
		sync(c.another(c.tracker.config.Flavour))
	}
	return dead
}

// The ticket of a closed incident has its postmortem once, whatever Jira does
// and wherever the process is killed, and without secrets.
func TestThePostmortemIsAttachedOnce(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		for _, lie := range []fake.Lie{"", fake.Fail, fake.DoneFail, fake.DoneCut, fake.DoneHTML, fake.SlowDown} {
			for at := map[Flavour]int{Cloud: 1, DataCenter: 2}[flavour]; ; at += 2 { // they share the points
				c := newClosed(t, flavour)
				if lie != "" {
					c.jira.Lies(lie, 1, "POST", "OPS-1/attachments", "7")
				}
				dead := c.life(&plug{at: at, after: at%4 > 1})
				c.life(&plug{}) // and once more, for nothing
				files := c.one().Files
				if len(files) != 1 {
					t.Fatalf("%s, killed at %d: %d files", lie, at, len(files))
				}
				if text := string(files[0].Text); !strings.Contains(text, "INC\\-42") && !strings.Contains(text, "INC-42") || !strings.Contains(text, "•••") || strings.Contains(strings.ReplaceAll(text, `\`, ""), "s3_cret") {
					t.Fatalf("%s", text)
				}
				if !dead || lie != "" && at > 1 { // a lie and a kill are each enough
					break
				}
			}
		}
	})
}

// Where no file is taken, a comment leads to the postmortem.
func TestWhereNoFileIsTaken(t *testing.T) {
	t.Parallel()
	for status, flavour := range map[int]Flavour{413: Cloud, 403: DataCenter, 404: DataCenter} {
		c := newClosed(t, flavour)
		c.jira.NoFiles = status
		for range 2 {
			c.life(&plug{})
		}
		i := c.one()
		said := 0
		for _, m := range i.Comments {
			if strings.Contains(m.Body, "incidents/INC") && strings.Contains(m.Body, "postmortem") {
				said++
			}
		}
		if len(i.Files) != 0 || said != 1 || c.s.Tickets["jira"].Problem.Phrase != "" {
			t.Errorf("%d: %d files, said %d times, %+v", status, len(i.Files), said, c.s.Tickets["jira"].Problem)
		}
	}
}
