package incidents

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// AlertList is alerts that an incident, or its log, keeps whole. Within JSON
// it is text only machines read: a zero byte, then each alert as what differs
// from the one before, in base64. A storm's first events hold thousands of
// alerts, and as JSON they would cost more than all the rest of folding.
//
// The alerts of a list that was read back share memory: whoever keeps one for
// long keeps a copy (own).
type AlertList []Alert

// MarshalJSON writes the binary form in base64.
func (l AlertList) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return quoted(nil), nil
	}
	list := make([]byte, 1, 512+64*len(l))
	for i := range l {
		list = appendNext(list, before(l, i), &l[i])
	}
	return quoted(list), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *AlertList) UnmarshalJSON(in []byte) error {
	var list []byte
	if err := json.Unmarshal(in, &list); err != nil {
		return fmt.Errorf("decode alerts: %w", err)
	}
	if len(list) > 0 && list[0] != 0 {
		return l.readSized(list)
	}
	out := AlertList{}
	if len(list) > 0 {
		for d := (decoder{s: string(list[1:])}); len(d.s) > 0; {
			out = append(out, d.next(before(out, len(out))))
			if d.err != nil {
				return fmt.Errorf("decode alerts: %w", d.err)
			}
		}
	}
	*l = out
	return nil
}

// readSized reads the form of earlier releases: every alert written out, its
// length before it.
func (l *AlertList) readSized(list []byte) error {
	out := AlertList{}
	for len(list) > 0 {
		size, n := binary.Uvarint(list)
		if n <= 0 || size > uint64(len(list)-n) {
			return fmt.Errorf("decode alerts: %w", errTruncatedRecord)
		}
		d := decoder{s: string(list[n : n+int(size)])}
		out = append(out, d.alert())
		if d.err != nil {
			return fmt.Errorf("decode alerts: %w", d.err)
		}
		list = list[n+int(size):]
	}
	*l = out
	return nil
}

// quoted is b in base64 as a JSON string, as encoding/json writes bytes.
func quoted(b []byte) []byte {
	out := make([]byte, base64.StdEncoding.EncodedLen(len(b))+2)
	out[0], out[len(out)-1] = '"', '"'
	base64.StdEncoding.Encode(out[1:], b)
	return out
}

// own is a copy that shares no memory with whatever a was read from: an alert
// is a few hundred bytes of a record of many kilobytes.
func (a *Alert) own() Alert {
	d := decoder{s: string(appendAlert(nil, a))}
	return d.alert()
}
