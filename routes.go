package main

import (
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/integrations/alertmanager"
	"github.com/hikeshi-ops/hikeshi/integrations/generic"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// routes is the one listener: alerts in, metrics for this machine, and the
// console with its API for everything else.
func (a *app) routes(registry *prometheus.Registry) (http.Handler, error) {
	receiver, err := intake.New(intake.Options{Log: a.ready, Sources: a.config.Intake, Metrics: registry, Logger: a.log})
	if err != nil {
		return nil, config.Problem(err)
	}
	mux := http.NewServeMux()
	routes := chatRoutes(a.chats)
	for pattern, handler := range routes {
		routes[pattern] = inTime(handler)
	}
	maps.Copy(routes, map[string]http.Handler{
		"/v1/alerts/alertmanager": receiver.Handler("alertmanager", alertmanager.DecodeWebhook),
		"/api/v2/alerts":          receiver.Handler("alertmanager_api", alertmanager.DecodeAPI),
		"/v1/alerts/generic":      receiver.Handler("generic", generic.Decode),
		"/v1/logs":                receiver.Door("logs", a.sources.Logs.Take),
		"/v1/changes":             receiver.Door("changes", a.sources.Changes.Take),
		jiraHook:                  inTime(a.trackers),
		gitlabHook:                inTime(a.trackers),
		servicenowHook:            inTime(a.trackers),
		backlogHook:               inTime(a.trackers),
		"GET /metrics":            thisMachine(promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})),
		"/":                       a.signIns(a.console.Handler()),
	})
	for pattern, handler := range routes {
		if needs[pattern] == "" { // a test finds it before anybody else does
			return nil, fmt.Errorf("nothing says who may use %s", pattern)
		}
		mux.Handle(pattern, handler)
	}
	return mux, nil
}

// bodyTime is how long a body may take to arrive from somebody who has not shown who
// they are: connections that wait for the rest of one are taken from those with alerts.
const bodyTime = 10 * time.Second

// inTime does not wait longer than that for a body. The server lifts the deadline
// itself at the body's end.
func inTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a test's has none
		next.ServeHTTP(w, r)
	})
}

// needs says who may use each address outside the console; docs/security.md
// tells people, and a test holds the two together.
var needs = map[string]string{
	jiraHook:                     "Jira's signature or the tracker's token",
	gitlabHook:                   "the tracker's token",
	servicenowHook:               "the tracker's token",
	backlogHook:                  "the tracker's token in the address",
	"/v1/alerts/alertmanager":    "a source's token",
	"/api/v2/alerts":             "a source's token",
	"/v1/alerts/generic":         "a source's token",
	"/v1/logs":                   "a source's token",
	"/v1/changes":                "a source's token",
	"GET /metrics":               "this machine",
	"POST /slack/events":         "Slack's signature",
	"POST /slack/interactions":   "Slack's signature",
	"POST /slack/commands":       "Slack's signature",
	"POST /discord/interactions": "Discord's signature",
	"/":                          "see the console's own addresses",
}

// thisMachine serves programs on this machine only: metrics tell strangers too
// much. Set a scraper beside the bot, or a proxy that checks who asks.
func thisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !intake.ThisMachine(r) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
