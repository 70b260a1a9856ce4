package remote_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

// Events is the log that postmortems are written from.
func (g *game) Events(_ context.Context, _ incidents.ID, after int64, most int) ([]incidents.Event, error) {
	left := g.log[after:]
	return left[:min(most, len(left))], nil
}

func (g *game) must(cmds ...incidents.Command) {
	g.t.Helper()
	for _, cmd := range cmds {
		if err := g.do(cmd); err != nil {
			g.t.Fatal(err)
		}
	}
}

// newClosed is an incident that is over.
func newClosed(t *testing.T, sys system) *game {
	g := newGame(t, sys, 1)
	g.syncer.Log, g.syncer.Links = g, bot.Links{Base: "https://hikeshi.example.com"}
	g.syncer.Clean = func(s string) string { return strings.ReplaceAll(s, "s3_cret_s3cret", "•••") }
	by := incidents.Actor{ID: "slack:T1/U1", Name: "bea"}
	g.must(incidents.Note{By: by, Text: "the password was s3_cret_s3cret"}, incidents.Resolve{By: by})
	g.wait(48 * time.Hour)
	g.must(incidents.Tick{Name: string(incidents.TimerClose)})
	if g.s.Status() != incidents.Closed {
		t.Fatal(g.s.Status())
	}
	return g
}

// told brings the ticket up to date once.
func (g *game) told(k adapter) error {
	g.t.Helper()
	g.syncer.Tracker = k
	ticket, err := g.syncer.Sync(g.t.Context(), g.s, g.log)
	g.must(incidents.TicketSynced{Tracker: g.sys.name, Ticket: ticket})
	return err
}

// life brings the ticket up to date as a worker does, until it works, in a process
// that dies at the plug and then in one that lives.
func (g *game) life(p *plug) (dead bool) {
	g.t.Helper()
	until := func(k adapter) {
		for range 100 {
			if g.told(k) == nil {
				return
			}
			g.wait(time.Minute)
		}
		g.t.Error("it never worked")
	}
	k, err := g.make(pluggedStore{g.store, p}, pluggedWire{g.fake(), p}, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if dead = killed(func() { until(k) }); dead {
		until(g.another(nil))
	}
	return dead
}

// The ticket of a closed incident has its postmortem once, whatever the tracker
// does and wherever the process is killed, and without secrets.
func TestThePostmortemIsAttachedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for _, lie := range []lies.Lie{"", lies.Fail, lies.DoneFail, lies.DoneCut, lies.DoneHTML, lies.SlowDown} {
			for at := len(sys.name)%3 + 1; ; at += 4 { // they share the points
				g := newClosed(t, sys)
				if lie != "" {
					g.fake().Tell(lie, 1, "POST", sys.files, "7")
				}
				dead := g.life(&plug{at: at, after: at%8 > 3})
				g.life(&plug{}) // and once more, for nothing
				files := g.one().files
				if len(files) != 1 {
					t.Fatalf("%s, killed at %d: %d files", lie, at, len(files))
				}
				if text := strings.ReplaceAll(files[0], `\`, ""); !strings.Contains(text, "INC-42") || !strings.Contains(text, "•••") || strings.Contains(text, "s3_cret") {
					t.Fatal(text)
				}
				if !dead || lie != "" { // a lie and a kill are each enough
					break
				}
			}
		}
	})
}

// Where no file is taken, a comment leads to the postmortem.
func TestWhereNoFileIsTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for _, status := range []int{400, 403, 413, 415} {
			g := newClosed(t, sys)
			g.noFiles(status)
			for range 2 {
				g.life(&plug{})
			}
			said, now := 0, g.one()
			for _, c := range now.comments {
				if strings.Contains(c, "postmortem") {
					said++
				}
			}
			if len(now.files) != 0 || said != 1 || g.s.Tickets[sys.name].Problem.Phrase != "" {
				t.Errorf("%d: %d files, said %d times, %+v", status, len(now.files), said, g.s.Tickets[sys.name].Problem)
			}
		}
	})
}
