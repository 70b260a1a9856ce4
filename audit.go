package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// auditFlags are the flags of audit verify and audit export.
type auditFlags struct {
	serveFlags
	checkpoints, format string
}

// auditCommand is "hikeshi audit verify" and "hikeshi audit export". Both only
// read, beside a Hikeshi that may be at work.
func auditCommand(ctx context.Context, args []string, std streams) int {
	lang := language()
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	switch verb {
	case "verify", "export":
	case "-h", "--help", "help":
		fmt.Fprintln(std.err, phrases.T(lang, "cli.usage_audit"))
		return exitOK
	default:
		fmt.Fprintln(std.err, phrases.T(lang, "cli.usage_audit"))
		return exitUsage
	}
	var f auditFlags
	fs := newFlags("audit "+verb, std)
	fs.StringVar(&f.config, "config", "", phrases.T(lang, "cli.flag.config"))
	fs.StringVar(&f.store, "store", "", phrases.T(lang, "cli.flag.store"))
	fs.StringVar(&f.data, "data", "", phrases.T(lang, "cli.flag.data"))
	if verb == "verify" {
		fs.StringVar(&f.checkpoints, "checkpoints", "", phrases.T(lang, "cli.flag.checkpoints"))
	} else {
		fs.StringVar(&f.format, "format", audit.JSONLines, phrases.T(lang, "cli.flag.format"))
	}
	if code, done := parse(fs, args[1:], 0); done {
		return code
	}
	if verb == "export" && audit.NewExporter(f.format, nil) == nil {
		fmt.Fprintln(std.err, phrases.T(lang, "cli.audit_format", "format", audit.Text(f.format, 80)))
		fmt.Fprintln(std.err, phrases.T(lang, "cli.hint", "hint", "hikeshi audit export --format "+audit.JSONLines))
		return exitUsage
	}
	return f.run(ctx, verb, std)
}

func (f *auditFlags) run(ctx context.Context, verb string, std streams) int {
	c, err := f.load()
	if err != nil {
		complain(std.err, err)
		return exitInvalid
	}
	reader, err := storage.OpenAudit(ctx, storage.Config{URL: c.StoreURL, Dir: c.Data})
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	whole := false
	if verb == "export" {
		whole, err = true, exportAudit(ctx, reader, audit.NewExporter(f.format, std.out))
	} else {
		whole, err = verifyAudit(ctx, c, reader, f.checkpoints, std.out)
	}
	if err = errors.Join(err, reader.Close()); err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	if !whole {
		return exitFailed
	}
	return exitOK
}

// auditPage is how many records are read at once.
const auditPage = 500

// eachAudit calls see for every entry, in order, until see says that it is enough.
func eachAudit(ctx context.Context, reader storage.AuditReader, see func(audit.Entry) (more bool, err error)) error {
	for after := int64(0); ; {
		page, err := reader.AuditEntries(ctx, after, auditPage)
		if err != nil {
			return incidents.Fail(incidents.Unavailable, "error.audit_read", "the audit cannot be read: "+err.Error(), "error", err.Error())
		}
		for _, e := range page {
			if more, err := see(e); err != nil || !more {
				return err
			}
			if e.Seq <= after { // somebody else's entry: a verifier has said so, an export goes no further
				return nil
			}
			after = e.Seq
		}
		if len(page) == 0 {
			return ctx.Err()
		}
	}
}

func exportAudit(ctx context.Context, reader storage.AuditReader, to audit.Exporter) error {
	err := eachAudit(ctx, reader, func(e audit.Entry) (bool, error) { return true, to.Write(e) })
	return errors.Join(err, to.Flush())
}

// keysFor are the configured keys, or those in the data directory. None is made.
func keysFor(c *config.Settled) (audit.Keys, error) {
	if c.Audit.KeyFile != "" {
		return c.Audited.Keys, nil
	}
	file := filepath.Join(c.Data, trail.KeyFile)
	keys, _, err := trail.ReadKeys(file)
	if errors.Is(err, trail.ErrNoKey) {
		return keys, incidents.Fail(incidents.Invalid, "error.audit_no_key", "there is no key of the audit at "+file, "file", file).
			WithHint("hikeshi audit verify --config FILE")
	}
	if err != nil {
		return keys, badAuditKey(file, err)
	}
	return keys, nil
}

// pendingFor is how long an intent may be without an outcome: no run takes
// longer than an hour between two of its steps' limits.
const pendingFor = time.Hour

// verifyAudit reads everything again and says whether it is whole.
func verifyAudit(ctx context.Context, c *config.Settled, reader storage.AuditReader, path string, out io.Writer) (bool, error) {
	keys, err := keysFor(c)
	if err != nil {
		return false, err
	}
	points, forged, err := checkpointsFor(c, keys, path, out)
	if err != nil {
		return false, err
	}
	v := audit.NewVerifier(keys, points)
	var broken *audit.Problem
	err = eachAudit(ctx, reader, func(e audit.Entry) (bool, error) {
		broken = v.Next(e)
		return broken == nil, nil
	})
	if err != nil {
		return false, err
	}
	say := sayer(out)
	var report audit.Report
	if broken == nil {
		report, broken = v.End(time.Now(), pendingFor)
	}
	if broken != nil {
		say("audit.is_broken", "seq", strconv.FormatInt(broken.Seq, 10), "what", phrases.T(language(), "audit.broken."+string(broken.What),
			"seq", strconv.FormatInt(broken.Seq, 10), "to", strconv.FormatInt(broken.To, 10), "key", audit.Text(broken.Key, 32), "at", broken.At.String()))
		return false, nil
	}
	if report.Records == 0 {
		say("audit.empty")
		return false, nil
	}
	sayReport(say, keys, report)
	return !forged, nil
}

func sayer(out io.Writer) func(key string, args ...string) {
	return func(key string, args ...string) { fmt.Fprintln(out, phrases.T(language(), key, args...)) }
}

func sayReport(say func(key string, args ...string), keys audit.Keys, r audit.Report) {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	for i := range r.Pending {
		p := &r.Pending[i]
		say("audit.pending", "seq", n(p.Seq), "action", string(p.Action), "at", p.At.String())
	}
	if r.Backwards > 0 {
		say("audit.backwards", "seq", n(r.Backwards))
	}
	say("audit.whole", "records", n(r.Records), "from", r.From.String(), "till", r.Till.String(), "intents", n(r.Intents), "unknown", n(r.Unknown), "pending", strconv.Itoa(len(r.Pending)))
	say("audit.head", "seq", n(r.Head.Seq), "mac", r.Head.MAC.String())
	if r.Checkpoints == 0 {
		say("audit.no_checkpoints")
		return
	}
	say("audit.agree", "n", strconv.Itoa(r.Checkpoints), "key", keys.PublicKey())
}

// checkpointsFor reads the checkpoints that were named, or those of the
// configured place where there are any. A line that a crash tore is told of; one
// that bears a wrong signature is not ours.
func checkpointsFor(c *config.Settled, keys audit.Keys, path string, out io.Writer) (good []audit.Checkpoint, forged bool, err error) {
	named := path != ""
	if !named {
		path = c.CheckpointsAt()
	}
	good, bad, err := trail.ReadCheckpoints(path, keys)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, incidents.Fail(incidents.Invalid, "error.audit_checkpoints", "the checkpoints at "+path+" cannot be read: "+config.Cause(err),
			"file", path, "error", config.Cause(err)).WithHint("hikeshi audit verify --checkpoints PATH")
	}
	say := sayer(out)
	for _, b := range bad {
		key := "audit.torn"
		if errors.Is(b.Err, audit.ErrForged) {
			key, forged = "audit.checkpoint_forged", true
		}
		say(key, "file", b.File, "line", strconv.Itoa(b.Line), "error", audit.Text(b.Err.Error(), 200))
	}
	return good, forged, nil
}
