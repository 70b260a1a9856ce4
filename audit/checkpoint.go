package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Checkpoint is a signed word about a chain: at this time it had Seq records,
// the last of which bears Head. Kept where whoever can write to the store cannot,
// it makes a cut or a rewritten past show.
type Checkpoint struct {
	Seq     int64  `json:"seq"`
	Head    MAC    `json:"head"`
	First   MAC    `json:"first"` // of record 1: which chain it is
	At      Time   `json:"at"`
	Replica string `json:"replica"`
	Key     string `json:"key"`
	Sig     string `json:"sig,omitempty"` // Ed25519 over all of the above
}

// Checkpoint makes one, as a line of a file.
func (k Keys) Checkpoint(c Checkpoint) ([]byte, error) {
	c.Replica, c.Key, c.Sig = Text(c.Replica, maxText), k.Current(), ""
	said, err := c.said()
	if err != nil {
		return nil, err
	}
	c.Sig = hex.EncodeToString(ed25519.Sign(k.list[0].sign, said))
	line, err := encodeLine(c)
	return append(line, '\n'), err
}

// said is what is signed.
func (c Checkpoint) said() ([]byte, error) {
	c.Sig = ""
	line, err := encodeLine(c)
	return append([]byte("hikeshi/audit/1/checkpoint\n"), line...), err
}

func encodeLine(c Checkpoint) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("encode a checkpoint: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ErrForged is a checkpoint that somebody else has written. What is no checkpoint
// at all is not: a crash can tear a line.
var ErrForged = errors.New("not one of ours")

// ReadCheckpoint reads a line and verifies its signature.
func (k Keys) ReadCheckpoint(line []byte) (Checkpoint, error) {
	var c Checkpoint
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, errors.New("it is no checkpoint")
	}
	if again, err := encodeLine(c); err != nil || !bytes.Equal(again, bytes.TrimSpace(line)) {
		return c, fmt.Errorf("%w: it is written in another way", ErrForged)
	}
	at, known := k.find(c.Key)
	if !known {
		return c, fmt.Errorf("%w: it is signed with key %s, which is not known", ErrForged, Text(c.Key, 32))
	}
	sig, err := hex.DecodeString(c.Sig)
	said, err2 := c.said()
	if err != nil || err2 != nil || hex.EncodeToString(sig) != c.Sig || c.Seq < 1 || !ed25519.Verify(k.list[at].sign.Public().(ed25519.PublicKey), said, sig) {
		return c, fmt.Errorf("%w: its signature is wrong", ErrForged)
	}
	return c, nil
}
