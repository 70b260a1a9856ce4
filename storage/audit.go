package storage

import (
	"context"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// Audit keeps the audit: one chain, whoever appends. It is never pruned.
type Audit interface {
	// AuditHead is where the chain ends.
	AuditHead(ctx context.Context) (audit.Head, error)
	// AppendAudit appends entries if the chain ends at after, all or none. An
	// *audit.Moved says that it ends elsewhere, an *audit.Closed that an outcome's
	// intent has one already; with either nothing was appended. Appending what
	// stands there already is no error. After any other error nobody knows.
	AppendAudit(ctx context.Context, after audit.Head, entries []audit.Entry) error
	// AuditEntries returns those with a Seq above after, ascending, at most max.
	AuditEntries(ctx context.Context, after int64, max int) ([]audit.Entry, error)
	// AuditOwed returns the intents that have no outcome, ascending.
	AuditOwed(ctx context.Context) ([]audit.Owed, error)
}

// AuditReader reads an audit beside the process that writes it.
type AuditReader interface {
	AuditEntries(ctx context.Context, after int64, max int) ([]audit.Entry, error)
	Close() error
}

// OpenAudit opens the audit of the store that cfg names, to be read only. It
// takes no lock: a Hikeshi may be at work there.
func OpenAudit(ctx context.Context, cfg Config) (AuditReader, error) {
	if cfg.URL == "" {
		return sqlite.OpenAudit(cfg.Dir)
	}
	s, err := redis.Open(ctx, redis.Config{URL: cfg.URL, Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("open the audit: %w", err)
	}
	return s, nil
}
