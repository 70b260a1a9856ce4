package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// measurement is one thing that is measured, over all subjects.
type measurement struct {
	name string
	what string
	run  func(context.Context, *lab) error
}

// plan is all measurements, in order. The number in what is the row of the
// goals in docs/performance.md.
var plan = []measurement{
	{"start", "15: empty start to ready, and the binary", measureStart},
	{"ingest_b100", "1, 5: new alerts, 100 a POST, 16 connections", ingest(load{batch: 100, conns: 16, groups: 100})},
	{"ingest_b10", "2: new alerts, 10 a POST, 64 connections", ingest(load{batch: 10, conns: 64, groups: 100})},
	{"ingest_b1", "3, 5: new alerts, 1 a POST, 64 connections", ingest(load{batch: 1, conns: 64, groups: 100})},
	{"refire_b100", "4: alerts that are known, 100 a POST, 16 connections", measureRefire},
	{"resolve_b100", "6c: the ends of active alerts, 100 a POST, 16 connections", measureResolve},
	{"latency_half", "6: latency at half of Alertmanager's own capacity", measureHalf},
	{"latency_1500", "6b: latency at 1,500 alerts/s, 1 a POST, 16 connections", measureLow},
	{"logs_beside", "20: latency of 6b and rate of 1 while 10,000 lines/s of logs come in", measureLogsBeside},
	{"active_groups", "7, 9, 10, 14: many active alerts in 100 groups", measureGroups},
	{"active_own", "8, 9, 14: every active alert an incident of its own", measureOwn},
	{"open_10k", "17: idle with 10,000 active alerts; a step among 10,000 open incidents", measureOpen},
	{"room", "11: alert to war room with its card, idle", measureRoom},
	{"burst", "12: 10,000 alerts of 100 groups at once", measureBurst},
	{"crash", "13: kill -9 under load, again and again", measureCrash},
	{"remedy", "18: steps of approved runs, and what each costs beyond the call", measureRemedy},
	{"round_trips", "commands and round trips that Redis sees for one incident", measureRoundTrips},
	{"floor", "3, 5: the same load on a server that reads and forgets", measureFloor},
	{"costs", "what the disk, JSON decoders and embedded stores cost here", measureCosts},
}

// size is how much of everything.
type size struct {
	rounds   int           // turns for each subject; medians are reported
	slice    time.Duration // of a load at a fixed rate
	sent     map[int]int   // alerts of a load without one, by alerts a POST
	active   int           // alerts in the measurements about many active ones
	own      int           // the same where each has its own incident
	refire   int           // known sets that are sent again
	open     int           // incidents in open_10k
	requests int           // lists, finds and steps that are timed
	rooms    int           // alerts that are followed to their room
	burst    int
	kills    int
	remedies int // runs of 32 steps
	idle     time.Duration
	settle   time.Duration // at most, until a backlog is worked off
	limit    time.Duration // of one measurement
}

var (
	full = size{
		rounds: 3, slice: 10 * time.Second, sent: map[int]int{100: 200_000, 10: 100_000, 1: 60_000}, active: 100_000, own: 100_000, refire: 10_000, open: 10_000,
		requests: 300, rooms: 200, burst: 10_000, kills: 20, remedies: 40, idle: 20 * time.Second, settle: 40 * time.Minute, limit: 2 * time.Hour,
	}
	quick = size{
		rounds: 1, slice: 2 * time.Second, sent: map[int]int{100: 20_000, 10: 10_000, 1: 3_000}, active: 10_000, own: 1_000, refire: 2_000, open: 1_000,
		requests: 50, rooms: 20, burst: 2_000, kills: 3, remedies: 5, idle: 2 * time.Second, settle: 30 * time.Second, limit: 2 * time.Minute,
	}
)

// lab is where it all happens.
type lab struct {
	binary string
	stores []subject
	size   size
	dir    string
	keep   bool
	out    *report
	made   int // directories
}

// measure runs one measurement within its limit.
func (l *lab) measure(ctx context.Context, m measurement) error {
	ctx, cancel := context.WithTimeout(ctx, l.size.limit)
	defer cancel()
	began := time.Now()
	fmt.Fprintf(os.Stderr, "== %s (%s)\n", m.name, m.what)
	err := m.run(ctx, l)
	fmt.Fprintf(os.Stderr, "   %.1f s\n", time.Since(began).Seconds())
	return err
}

// subjects are the stores, and the peer where the program is there.
func (l *lab) subjects() []subject {
	all := append([]subject{}, l.stores...)
	if _, err := exec.LookPath(alertmanagerProgram); err == nil {
		all = append(all, alertmanager)
	}
	return all
}

// rounds gives every subject its turn, as often as the size says, each time
// with a fresh server.
func (l *lab) rounds(ctx context.Context, subjects []subject, turn func(*target) error) error {
	for range l.size.rounds {
		for _, s := range subjects {
			if err := l.with(ctx, s, turn); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	return nil
}

// with starts a fresh server, takes a turn with it and ends it.
func (l *lab) with(ctx context.Context, s subject, turn func(*target) error) error {
	t, err := l.start(ctx, s)
	if err != nil {
		return err
	}
	defer t.stop()
	return turn(t)
}

func (l *lab) close() {
	if l.keep {
		fmt.Fprintln(os.Stderr, "kept", l.dir)
		return
	}
	if err := os.RemoveAll(l.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bench: remove the temporary directory:", err)
	}
}
