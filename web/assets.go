package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

//go:embed static
var staticFiles embed.FS

// assets are the static files under names that hold a hash of what is in them,
// so that browsers may keep them for ever.
type assets struct {
	named map[string]string // "app.css" → "app.1a2b3c4d.css"
	files map[string]asset  // by the hashed name
}

type asset struct {
	kind  string
	bytes []byte
}

func loadAssets() (assets, error) {
	a := assets{named: map[string]string{}, files: map[string]asset{}}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return a, fmt.Errorf("read static: %w", err)
	}
	for _, e := range entries {
		b, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("read %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(b)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:5]) + ext
		kind := mime.TypeByExtension(ext)
		switch ext { // not left to the machine's own table
		case ".css":
			kind = "text/css; charset=utf-8"
		case ".js":
			kind = "text/javascript; charset=utf-8"
		case ".svg":
			kind = "image/svg+xml"
		}
		a.named[e.Name()], a.files[hashed] = hashed, asset{kind: kind, bytes: b}
	}
	return a, nil
}

// path is where a static file is served.
func (a assets) path(name string) (string, error) {
	hashed, ok := a.named[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %s", name)
	}
	return "/static/" + hashed, nil
}

func (s *Server) static(w http.ResponseWriter, r *http.Request, _ *visit) error {
	f, ok := s.assets.files[r.PathValue("name")]
	if !ok {
		return incidents.Fail(incidents.NotFound, "web.error.not_found", "there is nothing at this address")
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.bytes) // the client is gone: nobody to tell
	return nil
}
