// The containers of keyed state and of items, format version 1.

package tidegate

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unsafe"
)

// The first bytes of a chunk of keyed state and of an item, format version 1; guest-sdk/FORMAT.md
// draws the bytes that follow.
const (
	keyedMagic = "TGK\x01"
	itemMagic  = "TGI\x01"
)

const (
	// maxVarint is the largest form of a number of 32 bits.
	maxVarint = 5
	// leastEntry is the number of bytes of the smallest entry: the length of an empty key, and that of
	// an empty value.
	leastEntry = 2
)

// writeEntry appends one entry of a chunk of keyed state.
func writeEntry(e *encoder, key string, codec *codec, state unsafe.Pointer) {
	e.length(len(key))
	e.bytes = append(e.bytes, key...)
	// Nearly every value is shorter than 128 bytes, so that its length is one byte.
	lengthAt := len(e.bytes)
	e.bytes = append(e.bytes, 0)
	codec.encode(e, state)
	length := len(e.bytes) - lengthAt - 1
	if length < 0x80 {
		e.bytes[lengthAt] = byte(length)
		return
	}
	var long [binary.MaxVarintLen64]byte
	bytes := binary.PutUvarint(long[:], uint64(length))
	e.bytes = slices.Replace(e.bytes, lengthAt, lengthAt+1, long[:bytes]...)
	e.checkLength(length)
}

// length writes a number of this container, which has 32 bits.
func (e *encoder) length(length int) {
	e.checkLength(length)
	e.varint(uint64(length))
}

func (e *encoder) checkLength(length int) {
	if uint64(length) > math.MaxUint32 {
		e.fail("a key, a value or the number of keys is 4 GiB or more")
	}
}

// keyedReader reads the entries of one key group: keys strictly rise, and nothing is left over.
type keyedReader struct {
	rest    []byte
	entries uint32
	lastKey []byte
	isFirst bool
}

// malformed is the broken rule of the format, or empty if no rule is broken.
type malformed string

const (
	brokenMagic  malformed = "it does not begin as a chunk of this format does"
	noEntries    malformed = "it has no entries"
	truncated    malformed = "it ends too early"
	longVarint   malformed = "a length is not written in its shortest form"
	brokenOrder  malformed = "its keys do not strictly rise"
	intact       malformed = ""
	leftOverTail           = " bytes are left over"
)

func readKeyed(bytes []byte) (keyedReader, malformed) {
	if !strings.HasPrefix(viewText(bytes), keyedMagic) {
		return keyedReader{}, brokenMagic
	}
	reader := keyedReader{rest: bytes[len(keyedMagic):], isFirst: true}
	entries, broken := reader.varint()
	switch {
	case broken != intact:
		return reader, broken
	case entries == 0:
		return reader, noEntries
	case uint64(entries) > uint64(len(reader.rest)/leastEntry):
		return reader, truncated
	}
	reader.entries = entries
	return reader, intact
}

// next returns the next entry, or ok as false behind the last entry.
func (r *keyedReader) next() (key, value []byte, ok bool, broken malformed) {
	if r.entries == 0 {
		if len(r.rest) > 0 {
			broken = malformed(decimal(len(r.rest)) + leftOverTail)
		}
		return nil, nil, false, broken
	}
	r.entries--
	if key, broken = r.bytes(); broken != intact {
		return nil, nil, false, broken
	}
	if value, broken = r.bytes(); broken != intact {
		return nil, nil, false, broken
	}
	if !r.isFirst && viewText(key) <= viewText(r.lastKey) {
		return nil, nil, false, brokenOrder
	}
	r.lastKey, r.isFirst = key, false
	return key, value, true, intact
}

func (r *keyedReader) varint() (uint32, malformed) {
	var number uint64
	for index := range maxVarint {
		if index == len(r.rest) {
			return 0, truncated
		}
		group := r.rest[index]
		number |= uint64(group&0x7f) << (7 * index)
		if group < 0x80 {
			r.rest = r.rest[index+1:]
			// A last group of zeros adds nothing to the bytes before it.
			if index > 0 && group == 0 || number > math.MaxUint32 {
				return 0, longVarint
			}
			return uint32(number), intact
		}
	}
	return 0, longVarint
}

func (r *keyedReader) bytes() ([]byte, malformed) {
	length, broken := r.varint()
	if broken != intact {
		return nil, broken
	}
	if uint64(length) > uint64(len(r.rest)) {
		return nil, truncated
	}
	taken := r.rest[:length:length]
	r.rest = r.rest[length:]
	return taken, intact
}
