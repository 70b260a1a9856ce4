package discord

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// What is ranked leads to more about it, and hides nowhere where to.
func TestARankedThingLeadsToMore(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"https://h.example.com/incidents/INC-1/runbooks/restart": `untried\nRunbook: https://h.example.com/incidents/INC-1/runbooks/restart"`,
		"http://localhost:8080/incidents/INC-1":                  "untried\\nRunbook: `http://localhost:8080/incidents/INC-1`\"",
		"javascript:alert(1)":                                    "untried\\nRunbook: `javascript:alert(1)`\"",
	} {
		m := &bot.Message{Kind: bot.KindSuggestions, Title: "Next", Items: []bot.Item{{Rank: 1, Title: "Restart", Evidence: "untried", Link: &bot.Link{Label: "Runbook", URL: to}}}}
		b, err := json.Marshal(rendered(m, "en", "", "").Embeds)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), want) {
			t.Errorf("%s: %s", to, b)
		}
	}
}
