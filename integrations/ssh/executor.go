package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Scheme begins the URL of an ssh step; the rest of it is a name of the inventory.
const Scheme = "ssh://"

// Executor carries out ssh steps, each over a connection of its own.
type Executor struct {
	inventory *Inventory
	grace     time.Duration
}

// New makes the executor; without an inventory it refuses every step.
func New(inventory *Inventory) *Executor {
	if inventory == nil {
		inventory = &Inventory{}
	}
	return &Executor{inventory: inventory, grace: steps.KillGrace}
}

// lifeline starts the command with a watcher beside it, as the guard is beside a
// command here: when its input ends although the command has not, because we say so
// or because we are gone, it ends the process group. A command that has ended by
// itself may have left a daemon, which is then what was wanted. The server's own
// way, the signals of RFC 4254, is refused by OpenSSH where it runs without
// separated privileges or the login is root's. The script is constant; the command
// stands in its arguments.
const lifeline = `exec sh -c '` +
	`exec 3<&0 </dev/null; ` +
	`(trap "" TERM HUP INT; while read -r _ <&3; do :; done; exec 3<&-; kill -0 $$ && { kill -TERM 0; sleep 2; kill -KILL 0; }) >/dev/null 2>&1 & ` +
	`exec 3<&-; exec "$@"' hikeshi`

const (
	connectWithin = 10 * time.Second
	patienceMore  = time.Second / 2 // than the lifeline has between its two signals
)

// Execute implements steps.Executor.
func (e *Executor) Execute(ctx context.Context, step incidents.Step, env steps.Env) incidents.StepResult {
	expect, err := steps.ParseExpect(step.Expect)
	if err != nil {
		return steps.Failed(steps.Bad(err))
	}
	name, is := strings.CutPrefix(step.URL, Scheme)
	h, known := e.inventory.hosts[name]
	if !is || !known {
		return steps.Failed(incidents.Fail(incidents.Forbidden, "runbook.ssh.unknown_host",
			fmt.Sprintf("%.100q is not a host of the inventory", name), "host", fmt.Sprintf("%.100s", name)))
	}
	command, err := Quote(step.Argv)
	if err != nil {
		return steps.Failed(steps.Bad(err))
	}
	if !h.bare {
		command = lifeline + " " + command
	}
	t := &talk{ctx: ctx, step: step, name: name, host: h, grace: e.grace}
	said := steps.Hear(env)
	code, err := t.run(command, e.inventory.revoked, env, said)
	if err != nil {
		result := steps.Failed(err)
		result.Unsure = t.adrift
		result.Output = said.Text()
		return result
	}
	return said.Judge(expect, code)
}

// A talk is one step on one host.
type talk struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one call
	step  incidents.Step
	name  string
	host  host
	grace time.Duration
	conn  net.Conn // once it is logged in

	adrift bool // it was sent, and nobody knows whether it ended there
}

func (t *talk) run(command string, revoked []ssh.PublicKey, env steps.Env, said *steps.Said) (int, error) {
	client, hangUp, err := t.connect(revoked)
	if err != nil {
		return 0, err
	}
	defer hangUp()
	session, input, err := t.start(client, command, env, said)
	if err != nil {
		return 0, err
	}
	defer session.Close()
	return t.await(session, input)
}

// start starts the command. A host that hangs now is left when the time is over.
func (t *talk) start(client *ssh.Client, command string, env steps.Env, said *steps.Said) (*ssh.Session, io.Closer, error) {
	stop := context.AfterFunc(t.ctx, func() { _ = client.Close() })
	session, err := client.NewSession()
	if err != nil {
		stop()
		return nil, nil, t.fail("runbook.ssh.no_session", "%s does not let us run a command: %v", plainly(t.ctx, err))
	}
	for name, value := range map[string]string{"RB_EXECUTION_ID": env.Execution, "RB_INCIDENT": env.Incident.String()} {
		if value != "" {
			_ = session.Setenv(name, value) // most servers take none: AcceptEnv RB_*
		}
	}
	session.Stdout, session.Stderr = said.Writers()
	input, err := session.StdinPipe() // nothing is ever written to it
	if err == nil {
		err = session.Start(command)
	}
	if !stop() && err == nil {
		err = t.ctx.Err()
	}
	if err != nil {
		_ = session.Close() // it may be closed
		return nil, nil, t.lost(err)
	}
	return session, input, nil
}

// connect logs in. hangUp closes the connection and returns when nothing of it is
// left.
func (t *talk) connect(revoked []ssh.PublicKey) (*ssh.Client, func(), error) {
	ctx, cancel := context.WithTimeout(t.ctx, connectWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.host.address)
	if err != nil {
		return nil, nil, t.fail("runbook.ssh.unreachable", "%s cannot be reached: %v", plainly(ctx, err))
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // ends a handshake that hangs
	door := &doorman{host: t.host, revoked: revoked}
	link, channels, requests, err := ssh.NewClientConn(conn, t.host.address, door.config())
	if !stop() && err == nil {
		_ = link.Close()
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, t.refused(ctx, door, err)
	}
	t.conn = conn
	client := ssh.NewClient(link, channels, requests)
	return client, func() {
		_ = client.Close()
		_ = client.Wait() // always an error: it was closed
	}, nil
}

// refused tells why the handshake failed.
func (t *talk) refused(ctx context.Context, door *doorman, err error) error {
	negotiation, unlike := errors.AsType[*ssh.AlgorithmNegotiationError](err)
	switch {
	case door.revokedKey:
		return incidents.Fail(incidents.Forbidden, "runbook.ssh.revoked_key",
			fmt.Sprintf("%s shows the key %s, which was revoked: whoever answers there may not be that host. Nothing was sent", t.name, door.shown),
			"host", t.name, "shown", door.shown)
	case door.shown != "" && !door.passed:
		return incidents.Fail(incidents.Forbidden, "runbook.ssh.host_key",
			fmt.Sprintf("%s shows the key %s, but the inventory pins %s: whoever answers there may not be that host. Nothing was sent", t.name, door.shown, door.wanted()),
			"host", t.name, "shown", door.shown, "pinned", door.wanted())
	case unlike && strings.Contains(negotiation.Error(), "host key"):
		return incidents.Fail(incidents.Forbidden, "runbook.ssh.host_key_kind",
			fmt.Sprintf("%s has no key of the kind that the inventory pins (%s). Nothing was sent", t.name, door.wanted()), "host", t.name, "pinned", door.wanted())
	case door.passed && strings.Contains(err.Error(), "unable to authenticate"):
		return incidents.Fail(incidents.Forbidden, "runbook.ssh.auth",
			fmt.Sprintf("%s does not let %s in with our key", t.name, t.host.user), "host", t.name, "user", t.host.user)
	}
	return t.fail("runbook.ssh.unreachable", "%s cannot be reached: %v", plainly(ctx, err))
}

// plainly is the error, or that time ran out, which says more than that a
// connection was closed.
func plainly(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("no answer in time")
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

func (t *talk) fail(phrase, format string, err error) error {
	return incidents.Fail(incidents.Unavailable, phrase, fmt.Sprintf(format, t.name, err), "host", t.name, "error", err.Error())
}

// await waits for the command's end. Where the time is over first, its process
// group gets SIGTERM and then SIGKILL, from the lifeline or from the server.
func (t *talk) await(session *ssh.Session, input io.Closer) (int, error) {
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case err := <-ended:
		return t.outcome(err)
	case <-t.ctx.Done():
	}
	_ = t.conn.SetDeadline(time.Now().Add(3 * (t.grace + patienceMore))) // a host that hangs does not take what we say now
	_ = input.Close()                                                    // the lifeline
	for _, signal := range []ssh.Signal{ssh.SIGTERM, ssh.SIGKILL} {
		_ = session.Signal(signal) // the server may be gone, or take none
		patience := time.NewTimer(t.grace + patienceMore)
		select {
		case err := <-ended:
			patience.Stop()
			if _, lost := errors.AsType[*ssh.ExitMissingError](err); lost {
				t.adrift = true
				return 0, t.cut("runbook.ssh.left", "nobody knows whether it goes on there")
			}
			return 0, t.cut("runbook.ssh.timeout", "it was ended there")
		case <-patience.C:
		}
	}
	t.adrift = true
	return 0, t.cut("runbook.ssh.left", "nobody knows whether it goes on there")
}

// cut says that the step did not end by itself. Other than with a command here
// that is not "down": the way to the host may be what is slow.
func (t *talk) cut(phrase, what string) error {
	stopped := steps.Stopped(t.ctx, t.step)
	if why, ok := errors.AsType[*incidents.Error](stopped); ok && why.Phrase != "runbook.timeout" {
		return stopped
	}
	within := t.step.Timeout.String()
	return incidents.Fail(incidents.Unavailable, phrase,
		fmt.Sprintf("not finished on %s within %s; %s", t.name, within, what), "host", t.name, "within", within)
}

func (t *talk) outcome(err error) (int, error) {
	if err == nil {
		return 0, nil
	}
	exit, is := errors.AsType[*ssh.ExitError](err)
	switch {
	case is && exit.Signal() != "":
		signal := "signal: " + exit.Signal()
		return 0, incidents.Fail(incidents.Unavailable, "runbook.killed", "ended by "+signal, "signal", signal)
	case is:
		return exit.ExitStatus(), nil
	}
	return 0, t.lost(err)
}

func (t *talk) lost(err error) error {
	t.adrift = true
	return t.fail("runbook.ssh.lost", "the connection to %s ended before the command did, so nobody knows what became of it: %v", plainly(t.ctx, err))
}
