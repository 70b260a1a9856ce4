package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// floorFlag makes this program the server that measureFloor loads.
const floorFlag = "-serve-floor"

// serveFloor answers 200 to whatever was read to its end, and does nothing else:
// what every server over net/http pays before it does anything of its own.
func serveFloor(addr string) error {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	s := &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: time.Minute}
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", addr, err)
	}
	return nil
}

// measureFloor puts the load of rows 3 and 5, one alert a POST over 64
// connections, on a server that forgets it. No goal below its figures can be met
// over net/http on this machine.
func measureFloor(ctx context.Context, l *lab) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	p, err := startProcess("floor", l.dir, self, floorFlag, addr)
	if err != nil {
		return err
	}
	defer p.stop()
	t := &target{addr: addr, main: p, lab: l}
	if err := await(ctx, p, func() bool { return t.status(ctx, "/") == http.StatusOK }); err != nil {
		return err
	}
	before, err := p.cpu()
	if err != nil {
		return err
	}
	ld := load{batch: 1, conns: 64, groups: 100, alerts: l.size.sent[1], start: time.Now().Add(-time.Minute)}
	r := ld.run(ctx, addr, l.size.settle)
	after, err := p.cpu()
	if err = errors.Join(err, r.failure); err != nil {
		return err
	}
	l.out.add("floor_b1.rate", machine, r.perSecond(), "alerts/s")
	l.out.add("floor_b1.cpu", machine, (after-before).Seconds()/float64(max(r.accepted, 1))*100_000, "s/100k")
	return nil
}
