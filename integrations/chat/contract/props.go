package contract

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings is a store of small documents that replicas share. Its zero value is
// an empty one.
type Settings struct {
	mu    sync.Mutex
	docs  map[string]incidents.Document
	reads int
	away  error
}

// Setting reads one.
func (s *Settings) Setting(_ context.Context, name string) (incidents.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return s.docs[name], s.away
}

// PutSetting writes one, where it is as expected.
func (s *Settings) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return s.away
	}
	if s.docs[name].Version != expect {
		return incidents.ErrConflict
	}
	if s.docs == nil {
		s.docs = map[string]incidents.Document{}
	}
	s.docs[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

// Reads is how often one was read.
func (s *Settings) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// Names are those of all that there are.
func (s *Settings) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.docs))
}

// Away makes everything fail with err, until it is nil.
func (s *Settings) Away(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

// Drawings are a chat.Pictures: another picture for each last letter of a path,
// and none where the path says "none".
type Drawings struct {
	mu sync.Mutex
	n  int
}

// PNG draws one.
func (d *Drawings) PNG(_ context.Context, path string) ([]byte, error) {
	d.mu.Lock()
	d.n++
	d.mu.Unlock()
	if strings.Contains(path, "none") {
		return nil, errors.New("there is nothing to draw")
	}
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	m.SetGray(1, 1, color.Gray{Y: path[len(path)-1]})
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}

// Drawn is how often one was asked for.
func (d *Drawings) Drawn() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}
