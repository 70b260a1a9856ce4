package incidents

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The intake log's record: one batch, in a compact binary form that costs a
// fifth of JSON to read back. All numbers are varints, strings are
// length-prefixed, times are nanoseconds since 1970 (0 for none).
//
//	version, receivedAt, source, groupKey, truncated, n, n × alert
//
// Version 1 writes every alert out (appendAlert), version 2 what differs from
// the alert before (appendNext).
const batchVersion = 2

// The fewest bytes that an alert and a label take: nothing is allocated for
// more of them than the record can hold.
const minAlert, minLabel = 3, 2

var errTruncatedRecord = errors.New("intake record is truncated")

// AppendBatch appends b's record to dst.
func AppendBatch(dst []byte, b *Batch) []byte {
	dst = append(dst, batchVersion)
	dst = appendTime(dst, b.ReceivedAt)
	dst = appendString(dst, b.Source)
	dst = appendString(dst, b.GroupKey)
	dst = binary.AppendUvarint(dst, uint64(b.Truncated))
	dst = binary.AppendUvarint(dst, uint64(len(b.Alerts)))
	for i := range b.Alerts {
		dst = appendNext(dst, before(b.Alerts, i), &b.Alerts[i])
	}
	return dst
}

// DecodeBatch reads a record that AppendBatch wrote. It never panics, and
// allocates no more than a small multiple of the record's size.
func DecodeBatch(record []byte) (*Batch, error) {
	d := decoder{s: string(record)}
	v := d.byte()
	if d.err == nil && (v < 1 || v > batchVersion) {
		return nil, fmt.Errorf("intake record has version %d, this binary knows %d", v, batchVersion)
	}
	b := &Batch{ReceivedAt: d.time(), Source: d.string(), GroupKey: d.string(), Truncated: int(d.uvarint())}
	n := d.uvarint()
	if n > uint64(len(d.s)/minAlert) {
		return nil, errTruncatedRecord
	}
	b.Alerts = make([]Alert, 0, n)
	for i := range int(n) {
		var a Alert
		if v == 1 {
			a = d.alert()
		} else {
			a = d.next(before(b.Alerts, i))
		}
		if d.err != nil {
			return nil, d.err
		}
		b.Alerts = append(b.Alerts, a)
	}
	return b, d.err
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(dst, 0)
	}
	return binary.AppendVarint(dst, t.UnixNano())
}

func appendLabels(dst []byte, l Labels) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(l)))
	for _, p := range l {
		dst = appendString(appendString(dst, p.Name), p.Value)
	}
	return dst
}

// decoder walks a record; after the first error every read returns zero.
// It holds the record as a string so that fields are substrings of it.
type decoder struct {
	s      string
	err    error
	shared int // labels allocated for less than they take in the record
}

func (d *decoder) fail() { d.s, d.err = "", errTruncatedRecord }

func (d *decoder) byte() byte {
	if len(d.s) == 0 {
		d.fail()
		return 0
	}
	c := d.s[0]
	d.s = d.s[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	d.fail()
	return 0
}

func (d *decoder) time() time.Time {
	u := d.uvarint()
	if u == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(u>>1)^-int64(u&1)).UTC()
}

func (d *decoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.s)) {
		d.fail()
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) labels() Labels {
	n := d.uvarint()
	if n > uint64(len(d.s)/minLabel) {
		d.fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	l := make(Labels, 0, n)
	for range n {
		l = append(l, Label{d.string(), d.string()})
		if d.err != nil {
			return nil
		}
	}
	return l
}
