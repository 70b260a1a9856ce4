package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// CutLabel is the label, or annotation, that stands for those left out of an
// alert that has too many.
const CutLabel = "hikeshi_cut"

// telling are the labels that say what an alert is about. They stay when an
// alert has too many.
var telling = []string{"alertname", "app", "instance", "job", "priority", "service", "severity"}

// Labels reads an object of strings as an alert's labels: those with an empty
// value are no labels (Prometheus' rule), and what is changed stays distinct.
func (r *Reader) Labels() (incidents.Labels, error) {
	pairs, err := r.Pairs("labels", r.pairs[:0], true)
	r.pairs = pairs
	if err != nil {
		return nil, err
	}
	return r.Pack(pairs, true), nil
}

// Annotations reads an object of strings as text about an alert.
func (r *Reader) Annotations() (incidents.Labels, error) {
	pairs, err := r.Pairs("annotations", r.pairs[:0], false)
	r.pairs = pairs
	if err != nil {
		return nil, err
	}
	return r.Pack(pairs, false), nil
}

// Pairs appends the members of an object of strings to pairs, each within the
// limits of a name and a value; null is none. For labels identity is true (see
// Mended). Pack makes them an alert's.
func (r *Reader) Pairs(what string, pairs []incidents.Label, identity bool) ([]incidents.Label, error) {
	if r.Kind() == 'n' {
		return pairs, r.Skip()
	}
	err := r.Object(what, func(name string) error {
		name = r.Name(name)
		if kind := r.Kind(); kind != '"' && kind != 'n' {
			return r.unexpected("a value of "+what, "a string")
		}
		value, err := r.anyString(what)
		if err != nil || value == "" {
			return err
		}
		pairs = append(pairs, incidents.Label{Name: name, Value: r.mend(value, r.limits.Value, identity)})
		return nil
	})
	return pairs, err
}

// Pack sorts pairs, keeps at most the limit of them, and copies them to where
// the batch's labels live. Of a name that comes twice the later value stays.
// The caller may reuse pairs.
func (r *Reader) Pack(pairs []incidents.Label, identity bool) incidents.Labels {
	if len(pairs) == 0 {
		return nil
	}
	sorted := incidents.NewLabels(pairs)
	if len(sorted) > r.limits.Labels {
		sorted = r.leaveOut(sorted, identity)
	}
	if free := cap(r.arena) - len(r.arena); free < len(sorted) {
		// Chunks grow with the batch, so that a small POST stays small.
		r.arena = make([]incidents.Label, 0, max(len(sorted), min(2*cap(r.arena), 1024), 16))
	}
	from := len(r.arena)
	r.arena = append(r.arena, sorted...)
	return incidents.Labels(slices.Clip(r.arena[from:]))
}

// leaveOut keeps the telling labels and the first of the others by name, and
// adds one that says how many are missing and, for labels, which.
func (r *Reader) leaveOut(sorted incidents.Labels, identity bool) incidents.Labels {
	room := r.limits.Labels - 1
	for i := range sorted {
		if _, found := slices.BinarySearch(telling, sorted[i].Name); found {
			room--
		}
	}
	kept := make([]incidents.Label, 0, r.limits.Labels)
	hash, missing := sha256.New(), 0
	for _, p := range sorted {
		if _, found := slices.BinarySearch(telling, p.Name); found {
			kept = append(kept, p)
			continue
		}
		if room > 0 && p.Name != CutLabel {
			kept = append(kept, p)
			room--
			continue
		}
		missing++
		fmt.Fprintf(hash, "%d:%s%d:%s", len(p.Name), p.Name, len(p.Value), p.Value)
	}
	r.Mended.LeftOut += missing
	mark := fmt.Sprintf("%d left out", missing)
	if identity {
		mark += ", " + hex.EncodeToString(hash.Sum(nil)[:8])
	}
	return incidents.NewLabels(append(kept, incidents.Label{Name: CutLabel, Value: mark}))
}

// clockSlack is how far in our future an alert may begin before its sender's
// clock is said to be off.
const clockSlack = time.Minute

// Finish bounds the batch's times by ours and counts clocks that are off. It
// is the last thing done with a Reader.
func (r *Reader) Finish(b *incidents.Batch) *incidents.Batch {
	for i := range b.Alerts {
		if b.Alerts[i].StartsAt.Sub(b.ReceivedAt) > clockSlack {
			r.Mended.Clocks++
		}
	}
	b.Normalise()
	r.dec.Reset(bytes.NewBuffer(nil)) // lets go of the body
	tokenizers.Put(r.dec)
	r.dec = nil
	return b
}
