package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Exit codes of RunShop and RunShopctl.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// The files in a shop's directory.
const (
	cacheDir    = "cache"
	logName     = "shop.log"
	errName     = "shop.err" // what the process prints, such as a panic
	pidName     = "shop.pid"
	controlName = "control.json"
)

// shopOptions are the flags of the shop; every one has a default.
type shopOptions struct {
	dir              string
	listen           string
	listenFD         int
	lifeline         bool
	workers, queue   int
	deadline         time.Duration // for a health probe
	checkoutDeadline time.Duration // for a customer
	slowAbove        time.Duration // a probe above this counts as slow
	slowBy, slowFor  time.Duration // the slow fault
	quota            int64         // bytes
}

func shopFlags(args []string, stderr io.Writer) (shopOptions, error) {
	var o shopOptions
	f := flag.NewFlagSet("hikeshi shop", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.dir, "dir", "", "directory of the cache and the log (default: a temporary one)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8090", "address to listen on")
	f.IntVar(&o.listenFD, "listen-fd", 0, "inherited listening socket to use in place of --listen")
	f.BoolVar(&o.lifeline, "lifeline", false, "end when standard input ends, that is with the parent process")
	f.IntVar(&o.workers, "workers", 4, "workers, at least 2")
	f.IntVar(&o.queue, "queue", 24, "jobs that can wait for a worker, at least 2")
	f.DurationVar(&o.deadline, "deadline", time.Second, "how long /healthz waits for the workers")
	f.DurationVar(&o.checkoutDeadline, "checkout-deadline", 2*time.Second, "how long a customer waits at the checkout")
	f.DurationVar(&o.slowAbove, "slow-above", 250*time.Millisecond, "a probe that takes longer counts as slow")
	f.DurationVar(&o.slowBy, "slow-by", 450*time.Millisecond, "how much longer payments take under the slow fault")
	f.DurationVar(&o.slowFor, "slow-for", 3*time.Minute, "how long the slow fault lasts")
	f.Int64Var(&o.quota, "cache-quota", 8<<20, "bytes that the cache directory may have")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.workers < 2 || o.queue < 2 {
		f.Usage()
		return o, errors.New("hikeshi shop takes flags only, and at least 2 workers and 2 places in the queue")
	}
	return o, nil
}

// A shop is one run of the shop program.
type shop struct {
	o       shopOptions
	log     *slog.Logger
	began   time.Time
	pool    *pool
	till    *till
	prober  *prober
	metrics *metrics

	ctx        context.Context // ends when the shop closes; for work without a customer
	background sync.WaitGroup
}

// RunShop is the program `hikeshi shop`. It serves until the context ends or the
// process gets SIGTERM or SIGINT, then finishes what its customers wait for and
// returns 0; 1 means that it could not serve, 2 that the arguments are wrong. A
// wedged shop never finishes: it must be killed.
func RunShop(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := shopFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	if err := runShop(ctx, o, stdout); err != nil {
		fmt.Fprintf(stderr, "hikeshi shop: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func runShop(ctx context.Context, o shopOptions, stdout io.Writer) error {
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "hikeshi-shop-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	if err := os.MkdirAll(filepath.Join(o.dir, cacheDir), 0o700); err != nil {
		return fmt.Errorf("make the cache: %w", err)
	}
	logTo, err := openLog(filepath.Join(o.dir, logName), logLimit)
	if err != nil {
		return err
	}
	defer logTo.Close()
	l, err := listen(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
	defer stop()
	orphaned := make(chan struct{})
	if o.lifeline {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // ends, in whatever way, with the parent
			close(orphaned)
			cancel()
		}()
	}
	s := newShop(ctx, o, slog.New(slog.NewTextHandler(logTo, nil)))
	fmt.Fprintf(stdout, "the shop is open at http://%s (pid %d)\n", l.Addr(), os.Getpid())
	return s.serve(ctx, l, stop, orphaned)
}

func listen(o shopOptions) (net.Listener, error) {
	if o.listenFD == 0 {
		l, err := net.Listen("tcp", o.listen)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		return l, nil
	}
	f := os.NewFile(uintptr(o.listenFD), "listener")
	if f == nil {
		return nil, fmt.Errorf("listen: there is no file %d", o.listenFD)
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("listen on file %d: %w", o.listenFD, err)
	}
	return l, nil
}

func newShop(ctx context.Context, o shopOptions, log *slog.Logger) *shop {
	t := newTill(&cache{dir: filepath.Join(o.dir, cacheDir), quota: o.quota})
	p := newPool(o.workers, o.queue)
	return &shop{
		o: o, log: log.With("pid", os.Getpid()), began: time.Now(), pool: p, till: t,
		prober: &prober{pool: p, till: t}, metrics: newMetrics(), ctx: ctx,
	}
}

// serve answers until the context ends and then drains. A parent that is gone
// (orphaned) leaves nobody to kill a wedged shop, so then it does not wait.
func (s *shop) serve(ctx context.Context, l net.Listener, restoreSignals func(), orphaned <-chan struct{}) error {
	srv := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	s.background.Go(func() { failed <- srv.Serve(l) })
	s.background.Go(func() { s.complain(ctx) })
	s.log.Info("the shop is open", "addr", l.Addr().String(), "workers", s.o.workers, "queue", s.o.queue)
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	restoreSignals() // a second Ctrl-C ends the process at once
	s.log.Info("closing: no new customers, finishing the queue", "queue_depth", len(s.pool.queue))
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.checkoutDeadline+time.Second)
	defer cancel()
	if err := srv.Shutdown(patience); err != nil {
		s.log.Warn("customers were still waiting", "error", err)
		_ = srv.Close() // their connections break, which is all that is left to do
	}
	drained := make(chan struct{})
	go func() {
		s.pool.close()
		s.background.Wait()
		close(drained)
	}()
	select {
	case <-drained:
		s.log.Info("closed")
	case <-orphaned:
		s.log.Warn("closed without waiting: the parent process is gone")
	}
	return nil
}

// complain logs workers that do not come to an end, every two seconds.
func (s *shop) complain(ctx context.Context) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, w := range s.pool.states(now) {
				if w.Seconds > s.o.deadline.Seconds() {
					s.log.Warn("worker is stuck", "worker", w.ID, "job", w.Job, "doing", w.Doing,
						"for", (time.Duration(w.Seconds * float64(time.Second))).Round(time.Millisecond), "queue_depth", len(s.pool.queue))
				}
			}
		}
	}
}
