// The writer of the bytes that guest-sdk/FORMAT.md draws.

package tidegate

import "encoding/binary"

// encoder writes values one behind the other.
type encoder struct {
	bytes   []byte
	failure error
}

func (e *encoder) fail(reason string) {
	if e.failure == nil {
		e.failure = &writeError{reason: reason}
	}
}

type writeError struct{ reason string }

func (e *writeError) Error() string { return "the state can't be written: " + e.reason }

func (e *encoder) byte(value byte)     { e.bytes = append(e.bytes, value) }
func (e *encoder) varint(value uint64) { e.bytes = binary.AppendUvarint(e.bytes, value) }

func (e *encoder) uint32(value uint32) {
	e.bytes = binary.LittleEndian.AppendUint32(e.bytes, value)
}

func (e *encoder) uint64(value uint64) {
	e.bytes = binary.LittleEndian.AppendUint64(e.bytes, value)
}
