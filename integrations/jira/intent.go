package jira

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Settings is where it is noted what is about to be created.
type Settings = tracker.Settings

type intent = tracker.Intent

func (k *Tracker) intents() *tracker.Intents {
	return &tracker.Intents{Name: k.config.Name, Settings: k.settings, Now: k.now, Busy: later(lookAgain, "error.jira_unsure", "another replica is creating the ticket")}
}

func (k *Tracker) intent(ctx context.Context, marker string) (*intent, error) {
	return k.intents().Find(ctx, marker)
}

func (k *Tracker) note(ctx context.Context, in *intent) error { return k.intents().Note(ctx, in) }
