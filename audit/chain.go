package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// MAC is a record's seal: HMAC-SHA-256, with the key that the record names, over
// the seal before it and its own bytes.
type MAC [sha256.Size]byte

func (m MAC) String() string { return hex.EncodeToString(m[:]) }

// MarshalText writes hex digits.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads them.
func (m *MAC) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(m) {
		return errors.New("not a MAC")
	}
	copy(m[:], raw)
	return nil
}

// Head is where a chain ends. The zero Head is that of an empty one.
type Head struct {
	Seq int64
	MAC MAC
}

// Entry is a record as a store keeps it.
type Entry struct {
	Seq  int64
	MAC  MAC
	Body []byte

	Opens  string // of an intent that is to be appended: the process that owes its outcome
	Closes int64  // of an outcome that is to be appended: its intent
}

// Owed is an intent without an outcome.
type Owed struct {
	Seq   int64
	Owner string
}

// Moved is the answer of a store whose chain ends elsewhere than the appender
// thought. Nothing was appended.
type Moved struct{ Head Head }

func (m *Moved) Error() string { return fmt.Sprintf("the audit ends at record %d already", m.Head.Seq) }

// Closed is the answer of a store to an outcome whose intent has one, or is none.
// Nothing was appended.
type Closed struct{ Intent int64 }

func (c *Closed) Error() string {
	return fmt.Sprintf("intent %d of the audit has an outcome already", c.Intent)
}

// Seal makes the entry that comes after head. It gives the record its number and
// the id of the current key, and cleans its texts.
func (k Keys) Seal(head Head, r Record) (Entry, error) {
	r.Seq, r.Key = head.Seq+1, k.Current()
	r.clean()
	if err := r.Valid(); err != nil {
		return Entry{}, err
	}
	body, err := r.encode()
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Seq: r.Seq, Body: body, MAC: k.list[0].seal(head.MAC, body)}
	switch r.Kind {
	case Intent:
		e.Opens = r.Replica
	case Outcome:
		e.Closes = r.Of
	}
	return e, nil
}

func (k *key) seal(before MAC, body []byte) (sum MAC) {
	m := hmac.New(sha256.New, k.chain)
	m.Write(before[:])
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(body)))
	m.Write(size[:])
	m.Write(body)
	copy(sum[:], m.Sum(nil))
	return sum
}

// Follows reads e as the entry after head; a *Problem says why it is not. newest
// is the place of the newest key that the chain has used so far, or -1: a key
// that was put away does not come back.
func (k Keys) follows(head Head, e Entry, newest int) (*Record, int, *Problem) {
	if e.Seq != head.Seq+1 {
		return nil, 0, &Problem{Seq: head.Seq + 1, What: Missing, To: e.Seq - 1}
	}
	r, err := Decode(e.Body)
	if err != nil {
		return nil, 0, &Problem{Seq: e.Seq, What: Changed}
	}
	at, known := k.find(r.Key)
	switch {
	case !known:
		return nil, 0, &Problem{Seq: e.Seq, What: OtherKey, Key: r.Key}
	case r.Seq != e.Seq:
		return nil, 0, &Problem{Seq: e.Seq, What: Swapped, To: r.Seq}
	}
	if sum := k.list[at].seal(head.MAC, e.Body); !hmac.Equal(sum[:], e.MAC[:]) || r.Valid() != nil {
		return nil, 0, &Problem{Seq: e.Seq, What: Changed}
	}
	if newest >= 0 && at > newest {
		return nil, 0, &Problem{Seq: e.Seq, What: OldKey, Key: r.Key}
	}
	return r, at, nil
}

// Follow goes from head over the entries that come after it, and returns where
// they end.
func (k Keys) Follow(head Head, entries []Entry) (Head, error) {
	for _, e := range entries {
		if _, _, p := k.follows(head, e, -1); p != nil {
			return head, p
		}
		head = Head{e.Seq, e.MAC}
	}
	return head, nil
}
