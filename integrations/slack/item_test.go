package slack

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// What is ranked leads to more about it, on the same line as its evidence.
func TestARankedThingLeadsToMore(t *testing.T) {
	t.Parallel()
	m := bot.Message{Kind: bot.KindSuggestions, Title: "Next", Items: []bot.Item{
		{Rank: 1, Title: "Restart", Evidence: "untried", Link: &bot.Link{Label: "Runbook <b>", URL: "https://h.example.com/incidents/INC-1/runbooks/restart"}},
	}}
	blocks := blocksOf(t, render(m, "en"))
	if problem := fake.CheckBlocks(blocks, maxBlocks); problem != "" {
		t.Error(problem)
	}
	b, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"type":"link"`, `"url":"https://h.example.com/incidents/INC-1/runbooks/restart"`, `"text":"Runbook \u003cb\u003e"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("lacks %s: %s", want, b)
		}
	}
}
