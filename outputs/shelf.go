package outputs

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings are the documents of the store, moved by their versions.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Shelf keeps outputs.
type Shelf struct {
	settings Settings
	now      func() time.Time
}

// New makes one.
func New(settings Settings, now func() time.Time) *Shelf { return &Shelf{settings, now} }

const (
	indexName    = "outputs/index"
	maxConflicts = 20 // of replicas that keep at the same moment
)

func slotName(n int) string { return fmt.Sprintf("outputs/%03d", n%slots) }

// Keep keeps the text of a run's step, its beginning where it is longer than may be.
func (s *Shelf) Keep(ctx context.Context, run, step, text string) error {
	text = text[:min(len(text), MaxText)]
	packed, err := pack(text)
	if err != nil {
		return err
	}
	n := max(1, (len(packed)+slotBytes-1)/slotBytes)
	e, err := s.place(ctx, Entry{Run: run, Step: step, Bytes: len(text)}, n)
	if err != nil {
		return err
	}
	for i := range n {
		part := packed[i*slotBytes : min((i+1)*slotBytes, len(packed))]
		name := slotName(e.First + i)
		old, err := s.settings.Setting(ctx, name)
		if err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		}
		if err := s.settings.PutSetting(ctx, name, old.Version, append(e.mark(i), part...)); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

func (s *Shelf) place(ctx context.Context, e Entry, n int) (Entry, error) {
	for try := 0; ; try++ {
		x, version, err := s.index(ctx)
		if err != nil {
			return e, err
		}
		placed := x.place(e, n, s.now().UTC().Round(0))
		body, err := json.Marshal(x)
		if err != nil {
			return e, fmt.Errorf("write the index of outputs: %w", err)
		}
		err = s.settings.PutSetting(ctx, indexName, version, body)
		if err == nil {
			return placed, nil
		}
		if !errors.Is(err, incidents.ErrConflict) || try == maxConflicts {
			return e, fmt.Errorf("write the index of outputs: %w", err)
		}
	}
}

func (s *Shelf) index(ctx context.Context) (index, int64, error) {
	var x index
	d, err := s.settings.Setting(ctx, indexName)
	if err != nil {
		return x, 0, fmt.Errorf("read the index of outputs: %w", err)
	}
	if d.Version > 0 {
		if err := json.Unmarshal(d.Body, &x); err != nil {
			return x, 0, fmt.Errorf("read the index of outputs: %w", err)
		}
	}
	return x, d.Version, nil
}

// Of lists what is kept of a run, in the order in which it was said.
func (s *Shelf) Of(ctx context.Context, run string) ([]Entry, error) {
	x, _, err := s.index(ctx)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, e := range x.Kept {
		if e.Run == run && s.now().Sub(e.At) <= Term {
			all = append(all, e)
		}
	}
	return all, nil
}

// Read is the whole text. NotFound where it is not kept, or no longer.
func (s *Shelf) Read(ctx context.Context, run, step string) (string, error) {
	x, _, err := s.index(ctx)
	if err != nil {
		return "", err
	}
	e, ok := x.find(run, step, s.now())
	if !ok {
		return "", gone(run, step)
	}
	var packed []byte
	for i := range e.Slots {
		d, err := s.settings.Setting(ctx, slotName(e.First+i))
		if err != nil {
			return "", fmt.Errorf("read %s: %w", slotName(e.First+i), err)
		}
		mark := e.mark(i)
		if !bytes.HasPrefix(d.Body, mark) { // it is being written, was never finished, or another lies there by now
			return "", gone(run, step)
		}
		packed = append(packed, d.Body[len(mark):]...)
	}
	return unpack(packed)
}

func gone(run, step string) error {
	return incidents.Fail(incidents.NotFound, "error.no_output", "the whole output of step "+step+" of "+run+" is not kept, or no longer", "run", run, "step", step)
}

// mark tells one entry's part in a slot from any other's.
func (e *Entry) mark(part int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", e.Run, e.Step, e.At.UnixNano(), part))
	return sum[:]
}

func pack(text string) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		return nil, fmt.Errorf("compress an output: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress an output: %w", err)
	}
	return b.Bytes(), nil
}

func unpack(packed []byte) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", fmt.Errorf("unpack an output: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxText))
	if err != nil {
		return "", fmt.Errorf("unpack an output: %w", err)
	}
	return string(text), nil
}
