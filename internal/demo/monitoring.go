package demo

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
)

// Rules are the alerting rules about the shop in Prometheus's format; write them
// to the file named in [PrometheusOptions].
//
//go:embed rules.yml
var Rules string

// PrometheusOptions say what a Prometheus scrapes and whom it tells.
type PrometheusOptions struct {
	Shop         string        // host:port
	RulesFile    string        // absolute path of a file with Rules
	Alertmanager string        // host:port of what speaks Alertmanager's API v2: an Alertmanager, or Hikeshi
	Token        string        // bearer token for it; "" for none
	Interval     time.Duration // of scraping and of rules; default 1 s
}

// PrometheusConfig is the configuration file of such a Prometheus.
func PrometheusConfig(o PrometheusOptions) string {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	var b strings.Builder
	fmt.Fprintf(&b, "global: {scrape_interval: %[1]s, scrape_timeout: %[1]s, evaluation_interval: %[1]s}\n", milliseconds(o.Interval))
	fmt.Fprintf(&b, "rule_files: [%q]\n", o.RulesFile)
	fmt.Fprintf(&b, "scrape_configs:\n  - job_name: shop\n    static_configs: [{targets: [%q]}]\n", o.Shop)
	fmt.Fprintf(&b, "alerting:\n  alertmanagers:\n    - api_version: v2\n      static_configs: [{targets: [%q]}]\n", o.Alertmanager)
	if o.Token != "" {
		fmt.Fprintf(&b, "      authorization: {type: Bearer, credentials: %q}\n", o.Token)
	}
	return b.String()
}

// AlertmanagerConfig is the configuration file of an Alertmanager that groups the
// shop's alerts by name and service and posts them to a webhook at once.
func AlertmanagerConfig(webhookURL, token string) string {
	var b strings.Builder
	b.WriteString("route:\n  receiver: hikeshi\n  group_by: [alertname, service]\n" +
		"  group_wait: 100ms\n  group_interval: 1s\n  repeat_interval: 1m\n")
	fmt.Fprintf(&b, "receivers:\n  - name: hikeshi\n    webhook_configs:\n      - url: %q\n        send_resolved: true\n", webhookURL)
	if token != "" {
		fmt.Fprintf(&b, "        http_config: {authorization: {type: Bearer, credentials: %q}}\n", token)
	}
	return b.String()
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
