package record

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Alerts that an event or a snapshot keeps whole are base64 in its JSON, and that
// hides from deflate that they say what the rest says. So they are lifted out: where
// they stood, how many bytes they are, they themselves, and the JSON without them.

// before what the alerts of an event, and those of a snapshot, stand.
var alertMarks = [][]byte{[]byte(`"new":"`), []byte(`"samples":"`)}

// lift is raw in that form; nil where there is nothing to lift.
func lift(raw []byte) []byte {
	for _, mark := range alertMarks {
		at := bytes.Index(raw, mark)
		if at < 0 {
			continue
		}
		at += len(mark)
		size := bytes.IndexByte(raw[at:], '"')
		if size <= 0 {
			continue
		}
		text := raw[at : at+size]
		list, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
		if err != nil || base64.StdEncoding.EncodedLen(len(list)) != len(text) {
			continue // something else of that name
		}
		out := binary.AppendUvarint(make([]byte, 0, len(raw)), uint64(at))
		out = binary.AppendUvarint(out, uint64(len(list)))
		out = append(out, list...)
		out = append(out, raw[:at]...)
		return append(out, raw[at+size:]...)
	}
	return nil
}

var errLifted = errors.New("the alerts of a record are not where they should be")

// lower undoes lift.
func lower(b []byte) ([]byte, error) {
	at, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, errLifted
	}
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) || at > uint64(len(b)-n)-size {
		return nil, errLifted
	}
	list, rest := b[n:n+int(size)], b[n+int(size):]
	out := make([]byte, 0, len(rest)+base64.StdEncoding.EncodedLen(len(list)))
	out = append(out, rest[:at]...)
	out = base64.StdEncoding.AppendEncode(out, list)
	return append(out, rest[at:]...), nil
}
