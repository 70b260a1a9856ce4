// Package servicenow keeps tickets as the incidents of a ServiceNow instance,
// over its Table API.
//
// It promises one record for each marker, which is its correlation_id
// (remote.Once); that times are compared in no time zone but UTC, whatever the
// account's is; and that nothing which an alert or a chat says ends a query or
// becomes markup in a work note. What a webhook says is asked for again.
//
// Start with Tracker.Open for the way out, api.Look for the way back.
package servicenow
