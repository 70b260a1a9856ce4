package find

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Cursor is the place of an alert among all: what comes after it is the next
// page. Its text is opaque, and good on every replica.
type Cursor struct {
	fired    int64
	incident incidents.ID
	fp       incidents.Key
}

// IsZero says whether it is the place before all.
func (c Cursor) IsZero() bool { return c == Cursor{} }

const cursorBytes = 8 + 8 + len(incidents.Key{})

// MarshalText writes it for an address.
func (c Cursor) MarshalText() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.fired))
	b = binary.BigEndian.AppendUint64(b, uint64(c.incident))
	return []byte(base64.RawURLEncoding.EncodeToString(append(b, c.fp[:]...))), nil
}

// ParseCursor reads what MarshalText wrote.
func ParseCursor(s string) (Cursor, bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != cursorBytes {
		return Cursor{}, false
	}
	c := Cursor{fired: int64(binary.BigEndian.Uint64(b)), incident: incidents.ID(binary.BigEndian.Uint64(b[8:]))}
	copy(c.fp[:], b[16:])
	return c, true
}

// UnmarshalText is ParseCursor for JSON.
func (c *Cursor) UnmarshalText(b []byte) error {
	parsed, ok := ParseCursor(string(b))
	if !ok {
		return errCursor
	}
	*c = parsed
	return nil
}
