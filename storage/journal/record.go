package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A segment begins with magic and the number of its first entry. A record is a
// prefix of three numbers of four bytes, then the body: the body's length, the
// checksum of the entry's number and that length, the checksum of its number
// and its body. All are big-endian.
const (
	magic      = "hksjrnl1"
	headerSize = int64(len(magic)) + 8
	prefixSize = 12
)

// MaxEntry bounds one entry, in bytes. A length beyond it is damage.
const MaxEntry = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum covers the number as well, so that an entry counts only in its place.
func sum(number int64, body []byte) uint32 {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(number))
	return crc32.Update(crc32.Checksum(n[:], castagnoli), castagnoli, body)
}

func header(first int64) []byte {
	return binary.BigEndian.AppendUint64([]byte(magic), uint64(first))
}

// encode lays an entry out as a record, in dst where it has room.
func encode(dst []byte, number int64, body []byte) []byte {
	dst = append(append(dst[:0], make([]byte, prefixSize)...), body...)
	binary.BigEndian.PutUint32(dst, uint32(len(body)))
	binary.BigEndian.PutUint32(dst[4:], sum(number, dst[:4]))
	binary.BigEndian.PutUint32(dst[8:], sum(number, body))
	return dst
}

// errBroken is a record that is not whole.
var errBroken = errors.New("the record is not whole")

// record reads the body of the entry at pos; end bounds the file. buf is used
// where it is large enough.
func record(f io.ReaderAt, pos, end, number int64, buf []byte) ([]byte, error) {
	var prefix [prefixSize]byte
	if end-pos < prefixSize {
		return nil, errBroken
	}
	if _, err := f.ReadAt(prefix[:], pos); err != nil {
		return nil, cut(err)
	}
	n := int64(binary.BigEndian.Uint32(prefix[:]))
	if n == 0 || n > MaxEntry || n > end-pos-prefixSize || !begins(prefix[:], number) {
		return nil, errBroken
	}
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	if _, err := f.ReadAt(buf[:n], pos+prefixSize); err != nil {
		return nil, cut(err)
	}
	if sum(number, buf[:n]) != binary.BigEndian.Uint32(prefix[8:]) {
		return nil, errBroken
	}
	return buf[:n], nil
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errBroken
	}
	return err
}

// begins says whether b begins with the prefix of the entry with that number.
func begins(b []byte, number int64) bool {
	return sum(number, b[:4]) == binary.BigEndian.Uint32(b[4:])
}

// follows says whether the entry with that number lies somewhere after pos:
// then what is broken there was once whole, and is damage, not the end of a
// write that was never finished.
func follows(f io.ReaderAt, pos, end, number int64) (bool, error) {
	tail := make([]byte, end-pos)
	if _, err := f.ReadAt(tail, pos); err != nil {
		return false, err
	}
	from := 1
	if len(tail) >= prefixSize && begins(tail, number-1) { // its bytes are a sender's, and may look like anything
		from = prefixSize + int(binary.BigEndian.Uint32(tail))
	}
	for i := from; i+prefixSize <= len(tail); i++ {
		if !begins(tail[i:], number) {
			continue
		}
		if _, err := record(f, pos+int64(i), end, number, nil); !errors.Is(err, errBroken) {
			return err == nil, err
		}
	}
	return false, nil
}
