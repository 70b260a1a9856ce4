package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Has says whether the inventory has a host of that name.
func (e *Executor) Has(host string) bool {
	_, known := e.inventory.hosts[host]
	return known
}

// Read runs a program on a host of the inventory that only reads, and gives what it
// wrote: at most so many bytes from its end, and whether there was more. When
// ctx ends, so does the connection.
func (e *Executor) Read(ctx context.Context, name string, argv []string, most int) ([]byte, bool, error) {
	h, known := e.inventory.hosts[name]
	if !known {
		return nil, false, incidents.Fail(incidents.Forbidden, "runbook.ssh.unknown_host", fmt.Sprintf("%.100q is not a host of the inventory", name), "host", fmt.Sprintf("%.100s", name))
	}
	command, err := Quote(argv)
	if err != nil {
		return nil, false, err
	}
	t := &talk{ctx: ctx, name: name, host: h}
	client, hangUp, err := t.connect(e.inventory.revoked)
	if err != nil {
		return nil, false, err
	}
	defer hangUp()
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	session, err := client.NewSession()
	if err != nil {
		return nil, false, t.fail("runbook.ssh.no_session", "%s does not let us run a command: %v", plainly(ctx, err))
	}
	defer session.Close()
	out, said := &bounded{most: most}, &bounded{most: incidents.MaxValue}
	session.Stdout, session.Stderr = out, said
	err = session.Run(command)
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	if exit, is := errors.AsType[*ssh.ExitError](err); is {
		why, _ := said.end()
		err = fmt.Errorf("%s on %s ended with %d: %s", argv[0], name, exit.ExitStatus(), bytes.TrimSpace(why))
	} else if err != nil {
		err = t.fail("runbook.ssh.unreachable", "%s cannot be reached: %v", plainly(ctx, err))
	}
	kept, more := out.end()
	return kept, more, err
}

// bounded keeps the end of what is written to it: of a log the latest.
type bounded struct {
	kept []byte
	most int
	more bool
}

func (b *bounded) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p...)
	if len(b.kept) > 2*b.most { // not at each write, or each would move all of it
		b.kept, b.more = append(b.kept[:0], b.kept[len(b.kept)-b.most:]...), true
	}
	return len(p), nil
}

func (b *bounded) end() ([]byte, bool) {
	if len(b.kept) > b.most {
		b.kept, b.more = b.kept[len(b.kept)-b.most:], true
	}
	return b.kept, b.more
}
