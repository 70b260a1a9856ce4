package trail

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hikeshi-ops/hikeshi/audit"
)

// KeyFile is the name of a key that was made in the data directory.
const KeyFile = "audit.key"

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 64 << 10

// Errors of key files.
var (
	ErrNoKey   = errors.New("there is no key file")
	ErrOpenKey = errors.New("others than its owner can read or write it; chmod 600")
)

// ReadKeys reads a key file. It refuses one that others may read.
func ReadKeys(path string) (audit.Keys, string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return audit.Keys{}, "", ErrNoKey
	}
	if err != nil {
		return audit.Keys{}, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return audit.Keys{}, "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return audit.Keys{}, "", ErrOpenKey
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return audit.Keys{}, "", err
	}
	if len(raw) > maxKeyFile {
		return audit.Keys{}, "", fmt.Errorf("it has more than %d bytes", maxKeyFile)
	}
	keys, err := audit.ParseKeys(string(raw))
	return keys, string(raw), err
}

// MakeKeys reads the key in a data directory, and makes it where there is none.
// made says that it did.
func MakeKeys(dir string) (keys audit.Keys, raw string, made bool, err error) {
	path := filepath.Join(dir, KeyFile)
	keys, raw, err = ReadKeys(path)
	if !errors.Is(err, ErrNoKey) {
		return keys, raw, false, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return keys, "", false, err
	}
	secret := make([]byte, audit.KeyBytes)
	_, _ = rand.Read(secret) // never fails: https://pkg.go.dev/crypto/rand#Read
	text := "# The key of Hikeshi's audit. Keep a copy elsewhere: see docs/audit.md.\n" + hex.EncodeToString(secret) + "\n"
	if err := create(dir, path, text); err != nil {
		return keys, "", false, err
	}
	keys, raw, err = ReadKeys(path) // where somebody else made it at the same time, theirs
	return keys, raw, true, err
}

// create makes the file as a whole or not at all, and never over another one.
func create(dir, path, text string) error {
	f, err := os.CreateTemp(dir, ".audit-key-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
