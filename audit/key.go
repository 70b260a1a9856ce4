package audit

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeyBytes is the size of a key.
const KeyBytes = 32

// key is one secret and what is derived from it. It does not show itself.
type key struct {
	id           string
	chain, value []byte
	elsewhere    []byte // seals what is kept elsewhere, see Sign
	sign         ed25519.PrivateKey
}

// Keys are the secrets of a chain, the newest first: records are made with the
// first, and those that were made with an earlier one still verify.
type Keys struct{ list []key }

// String hides them.
func (k Keys) String() string { return "(secret)" }

// GoString hides them from %#v too.
func (k Keys) GoString() string { return k.String() }

// ParseKeys reads a key file: one key a line as 64 hex digits, the newest first.
// Empty lines and those that begin with # are comments.
func ParseKeys(text string) (Keys, error) {
	var keys Keys
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		secret, err := hex.DecodeString(line)
		if err != nil || len(secret) != KeyBytes { // the error would repeat a part of the key
			return Keys{}, fmt.Errorf("line %d is not %d hex digits", n, 2*KeyBytes)
		}
		k := newKey(secret)
		if seen[k.id] {
			return Keys{}, fmt.Errorf("line %d has a key that stands there before", n)
		}
		if weak(secret) {
			return Keys{}, fmt.Errorf("line %d is one byte over and over", n)
		}
		seen[k.id] = true
		keys.list = append(keys.list, k)
	}
	if len(keys.list) == 0 {
		return Keys{}, errors.New("it holds no key")
	}
	return keys, nil
}

func weak(secret []byte) bool {
	for _, c := range secret {
		if c != secret[0] {
			return false
		}
	}
	return true
}

func newKey(secret []byte) key {
	return key{
		id:    hex.EncodeToString(derive(secret, "id")[:8]),
		chain: derive(secret, "chain"), value: derive(secret, "value"), elsewhere: derive(secret, "elsewhere"),
		sign: ed25519.NewKeyFromSeed(derive(secret, "checkpoint")),
	}
}

// derive makes one key of another for one purpose.
func derive(secret []byte, purpose string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("hikeshi/audit/1/" + purpose))
	return m.Sum(nil)
}

// Current is the id of the key that new records are made with.
func (k Keys) Current() string { return k.list[0].id }

// Knows says whether records made with this key can be verified.
func (k Keys) Knows(id string) bool { _, ok := k.find(id); return ok }

// find returns the key and its place; the newest has place 0.
func (k Keys) find(id string) (int, bool) {
	for i := range k.list {
		if k.list[i].id == id {
			return i, true
		}
	}
	return 0, false
}

// Digest is a keyed digest of values, each of which counts for itself. Whoever
// has the key can show that a value is the one that was used; without it nobody
// can try out what a redacted one was.
func (k Keys) Digest(values ...string) string {
	m := hmac.New(sha256.New, k.list[0].value)
	var size [8]byte
	for _, v := range values {
		binary.BigEndian.PutUint64(size[:], uint64(len(v)))
		m.Write(size[:])
		m.Write([]byte(v))
	}
	return hex.EncodeToString(m.Sum(nil))
}

// PublicKey is what the checkpoints that are made with the current key are
// verified with.
func (k Keys) PublicKey() string {
	return hex.EncodeToString(k.list[0].sign.Public().(ed25519.PublicKey))
}
