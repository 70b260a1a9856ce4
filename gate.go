package main

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// gate is all that can keep an approved run from starting, in the order in which it
// is asked. A new brake is a line here.
func (a *app) gate(freezer *worker.Freezer) worker.Gate {
	return worker.Gate{
		worker.Approved(time.Now), // as it is, by as many as must, not too long ago
		{Name: "rights", Ask: bot.StillMay(a.config.rights)},
		freezer.Brake(),
	}
}
