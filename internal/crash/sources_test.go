package crash

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestSourcesAreThisTrees looks at every source that the killed program is built
// from. It is built by a command that go test knows nothing of: without this a
// result from its cache could be about sources of yesterday.
func TestSourcesAreThisTrees(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		switch filepath.Ext(path) {
		case ".go", ".lua", ".yaml", ".mod", ".sum":
			seen++
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil || seen < 300 {
		t.Fatalf("%d sources, %v", seen, err)
	}
}
