package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// measureGroups is about many active alerts in 100 incidents.
func measureGroups(ctx context.Context, l *lab) error {
	return l.active(ctx, "active_groups", l.size.active, 100)
}

// measureOwn is about as many incidents as alerts.
func measureOwn(ctx context.Context, l *lab) error {
	return l.active(ctx, "active_own", l.size.own, 0)
}

// active fills each server once and then asks it everything that depends on
// how much it holds.
func (l *lab) active(ctx context.Context, name string, n, groups int) error {
	l.out.add(name+".alerts", machine, float64(n), "alerts")
	for _, s := range l.subjects() {
		err := l.with(ctx, s, func(t *target) error {
			if err := t.memory(ctx, name, n, groups); err != nil {
				return err
			}
			if err := t.find(ctx, name, n, groups); err != nil {
				return err
			}
			if err := t.list(ctx, name); err != nil {
				return err
			}
			return t.restart(ctx, name)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// rest is how long a server is left alone before its memory is read.
const rest = 3 * time.Second

// memory is what each active alert costs over the idle server.
func (t *target) memory(ctx context.Context, name string, n, groups int) error {
	idle, err := t.rss()
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := t.active(ctx, n, groups); err != nil {
		return err
	}
	t.lab.out.add(name+".quiet_after", t.subject, time.Since(began).Seconds(), "s")
	sleep(ctx, rest)
	full, err := t.rss()
	if err != nil {
		return err
	}
	t.lab.out.add(name+".rss", t.subject, float64(full)/(1<<20), "MiB")
	t.lab.out.add(name+".rss_alert", t.subject, float64(full-idle)/1024/float64(n), "KiB")
	return nil
}

// timed asks n times and gives the latencies, sorted.
func timed(n int, ask func(i int) error) ([]time.Duration, error) {
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if err := ask(i); err != nil {
			return nil, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took, nil
}

// list is what people open: the first page of open incidents. Alertmanager has
// no pages, so it is asked for all of it, three times.
func (t *target) list(ctx context.Context, name string) error {
	path, n := "/api/v1/incidents?open=true", t.lab.size.requests
	if t.subject == alertmanager {
		path, n = "/api/v2/alerts", 3
	}
	before, err := t.rss()
	if err != nil {
		return err
	}
	took, err := timed(n, func(int) error { return t.ok(ctx, path) })
	if err != nil {
		return err
	}
	after, err := t.rss()
	if err != nil {
		return err
	}
	t.lab.out.add(name+".list_p50", t.subject, ms(percentile(took, 50)), "ms")
	t.lab.out.add(name+".list_p99", t.subject, ms(percentile(took, 99)), "ms")
	t.lab.out.add(name+".list_grow", t.subject, 100*float64(after-before)/float64(before), "%")
	return nil
}

// find is finding the alerts of one service among all.
func (t *target) find(ctx context.Context, name string, n, groups int) error {
	if groups == 0 {
		groups = n
	}
	path, times := findPath(t.subject), t.lab.size.requests
	if t.subject == alertmanager {
		times = max(times/10, 3)
	}
	before, err := t.rss()
	if err != nil {
		return err
	}
	// The first question reads what there is: it is waited for, not counted.
	began := time.Now()
	if err := t.found(ctx, fmt.Sprintf(path, serviceOf(1))); err != nil {
		return err
	}
	t.lab.out.add(name+".find_first", t.subject, ms(time.Since(began)), "ms")
	took, err := timed(times, func(i int) error {
		return t.ok(ctx, fmt.Sprintf(path, serviceOf(i*7919%groups)))
	})
	if err != nil {
		return err
	}
	t.lab.out.add(name+".find_p50", t.subject, ms(percentile(took, 50)), "ms")
	after, err := t.rss()
	if err != nil {
		return err
	}
	t.lab.out.add(name+".find_p99", t.subject, ms(percentile(took, 99)), "ms")
	t.lab.out.add(name+".find_grow", t.subject, 100*float64(after-before)/float64(before), "%")
	return nil
}

// found asks until the answer is whole, and wants every alert to be in it.
func (t *target) found(ctx context.Context, path string) error {
	if t.subject == alertmanager {
		return t.ok(ctx, path)
	}
	return t.wait(ctx, func() (bool, error) {
		var answer struct {
			Alerts     []struct{} `json:"alerts"`
			Complete   bool       `json:"complete"`
			NotCovered int        `json:"not_covered"`
		}
		err := t.getJSON(ctx, path, &answer)
		if err == nil && answer.Complete && (len(answer.Alerts) == 0 || answer.NotCovered > 0) {
			err = fmt.Errorf("GET %s: %d alerts found, %d not covered", path, len(answer.Alerts), answer.NotCovered)
		}
		return answer.Complete, err
	})
}

// findPath is where a subject finds alerts by a label, with %s for its value.
func findPath(s subject) string {
	if s == alertmanager {
		return "/api/v2/alerts?filter=service%%3D%%22%s%%22"
	}
	return "/api/v1/alerts?label=service%%3D%s"
}

// ok asks and wants 200.
func (t *target) ok(ctx context.Context, path string) error {
	code, body, err := t.get(ctx, path)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("GET %s: %d: %.200s", path, code, body)
	}
	return err
}

// restart is how long until a server that was ended is ready again with all it
// had. Redis goes on: only Hikeshi is started anew. Alertmanager has forgotten
// its alerts by then, and is left out.
func (t *target) restart(ctx context.Context, name string) error {
	if t.subject == alertmanager {
		return nil
	}
	before, err := t.openIncidents(ctx)
	if err != nil {
		return err
	}
	t.main.kill()
	began := time.Now()
	if err := t.startMain(ctx); err != nil {
		return err
	}
	t.lab.out.add(name+".restart", t.subject, time.Since(began).Seconds(), "s")
	after, err := t.openIncidents(ctx)
	if err == nil && after != before {
		err = fmt.Errorf("%d incidents were open before the restart, %d after it", before, after)
	}
	return err
}

// openIncidents is how many incidents are open.
func (t *target) openIncidents(ctx context.Context) (int, error) {
	var page page
	err := t.getJSON(ctx, "/api/v1/incidents?open=true&limit=1", &page)
	return page.Open, err
}

// page is a page of the incident list, as far as it is looked at here.
type page struct {
	Incidents []struct {
		ID      int    `json:"id"`
		Service string `json:"service"`
		Alerts  int    `json:"alerts"`
	} `json:"incidents"`
	Next int `json:"next"`
	Open int `json:"open"`
}
