package main

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

func TestWhatPeopleWriteIsStruckOfSecrets(t *testing.T) {
	t.Parallel()
	redact := steps.NewRedactor("hunter2hunter2")
	const words = "it said hunter2hunter2, then Authorization: Bearer abcdef0123456789"
	clean := func(text string) bool {
		return text != "" && !strings.Contains(text, "hunter2") && !strings.Contains(text, "abcdef0123456789")
	}
	for name, text := range map[string]string{
		"note":    withoutSecrets(incidents.Note{Text: words}, redact).(incidents.Note).Text,
		"deny":    withoutSecrets(incidents.Deny{Text: words}, redact).(incidents.Deny).Text,
		"resolve": withoutSecrets(incidents.Resolve{Text: words}, redact).(incidents.Resolve).Text,
		"reopen":  withoutSecrets(incidents.Reopen{Text: words}, redact).(incidents.Reopen).Text,
		"settle":  withoutSecrets(incidents.Settle{Text: words}, redact).(incidents.Settle).Text,
		"vote":    withoutSecrets(incidents.Vote{Text: words}, redact).(incidents.Vote).Text,
		"despite": withoutSecrets(incidents.Approve{Despite: words}, redact).(incidents.Approve).Despite,
		"asked":   withoutSecrets(incidents.Consulted{Line: words}, redact).(incidents.Consulted).Line,
	} {
		if !clean(text) {
			t.Errorf("%s: %q", name, text)
		}
	}
	// What is approved is approved as it stands.
	plan := incidents.Plan{Digest: "token=abcdef0123456789"}
	if got := withoutSecrets(incidents.Request{Plan: plan}, redact).(incidents.Request); got.Plan.Digest != plan.Digest {
		t.Errorf("%+v", got)
	}
}
