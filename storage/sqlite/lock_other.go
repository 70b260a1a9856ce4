//go:build !unix

package sqlite

import (
	"fmt"
	"io"
	"os"
)

// lockDir only opens the file: these systems refuse to share the database file
// well enough, but their message is less clear.
func lockDir(root *os.Root, dir string) (io.Closer, error) {
	f, err := root.OpenFile("hikeshi.lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	return f, nil
}
