package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/alertmanager"
	"github.com/hikeshi-ops/hikeshi/integrations/generic"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// The services of the story are its groups. Three are put right by people, one
// becomes quiet by itself, two go on burning.
var (
	remedied = []string{"api", "billing", "cart"}
	quiet    = "queue"
	burning  = []string{"disk", "edge"}
)

// story is what happens in each run: senders that come again until they get a
// 2xx, people who do, and what they were told.
type story struct {
	*client
	began time.Time

	mu    sync.Mutex
	acked map[incidents.Key]bool // alerts that were answered with 2xx → last reported as resolved
}

func newStory(app *supervisor) *story {
	return &story{client: newClient(app), began: time.Now().UTC().Truncate(time.Millisecond), acked: map[incidents.Key]bool{}}
}

// play plays it to its end; ctx bounds it. All of them act at once; when they
// have, all must be well.
func (s *story) play(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var once sync.Once
	var first error // the others only follow from it
	acted := make(chan struct{})
	var actors, last sync.WaitGroup
	do := func(group *sync.WaitGroup, f func(context.Context) error) {
		group.Go(func() {
			if err := f(ctx); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	for _, f := range []func(context.Context) error{s.alertmanager, s.generic, s.prometheus} {
		do(&actors, f)
	}
	for _, service := range remedied {
		do(&actors, func(ctx context.Context) error { return s.remedy(ctx, service) })
	}
	do(&actors, func(ctx context.Context) error { return s.acknowledge(ctx, burning[0]) })
	do(&last, func(ctx context.Context) error { return s.redrive(ctx, acted) })
	actors.Wait()
	close(acted)
	last.Wait()
	return first
}

// alert as Alertmanager and Prometheus write it.
type alert struct {
	Status      string            `json:"status,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
}

// fire is an alert of service; n tells it from others.
func (s *story) fire(service string, n int) alert {
	return alert{
		Status: "firing", StartsAt: s.began,
		Labels:      map[string]string{"alertname": "Burning", "service": service, "n": fmt.Sprint(n), "severity": "critical"},
		Annotations: map[string]string{"summary": service + " burns"},
	}
}

func ended(alerts ...alert) []alert {
	over := slices.Clone(alerts)
	for i := range over {
		over[i].Status, over[i].EndsAt = "resolved", over[i].StartsAt.Add(time.Second)
	}
	return over
}

// webhook posts alerts as Alertmanager does.
func (s *story) webhook(ctx context.Context, alerts ...alert) error {
	body, err := json.Marshal(map[string]any{"version": "4", "groupKey": "{}", "alerts": alerts})
	if err != nil {
		return err
	}
	return s.post(ctx, "/v1/alerts/alertmanager", body, alertmanager.DecodeWebhook)
}

// post sends alerts until the answer is 2xx and writes down what was
// acknowledged.
func (s *story) post(ctx context.Context, path string, body []byte, decode intake.Decode) error {
	a, err := s.until(ctx, http.MethodPost, path, "", "", body)
	if err != nil {
		return err
	}
	if a.status/100 != 2 {
		return fmt.Errorf("POST %s: %d %s", path, a.status, a.body)
	}
	batch, _, err := decode(body, "", time.Now(), intake.DefaultLimits())
	if err != nil {
		return fmt.Errorf("read our own alerts: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch.Alerts {
		s.acked[batch.Alerts[i].Fingerprint()] = batch.Alerts[i].Resolved
	}
	return nil
}

// alertmanager sends batches that span groups, twice each, and the end of the
// quiet group.
func (s *story) alertmanager(ctx context.Context) error {
	first := []alert{s.fire("api", 1), s.fire("api", 2), s.fire("billing", 1), s.fire("queue", 1)}
	second := []alert{s.fire("queue", 2), s.fire("api", 3), s.fire("cart", 1)}
	for _, batch := range [][]alert{first, second, first} {
		if err := s.webhook(ctx, batch...); err != nil {
			return err
		}
	}
	if _, err := s.find(ctx, quiet, "an incident", func(*seen) bool { return true }); err != nil {
		return err
	}
	return s.webhook(ctx, ended(s.fire(quiet, 1), s.fire(quiet, 2))...)
}

// generic sends what goes on burning, one of them twice.
func (s *story) generic(ctx context.Context) error {
	for _, n := range []int{1, 2, 1} {
		body, err := json.Marshal(map[string]any{
			"title": "The disk burns", "service": "disk", "severity": "high",
			"starts_at": s.began, "labels": map[string]string{"n": fmt.Sprint(n)},
		})
		if err != nil {
			return err
		}
		if err := s.post(ctx, "/v1/alerts/generic", body, generic.Decode); err != nil {
			return err
		}
	}
	return nil
}

// prometheus posts over the API, to groups that others report too.
func (s *story) prometheus(ctx context.Context) error {
	for _, alerts := range [][]alert{{s.fire("edge", 1)}, {s.fire("billing", 2), s.fire("edge", 2)}, {s.fire("cart", 2)}} {
		for i := range alerts {
			alerts[i].Status = ""
		}
		body, err := json.Marshal(alerts)
		if err != nil {
			return err
		}
		if err := s.post(ctx, "/api/v2/alerts", body, alertmanager.DecodeAPI); err != nil {
			return err
		}
	}
	return nil
}

// seen is an incident as the API tells it.
type seen struct {
	ID          incidents.ID           `json:"id"`
	Service     string                 `json:"service"`
	Status      incidents.Status       `json:"status"`
	AckedBy     string                 `json:"acked_by"`
	Rooms       map[string]any         `json:"rooms"`
	Suggestions []incidents.Suggestion `json:"suggestions"`
	NoAction    incidents.Reason       `json:"no_action"`
	Runs        []incidents.Run        `json:"runs"`
}

// find waits for the incident of a service until good says so.
func (s *story) find(ctx context.Context, service, what string, good func(*seen) bool) (*seen, error) {
	var last *seen
	for {
		var page struct{ Incidents []seen }
		if err := s.get(ctx, "/api/v1/incidents?service="+service, &page); err != nil {
			return nil, fmt.Errorf("wait for %s of %s, which was %+v: %w", what, service, last, err)
		}
		if len(page.Incidents) > 0 {
			var one struct{ Incident seen }
			if err := s.get(ctx, fmt.Sprintf("/api/v1/incidents/%d", page.Incidents[0].ID), &one); err != nil {
				return nil, fmt.Errorf("wait for %s of %s, which was %+v: %w", what, service, last, err)
			}
			if last = &one.Incident; good(last) {
				return last, nil
			}
		}
		if err := pause(ctx, lookAfter); err != nil {
			return nil, fmt.Errorf("wait for %s of %s, which is %+v: %w", what, service, last, err)
		}
	}
}

// remedy: two people approve the same suggestion at once, then the alerts end.
func (s *story) remedy(ctx context.Context, service string) error {
	found, err := s.find(ctx, service, "suggestions", func(i *seen) bool { return len(i.Suggestions) > 0 && len(i.Rooms) > 0 })
	if err != nil {
		return err
	}
	var both sync.WaitGroup
	errs := make([]error, len(people))
	for n, who := range people {
		both.Go(func() { errs[n] = s.command(ctx, found.ID, who, "approve crash-fix", http.StatusConflict) })
	}
	both.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.webhook(ctx, ended(s.alertsOf(service)...)...)
}

// alertsOf are all alerts that anybody sends of a service that is remedied.
func (s *story) alertsOf(service string) []alert {
	alerts := []alert{s.fire(service, 1), s.fire(service, 2)}
	if service == "api" {
		alerts = append(alerts, s.fire(service, 3))
	}
	return alerts
}

func (s *story) acknowledge(ctx context.Context, service string) error {
	found, err := s.find(ctx, service, "an incident", func(*seen) bool { return true })
	if err != nil {
		return err
	}
	return s.command(ctx, found.ID, people[1], "ack", http.StatusOK)
}

// command is repeated under one Idempotency-Key until it is answered.
func (s *story) command(ctx context.Context, id incidents.ID, who, line string, or int) error {
	body, err := json.Marshal(map[string]string{"command": line})
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s-%s-%d", who, strings.Fields(line)[0], id)
	a, err := s.until(ctx, http.MethodPost, fmt.Sprintf("/api/v1/incidents/%d/commands", id), who, key, body)
	if err != nil {
		return err
	}
	if a.status/100 != 2 && a.status != or {
		return fmt.Errorf("%s of %s: %d %s", line, id, a.status, a.body)
	}
	return nil
}

// redrive: somebody sends again what was given up, until all have acted and all
// is as it should be.
func (s *story) redrive(ctx context.Context, acted <-chan struct{}) error {
	unfit := "somebody still acts"
	for {
		var letters struct {
			DeadLetters []incidents.DeadLetter `json:"dead_letters"`
		}
		err := s.get(ctx, "/api/v1/dead-letters", &letters)
		if err != nil {
			return fmt.Errorf("not all is well: %s: %w", unfit, err)
		}
		for _, l := range letters.DeadLetters {
			body, err := json.Marshal(map[string]string{"key": l.Effect.Key})
			if err != nil {
				return err
			}
			if _, err := s.until(ctx, http.MethodPost, "/api/v1/dead-letters/redrive", people[0], "", body); err != nil {
				return err
			}
		}
		select {
		case <-acted:
			if unfit, err = s.unfit(ctx); err != nil {
				return err
			}
			if unfit == "" {
				return nil
			}
		default:
		}
		if err := pause(ctx, lookAfter); err != nil {
			return fmt.Errorf("not all is well: %s: %w", unfit, err)
		}
	}
}
