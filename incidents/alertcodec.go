package incidents

import (
	"encoding/binary"
	"math/bits"
)

// Flags of an alert in binary form. The same… ones say that what they name is
// as in the alert before, and not written.
const (
	flagResolved = 1 << iota
	flagSameStart
	flagSameEnd
	flagSameURL
	flagNearLabels      // the same names; values that differ follow a bit set of them
	flagNearAnnotations // the same of the annotations
)

// appendAlert writes an alert out: flags, startsAt, endsAt, generatorURL,
// labels, annotations.
func appendAlert(dst []byte, a *Alert) []byte {
	return appendNext(dst, nil, a)
}

// appendNext writes what differs from the alert before, nil for none. The
// alerts of a report share most of their labels, so that a storm's takes a
// fifth of the room.
func appendNext(dst []byte, last, a *Alert) []byte {
	flags, at := byte(0), len(dst)
	dst = append(dst, 0)
	if a.Resolved {
		flags |= flagResolved
	}
	if last == nil {
		last = &Alert{}
	}
	if flags |= same(flagSameStart, a.StartsAt.Equal(last.StartsAt) && !a.StartsAt.IsZero()); flags&flagSameStart == 0 {
		dst = appendTime(dst, a.StartsAt)
	}
	if flags |= same(flagSameEnd, a.EndsAt.Equal(last.EndsAt) && !a.EndsAt.IsZero()); flags&flagSameEnd == 0 {
		dst = appendTime(dst, a.EndsAt)
	}
	if flags |= same(flagSameURL, a.GeneratorURL == last.GeneratorURL && a.GeneratorURL != ""); flags&flagSameURL == 0 {
		dst = appendString(dst, a.GeneratorURL)
	}
	var near bool
	if dst, near = appendNear(dst, last.Labels, a.Labels); near {
		flags |= flagNearLabels
	}
	if dst, near = appendNear(dst, last.Annotations, a.Annotations); near {
		flags |= flagNearAnnotations
	}
	dst[at] = flags
	return dst
}

func same(flag byte, is bool) byte {
	if is {
		return flag
	}
	return 0
}

// maxNear is as many labels as the bit set has room for.
const maxNear = 64

// appendNear writes the values that differ where the names are the same, else
// the whole list.
func appendNear(dst []byte, last, l Labels) (out []byte, near bool) {
	if len(l) == 0 || len(l) != len(last) || len(l) > maxNear {
		return appendLabels(dst, l), false
	}
	var differ uint64
	for i := range l {
		if l[i].Name != last[i].Name {
			return appendLabels(dst, l), false
		}
		if l[i].Value != last[i].Value {
			differ |= 1 << i
		}
	}
	dst = binary.AppendUvarint(dst, differ)
	for rest := differ; rest != 0; rest &= rest - 1 {
		dst = appendString(dst, l[bits.TrailingZeros64(rest)].Value)
	}
	return dst, true
}

// before is the alert in front of the i-th, nil for the first.
func before(alerts []Alert, i int) *Alert {
	if i == 0 {
		return nil
	}
	return &alerts[i-1]
}

// alert reads what appendAlert wrote, in whichever release.
func (d *decoder) alert() Alert { return d.next(nil) }

// next reads what appendNext wrote.
func (d *decoder) next(last *Alert) Alert {
	flags := d.byte()
	if last == nil {
		if flags&^flagResolved != 0 {
			d.fail()
			return Alert{}
		}
		last = &Alert{}
	}
	a := Alert{Resolved: flags&flagResolved != 0, StartsAt: last.StartsAt, EndsAt: last.EndsAt, GeneratorURL: last.GeneratorURL}
	if flags&flagSameStart == 0 {
		a.StartsAt = d.time()
	}
	if flags&flagSameEnd == 0 {
		a.EndsAt = d.time()
	}
	if flags&flagSameURL == 0 {
		a.GeneratorURL = d.string()
	}
	a.Labels = d.near(flags&flagNearLabels != 0, last.Labels)
	a.Annotations = d.near(flags&flagNearAnnotations != 0, last.Annotations)
	return a
}

// maxShared bounds the labels that a record makes us allocate without having
// room for them itself: a POST has at most 1,000 alerts of 64 labels and 64
// annotations.
const maxShared = 1 << 18

func (d *decoder) near(near bool, last Labels) Labels {
	if !near {
		return d.labels()
	}
	differ := d.uvarint()
	if bits.Len64(differ) > len(last) {
		d.fail()
		return nil
	}
	if differ == 0 {
		return last
	}
	if d.shared += len(last); d.shared > maxShared {
		d.fail()
		return nil
	}
	l := append(make(Labels, 0, len(last)), last...)
	for rest := differ; rest != 0; rest &= rest - 1 {
		l[bits.TrailingZeros64(rest)].Value = d.string()
	}
	return l
}
