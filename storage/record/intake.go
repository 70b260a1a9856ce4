package record

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Log chooses the intake log for a batch: by the sender's group key, else by
// the first alert's labels, so that reports about one group stay in order.
func Log(b *incidents.Batch, logs int) int {
	switch {
	case logs == 1:
		return 0
	case b.GroupKey != "":
		return incidents.KeyOf("log", b.GroupKey).Shard(logs)
	case len(b.Alerts) > 0:
		return b.Alerts[0].Labels.Key().Shard(logs)
	}
	return 0
}

// maxPrefix is the room left for a length before its record is known.
const maxPrefix = 4

// Batch is b as one record of an entry: its length in four bytes, big-endian,
// then the record of incidents.AppendBatch. Entries are records end to end.
func Batch(b *incidents.Batch) []byte {
	size := 64
	for i := range b.Alerts {
		size += 64
		for _, l := range b.Alerts[i].Labels {
			size += len(l.Name) + len(l.Value) + 4
		}
		for _, l := range b.Alerts[i].Annotations {
			size += len(l.Name) + len(l.Value) + 4
		}
	}
	out := incidents.AppendBatch(make([]byte, maxPrefix, size), b)
	binary.BigEndian.PutUint32(out, uint32(len(out)-maxPrefix))
	return out
}

var errEntry = errors.New("the entry is cut short")

// Batches reads the records of an entry.
func Batches(entry []byte) ([]*incidents.Batch, error) {
	var batches []*incidents.Batch
	for len(entry) > 0 {
		if len(entry) < maxPrefix {
			return nil, errEntry
		}
		n := binary.BigEndian.Uint32(entry)
		if uint64(n) > uint64(len(entry)-maxPrefix) {
			return nil, errEntry
		}
		b, err := incidents.DecodeBatch(entry[maxPrefix : maxPrefix+n])
		if err != nil {
			return nil, fmt.Errorf("decode batch: %w", err)
		}
		batches = append(batches, b)
		entry = entry[maxPrefix+n:]
	}
	return batches, nil
}
