package incidents

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// AlertList is alerts that an incident, or its log, keeps whole. Within JSON
// it is text only machines read: the intake record's form of each alert, with
// its length before it, in base64. A storm's first events hold thousands of
// alerts, and as JSON they would cost more than all the rest of folding.
//
// Every alert of a list that was read back has memory of its own: keeping one
// does not keep the others.
type AlertList []Alert

// MarshalJSON writes the binary form in base64.
func (l AlertList) MarshalJSON() ([]byte, error) {
	var list, one []byte
	for i := range l {
		one = appendAlert(one[:0], &l[i])
		list = append(binary.AppendUvarint(list, uint64(len(one))), one...)
	}
	return quoted(list), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *AlertList) UnmarshalJSON(in []byte) error {
	var list []byte
	if err := json.Unmarshal(in, &list); err != nil {
		return fmt.Errorf("decode alerts: %w", err)
	}
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
