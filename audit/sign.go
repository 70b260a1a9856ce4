package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// What a signature can be that is not good.
var (
	ErrUnsigned = errors.New("it bears no seal")
	ErrBadSeal  = errors.New("its seal is not ours, or it is of something else")
	ErrNoSuch   = errors.New("it is sealed with a key that this process does not have")
)

// Sign seals values, each of which counts for itself, with the newest key. It is for
// what comes back from a place that others can write to.
func (k Keys) Sign(values ...string) string {
	return k.list[0].id + ":" + hex.EncodeToString(k.list[0].over(values))
}

// SignedBy is the id of the key that a seal names.
func SignedBy(seal string) string {
	id, _, _ := strings.Cut(seal, ":")
	return id
}

// Signed says whether the seal is of these values, made with any of the keys.
func (k Keys) Signed(seal string, values ...string) error {
	if seal == "" {
		return ErrUnsigned
	}
	id, text, _ := strings.Cut(seal, ":")
	i, known := k.find(id)
	if !known {
		return ErrNoSuch
	}
	mac, err := hex.DecodeString(text)
	if err != nil || !hmac.Equal(mac, k.list[i].over(values)) {
		return ErrBadSeal
	}
	return nil
}

// over is the seal of values under one key.
func (k *key) over(values []string) []byte {
	m := hmac.New(sha256.New, k.elsewhere)
	var size [8]byte
	for _, v := range values {
		binary.BigEndian.PutUint64(size[:], uint64(len(v)))
		m.Write(size[:])
		m.Write([]byte(v))
	}
	return m.Sum(nil)
}
