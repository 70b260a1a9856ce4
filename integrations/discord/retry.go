package discord

import (
	"context"
	"errors"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// answered has an answer sent, again where that may help: editing the same message
// twice changes nothing. The promise itself may not have reached Discord yet.
func (in *Inbox) answered(ctx context.Context, send func(ctx context.Context) error) error {
	pause := 200 * time.Millisecond
	for {
		err := send(ctx)
		later, busy := errors.AsType[*incidents.Later](err)
		r, said := errors.AsType[*refusal](err)
		switch {
		case err == nil:
			return nil
		case busy:
			pause = max(pause, later.After)
		case said && r.status < 500 && r.code != codeUnknownWebhook:
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		if pause = min(2*pause, 30*time.Second); pause >= 30*time.Second && said && r.code == codeUnknownWebhook {
			return err // it was never promised
		}
	}
}
