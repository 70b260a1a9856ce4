package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	jirafake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

// BenchmarkTicketAlertToKey is row 16c of docs/performance.md: the real graph
// with a Jira that answers at once, and the rates that Hikeshi keeps to there.
// It sends an alert, looks when the card of its incident in Slack has the key of
// its ticket, and goes on with the next, four a second at most.
//
//	go test . -run '^$' -bench '^BenchmarkTicket' -benchtime 50x
func BenchmarkTicketAlertToKey(b *testing.B) {
	for _, flavour := range []string{jirafake.Cloud, jirafake.DataCenter} {
		b.Run(flavour, func(b *testing.B) {
			jira := jirafake.New(flavour, time.Now)
			srv := httptest.NewServer(jira)
			b.Cleanup(func() { jira.Close(); srv.Close() })
			w := serveThere(b, true, unstormed, func(c *config.Config) {
				c.Trackers = []config.Tracker{{
					Name: "jira", Kind: config.KindJira, Flavour: flavour, URL: srv.URL, User: map[string]string{jirafake.Cloud: jirafake.Mail}[flavour],
					Token: jirafake.Token, Project: jirafake.Project, Type: jirafake.Type,
				}}
			})
			took := make([]time.Duration, 0, b.N)
			pace, look := time.NewTicker(250*time.Millisecond), time.NewTicker(2*time.Millisecond)
			defer pace.Stop()
			defer look.Stop()
			for i := range b.N {
				<-pace.C
				sent := time.Now()
				w.alert(fmt.Sprintf("s%d", i))
				for id := incidents.ID(i + 1); !strings.Contains(w.inSlack(id, "card"), jirafake.Project+"-"); <-look.C {
					if time.Since(sent) > 20*time.Second {
						b.Fatalf("%s never had its key on the card: %+v", id, w.state(id).Tickets)
					}
				}
				took = append(took, time.Since(sent))
			}
			tell(b, took)
		})
	}
}
