package remote

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Shelf is where a system keeps the files of its tickets.
type Shelf interface {
	// HasFile says whether we gave the ticket the file with that key.
	HasFile(ctx context.Context, ticket, key string) (bool, error)
	// PutFile gives the ticket a file. What it leaves behind where it is interrupted
	// stands on no ticket.
	PutFile(ctx context.Context, ticket string, f tracker.File) error
}

// Attach gives the ticket the file, unless it has the one with that key: the
// attempt before may have worked without anybody hearing of it. Which files a
// ticket has is read where they are kept, so that no index lags here.
func (a *Adapter) Attach(ctx context.Context, ticket string, f tracker.File) error {
	there, err := a.shelf.HasFile(ctx, ticket, f.Key)
	if err != nil || there {
		return err
	}
	failpoint.Hit("tracker.attach.before")
	err = a.shelf.PutFile(ctx, ticket, f)
	failpoint.Hit("tracker.attach.asked")
	return err
}
