package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	jirafake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/storage"
)

const hookSecret = "what Jira signs its webhooks with"

// withJira is a Hikeshi whose incidents have their tickets in a Jira.
func withJira(t *testing.T, flavour string) (*app, *jirafake.Server) {
	t.Helper()
	jira := jirafake.New(flavour, time.Now)
	jira.Hosts = []string{"127.0.0.1"}
	srv := jira.Start()
	t.Cleanup(func() { jira.Close(); srv.Close() })
	t.Cleanup(func() {
		for _, w := range jira.Wrongs() {
			t.Error(w)
		}
	})
	c := auditedConfig(t)
	c.Console.People = []config.Person{{Name: "bea", Token: beaToken}}
	c.People = []config.Member{{Name: "bea", Roles: []string{"admin"}, Accounts: []string{"console:bea", "jira:" + jira.Account(jirafake.Bea)}}}
	c.Trackers = []config.Tracker{{
		Name: "jira", Kind: config.KindJira, Flavour: flavour, URL: srv.URL, User: map[string]string{jirafake.Cloud: jirafake.Mail}[flavour], Token: jirafake.Token, WebhookSecret: hookSecret,
		Project: jirafake.Project, Type: jirafake.Type, Priorities: map[string]string{"SEV1": "Highest", "SEV2": "High", "SEV3": "Medium", "SEV4": "Low"},
	}}
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	a, err := build(ctx, s, slog.New(slog.DiscardHandler))
	if err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a, jira
}

func posted(t *testing.T, url, body string, sign bool) int {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t), http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if sign {
		mac := hmac.New(sha256.New, []byte(hookSecret))
		mac.Write([]byte(body))
		req.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	} else {
		req.Header.Set("Authorization", "Bearer "+beaToken)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// An alert opens a ticket; a person closes it in Jira, and the incident is
// resolved, in their name.
func TestATicketFromAlertToResolution(t *testing.T) {
	t.Parallel()
	for _, flavour := range []string{jirafake.Cloud, jirafake.DataCenter} {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			a, jira := withJira(t, flavour)
			if code := posted(t, a.url()+"/v1/alerts/generic", `{"title":"Down {code}","service":"shop"}`, false); code >= 300 {
				t.Fatal(code)
			}
			until(t, "a ticket", func() bool { return len(jira.Issues()) == 1 && len(jira.Issues()[0].Remote) > 0 })
			until(t, "its key at the incident", func() bool {
				s, err := a.store.Load(t.Context(), 1)
				return err == nil && s != nil && s.Tickets["jira"].Key == "OPS-1"
			})
			if i := jira.Issues()[0]; !strings.Contains(i.Summary, "INC-1") || !strings.Contains(i.Summary, "Down {code}") {
				t.Error(i.Summary)
			}
			jira.Deliveries()
			jira.Move(jirafake.Bea, "OPS-1", "Closed")
			for _, d := range jira.Deliveries() {
				for range 2 {
					if code := posted(t, a.url()+"/v1/jira/jira", string(d.Body), true); code != http.StatusNoContent {
						t.Error(code)
					}
				}
			}
			s, err := a.store.Load(t.Context(), 1)
			if err != nil || s.Status().Open() || s.Resolved == nil || s.Resolved.By.Name != "bea" {
				t.Errorf("it is answered for and not done: %v %+v %v", s.Status(), s.Resolved, err)
			}
			if code := posted(t, a.url()+"/v1/jira/jira", `{}`, false); code != http.StatusUnauthorized {
				t.Error(code)
			}
			if code := posted(t, a.url()+"/v1/jira/other", `{}`, true); code != http.StatusNotFound {
				t.Error(code)
			}
		})
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := within(t)
	for look := time.NewTicker(20 * time.Millisecond); !ok(); {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("it never came: %s", what)
		}
	}
}

// polled is a tracker that is through only when another one was begun with.
type polled struct {
	ticketSystem
	begun, other chan struct{}
}

func (p polled) Poll(ctx context.Context, _ tracker.Changer) error {
	close(p.begun)
	select {
	case <-p.other:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type leased struct{ storage.Store }

func (leased) Lease(context.Context, string, string, time.Duration) (bool, error) { return true, nil }

// A tracker that does not answer holds no other one up.
func TestTrackersArePolledBesideEachOther(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := &app{store: leased{}, log: slog.New(slog.NewTextHandler(&log, nil)), trackers: &trackers{}}
	one, two := make(chan struct{}), make(chan struct{})
	a.trackers.all = []*ticketTracker{{name: "one", system: polled{begun: one, other: two}}, {name: "two", system: polled{begun: two, other: one}}}
	a.poll(within(t))
	if log.Len() > 0 {
		t.Error(log.String())
	}
}
