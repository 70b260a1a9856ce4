package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
)

// auditConfig is where the audit has its key and its checkpoints; see docs/audit.md.
type auditConfig struct {
	KeyFile         string   `yaml:"key_file"`
	Checkpoints     string   `yaml:"checkpoints"`
	CheckpointEvery duration `yaml:"checkpoint_every"`
}

// settledAudit is the audit's configuration with its keys read.
type settledAudit struct {
	keys    audit.Keys // none: they are made in the data directory
	secrets []string   // the lines of the key file
}

// audit reads the key, and looks whether there is a place for checkpoints.
func (s *settler) audit() {
	if file := s.Audit.KeyFile; file != "" {
		keys, raw, err := trail.ReadKeys(file)
		if err != nil {
			s.note(wrong("audit.key_file", "config.audit_key", "file", file, "error", cause(err)).
				try("config.hint.try", "hint", "(umask 077; openssl rand -hex 32 > "+file+")"))
		}
		s.settled.audited = settledAudit{keys, keyLines(raw)}
	}
	if path := s.Audit.Checkpoints; path != "" {
		if dir := filepath.Dir(path); !isDir(path) && !isDir(dir) {
			s.note(wrong("audit.checkpoints", "config.audit_checkpoints", "file", path, "dir", dir))
		}
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// keyLines are what must never be seen of a key file.
func keyLines(raw string) []string {
	var all []string
	for line := range strings.Lines(raw) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// checkpointsAt is where the checkpoints are, or would be.
func (s *settled) checkpointsAt() string {
	if s.Audit.Checkpoints != "" {
		return trail.NewSink(s.Audit.Checkpoints).Path()
	}
	return filepath.Join(s.Data, trail.CheckpointFile)
}
