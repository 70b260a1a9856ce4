package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/hikeshi-ops/hikeshi/audit"
)

// auditLaws: "hikeshi audit verify" finds nothing wrong.
func (p place) auditLaws(ctx context.Context) (bad []string, err error) {
	out, err := p.auditCommand(ctx, "verify")
	if _, failed := errors.AsType[*exec.ExitError](err); failed {
		return []string{fmt.Sprintf("the audit is not whole: %s", out)}, nil
	}
	return nil, err
}

// audited is the whole audit, as it is exported.
func (p place) audited(ctx context.Context) (all []audit.Record, err error) {
	out, err := p.auditCommand(ctx, "export")
	if err != nil {
		return nil, fmt.Errorf("export the audit: %w", err)
	}
	for lines := json.NewDecoder(bytes.NewReader(out)); lines.More(); {
		var line struct{ Record audit.Record }
		if err := lines.Decode(&line); err != nil {
			return nil, fmt.Errorf("read the audit's export: %w", err)
		}
		all = append(all, line.Record)
	}
	return all, nil
}

func (p place) auditCommand(ctx context.Context, verb string) ([]byte, error) {
	c := exec.CommandContext(ctx, binary, "audit", verb, "--config", filepath.Join(p.dir, "hikeshi.yaml"))
	c.Env = []string{"HIKESHI_LANGUAGE=en"}
	return c.Output()
}
