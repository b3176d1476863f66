// Output batches: built row by row, in memory that the next batch reuses.

package tidegate

import (
	"encoding/binary"
	"strconv"
)

// batchBuilder is a batch that is being built. The next batch reuses its memory.
type batchBuilder struct {
	timestamps   []int64
	keys         []byte
	values       []byte
	keyOffsets   []uint32
	valueOffsets []uint32
}

func (b *batchBuilder) rows() int { return len(b.timestamps) }

func (b *batchBuilder) clear() {
	b.timestamps = b.timestamps[:0]
	b.keys, b.keyOffsets = b.keys[:0], b.keyOffsets[:0]
	b.values, b.valueOffsets = b.values[:0], b.valueOffsets[:0]
}

// beginRow adds all of a row except its value, which the caller appends.
func (b *batchBuilder) beginRow(timestamp int64, key []byte) {
	if len(b.timestamps) == 0 {
		b.keyOffsets = append(b.keyOffsets, 0)
		b.valueOffsets = append(b.valueOffsets, 0)
	}
	b.timestamps = append(b.timestamps, timestamp)
	b.keys = append(b.keys, key...)
	b.keyOffsets = append(b.keyOffsets, columnOffset(len(b.keys)))
}

func (b *batchBuilder) endRow() {
	b.valueOffsets = append(b.valueOffsets, columnOffset(len(b.values)))
}

// finish returns the batch, which shares the builder's memory.
func (b *batchBuilder) finish() Batch {
	return Batch{
		Timestamps: b.timestamps,
		Keys:       Column{Offsets: b.keyOffsets, Data: b.keys},
		Values:     Column{Offsets: b.valueOffsets, Data: b.values},
	}
}

func appendInt(buffer []byte, number int64) []byte { return strconv.AppendInt(buffer, number, 10) }

func appendUint(buffer []byte, number uint64) []byte {
	return strconv.AppendUint(buffer, number, 10)
}

func appendLe64(buffer []byte, number int64) []byte {
	return binary.LittleEndian.AppendUint64(buffer, uint64(number))
}
