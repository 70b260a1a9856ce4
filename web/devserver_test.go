package web

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/signal"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestDevServer serves sample incidents for looking at the pages while they
// are made:
//
//	HIKESHI_DEV_LISTEN=127.0.0.1:8099 go test -run TestDevServer -timeout 0 ./web
func TestDevServer(t *testing.T) {
	address := os.Getenv("HIKESHI_DEV_LISTEN")
	if address == "" {
		t.Skip("set HIKESHI_DEV_LISTEN to look at the pages")
	}
	c := &clock{at: time.Now()}
	w := newWorld(t, c.now)
	fill(t, w, c)
	w.dead = []incidents.DeadLetter{{Effect: incidents.Effect{Key: "3/room/slack", Kind: incidents.DoSyncRoom, Incident: 3, Arg: "slack"}, Reason: "slack: channel_not_found", Attempt: 12, At: time.Now()}}
	w.now = time.Now
	o := w.options()
	if token := os.Getenv("HIKESHI_DEV_TOKEN"); token != "" {
		o.Config.People = []Person{{Name: "bea", Token: token}}
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = s.Run(ctx) }()
	t.Logf("http://%s", listener.Addr())
	_ = server.Serve(listener)
}
