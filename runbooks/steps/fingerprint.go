package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Bounds of what a playbook's run can depend on. A directory with more is not one of
// playbooks.
const (
	maxPlaybookFiles = 10_000
	maxPlaybookBytes = 64 << 20
)

// Content is the SHA-256 of what the step's run depends on besides the step: all
// playbooks, with the roles, tasks and templates beside them, which they can include,
// and the inventory. It is "" for a step that changes nothing.
func (c AnsibleConfig) Content(step incidents.Step) (string, error) {
	if step.Kind != KindAnsible || step.Method != AnsibleRun {
		return "", nil
	}
	p := &printer{sum: sha256.New()}
	for _, root := range []string{c.Playbooks, c.Inventory} {
		if root == "" {
			return "", unreadable(errors.New("runbooks.ansible is not configured"))
		}
		if err := filepath.WalkDir(root, p.add); err != nil {
			return "", unreadable(err)
		}
	}
	return hex.EncodeToString(p.sum.Sum(nil)), nil
}

func unreadable(err error) error {
	return incidents.Fail(incidents.Unavailable, "runbook.ansible.unreadable",
		"the playbooks and the inventory cannot be read: "+err.Error(), "error", err.Error())
}

// A printer makes a sum over files, in the order of their names.
type printer struct {
	sum          hash.Hash
	files, bytes int64
}

func (p *printer) add(name string, d fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case d.IsDir() && (d.Name() == ".git" || d.Name() == "__pycache__"): // written by tools, read by no playbook
		return filepath.SkipDir
	case d.IsDir():
		return nil
	}
	info, err := os.Stat(name) // what a link leads to is what is run
	if err != nil {
		return fmt.Errorf("look at %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a plain file", name)
	}
	p.files, p.bytes = p.files+1, p.bytes+info.Size()
	if p.files > maxPlaybookFiles || p.bytes > maxPlaybookBytes {
		return fmt.Errorf("there are more than %d files or %d MiB", maxPlaybookFiles, maxPlaybookBytes>>20)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	one := sha256.Sum256(content)
	_, _ = fmt.Fprintf(p.sum, "%q %o %x\n", name, info.Mode().Perm(), one) // a sum takes everything
	return nil
}

// unchanged refuses a run whose playbooks or inventory are not those that were
// approved.
func (a *Ansible) unchanged(step incidents.Step) error {
	now, err := a.config.Content(step)
	if err != nil {
		return err
	}
	if now != step.Content {
		return ContentChanged(step)
	}
	return nil
}

// ContentChanged says that what the step refers to is not what was approved.
func ContentChanged(step incidents.Step) error {
	if step.Kind == KindSSH {
		host := strings.TrimPrefix(step.URL, "ssh://")
		return incidents.Fail(incidents.Conflict, "runbook.ssh.changed",
			fmt.Sprintf("what the inventory says of %s has changed since %s was planned, so it was not run", host, step.ID), "step", step.ID, "host", host)
	}
	return incidents.Fail(incidents.Conflict, "runbook.ansible.changed",
		fmt.Sprintf("the playbooks or the inventory have changed since %s was planned, so it was not run", step.ID), "step", step.ID)
}
