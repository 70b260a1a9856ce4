package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// measureCrash kills servers under load, again and again, and counts what is
// left of what they had acknowledged.
func measureCrash(ctx context.Context, l *lab) error {
	for _, s := range l.stores {
		if err := l.with(ctx, s, func(t *target) error { return t.crashes(ctx) }); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if all := l.subjects(); all[len(all)-1] == alertmanager {
		return l.with(ctx, alertmanager, func(t *target) error { return t.forgets(ctx) })
	}
	return nil
}

// crashRate is POSTs a second: many enough that each kill meets some, few
// enough that their rooms are soon made.
const crashRate, crashConns, crashBatch = 300, 8, 10

// crashes: each POST is a group of its own, so that what became of it can be
// told: one incident with all its alerts.
func (t *target) crashes(ctx context.Context) error {
	acked := map[int]bool{} // by group
	group := 0
	for kill := range t.lab.size.kills {
		if kill > 0 {
			if err := t.rise(ctx); err != nil {
				return fmt.Errorf("start again after kill %d: %w", kill, err)
			}
		}
		group = t.postUntilKilled(ctx, group, acked)
	}
	if err := t.rise(ctx); err != nil {
		return fmt.Errorf("start again after the last kill: %w", err)
	}
	if err := t.quiet(ctx); err != nil {
		return err
	}
	lost, twice, err := t.missing(ctx, acked)
	if err != nil {
		return err
	}
	t.lab.out.add("crash.acked", t.subject, float64(len(acked)*crashBatch), "alerts")
	t.lab.out.add("crash.lost", t.subject, float64(lost), "alerts")
	t.lab.out.add("crash.twice", t.subject, float64(twice), "incidents")
	return nil
}

// rise starts what was killed.
func (t *target) rise(ctx context.Context) error {
	if t.redis != nil && t.redis.ended() {
		if err := t.startRedis(ctx); err != nil {
			return err
		}
	}
	return t.startMain(ctx)
}

// postUntilKilled sends POSTs from group on, kills the server (and every
// second time its Redis too) in the middle, notes what was acknowledged, and
// returns the next group.
func (t *target) postUntilKilled(ctx context.Context, group int, acked map[int]bool) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	began, start := time.Now(), time.Now().Add(-time.Second)
	for range crashConns {
		wg.Go(func() {
			b := newBody(crashBatch, start)
			b.end(start.Add(time.Hour))
			s := newSender(t.addr, b)
			defer s.close()
			for {
				mu.Lock()
				mine := group
				group++
				mu.Unlock()
				for i := range crashBatch {
					b.alert(i, mine*crashBatch+i, mine)
				}
				status, err := s.send()
				if err == nil && status == http.StatusOK {
					mu.Lock()
					acked[mine] = true
					mu.Unlock()
				}
				if err != nil || !sleep(ctx, crashConns*time.Second/crashRate) {
					return
				}
			}
		})
	}
	sleep(ctx, 50*time.Millisecond+rand.N(350*time.Millisecond)-time.Since(began))
	t.main.kill()
	if t.redis != nil && rand.N(2) == 0 {
		t.redis.kill()
	}
	cancel()
	wg.Wait()
	return group
}

// missing counts acknowledged alerts that are in no incident, and incidents
// beyond one of a group.
func (t *target) missing(ctx context.Context, acked map[int]bool) (lost, twice int, err error) {
	alerts, incidents := map[string]int{}, map[string]int{}
	for before := 0; ; {
		var p page
		if err := t.getJSON(ctx, fmt.Sprintf("/api/v1/incidents?limit=200&before=%d", before), &p); err != nil {
			return 0, 0, err
		}
		for _, inc := range p.Incidents {
			alerts[inc.Service] += inc.Alerts
			if incidents[inc.Service]++; incidents[inc.Service] > 1 {
				twice++
			}
		}
		if before = p.Next; before == 0 {
			break
		}
	}
	for group := range acked {
		lost += max(0, crashBatch-alerts[serviceOf(group)])
	}
	return lost, twice, nil
}

// forgets is the same question to Alertmanager, once.
func (t *target) forgets(ctx context.Context) error {
	const n = 2000
	if _, err := t.active(ctx, n, 100); err != nil {
		return err
	}
	t.main.kill()
	if err := t.startMain(ctx); err != nil {
		return err
	}
	var left []json.RawMessage
	if err := t.getJSON(ctx, "/api/v2/alerts", &left); err != nil {
		return err
	}
	t.lab.out.add("crash.acked", alertmanager, n, "alerts")
	t.lab.out.add("crash.lost", alertmanager, float64(n-len(left)), "alerts")
	return nil
}
