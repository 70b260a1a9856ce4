// Package alertmanager understands what Prometheus' family posts: the webhook
// of Alertmanager (version 4), and Alertmanager's own API v2, so that a
// Prometheus, or anything else that talks to an Alertmanager, can name Hikeshi
// as one.
//
// Formats: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
// and https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
// (postableAlerts).
//
// It promises that the labels of an alert are its identity, as they are to
// Alertmanager: the same alert by either way is the same alert. Unknown fields
// are skipped, so that newer senders are understood.
//
// Start with DecodeWebhook and DecodeAPI; package intake serves them.
package alertmanager
