package config

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
)

// Audit is where the audit has its key and its checkpoints; see docs/audit.md.
type Audit struct {
	KeyFile         string   `yaml:"key_file"`
	Checkpoints     string   `yaml:"checkpoints"`
	CheckpointEvery Duration `yaml:"checkpoint_every"`
}

// SettledAudit is the audit's configuration with its keys read.
type SettledAudit struct {
	Keys    audit.Keys // none: they are made in the data directory
	Secrets []string   // the lines of the key file
}

// audit reads the key, and looks whether there is a place for checkpoints.
func (s *settler) audit() {
	if file := s.Audit.KeyFile; file != "" {
		keys, raw, err := trail.ReadKeys(file)
		if err != nil {
			s.note(wrong("audit.key_file", "config.audit_key", "file", file, "error", Cause(err)).
				try("config.hint.try", "hint", "(umask 077; openssl rand -hex 32 > "+file+")"))
		}
		s.Settled.Audited = SettledAudit{keys, KeyLines(raw)}
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

// KeyLines are what must never be seen of a key file.
func KeyLines(raw string) []string {
	var all []string
	for line := range strings.Lines(raw) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// CheckpointsAt is where the checkpoints are, or would be.
func (s *Settled) CheckpointsAt() string {
	if s.Audit.Checkpoints != "" {
		return trail.NewSink(s.Audit.Checkpoints).Path()
	}
	return filepath.Join(s.Data, trail.CheckpointFile)
}
