// The reader of the bytes that guest-sdk/FORMAT.md draws. It never trusts a length.

package tidegate

import "encoding/binary"

// decoder reads values one behind the other. After a failure it returns zeros, and keeps the first
// failure.
type decoder struct {
	rest    []byte
	failure error
}

func (d *decoder) fail(reason string) {
	if d.failure == nil {
		d.failure = incompatible("a value can't be read: " + reason)
	}
	// The later reads then fail as well, and loops end.
	d.rest = nil
}

const endsTooEarly = "it ends too early"

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail(endsTooEarly)
		return 0
	}
	value := d.rest[0]
	d.rest = d.rest[1:]
	return value
}

func (d *decoder) flag(what string) bool {
	value := d.byte()
	if value > 1 {
		d.fail(what + " begins with another byte than 0 or 1")
	}
	return value == 1
}

// varint reads a number of the given bits. It accepts a longer form than the shortest, as long as
// that takes no more bytes than the largest number does.
func (d *decoder) varint(bits int) uint64 {
	if len(d.rest) > 0 && d.rest[0] < 0x80 {
		value := d.rest[0]
		d.rest = d.rest[1:]
		return uint64(value)
	}
	return d.longVarint(bits)
}

func (d *decoder) longVarint(bits int) uint64 {
	var number uint64
	for shift := 0; shift < bits; shift += 7 {
		value := d.byte()
		group := uint64(value & 0x7f)
		if shift+7 > bits && group>>(bits-shift) != 0 {
			break
		}
		number |= group << shift
		if value < 0x80 {
			return number
		}
	}
	d.fail("a number passes its type")
	return 0
}

// take reads a length and as many bytes, without a copy.
func (d *decoder) take() []byte {
	length := d.varint(64)
	if length > uint64(len(d.rest)) {
		d.fail(endsTooEarly)
		return nil
	}
	taken := d.rest[:length:length]
	d.rest = d.rest[length:]
	return taken
}

func (d *decoder) fixed(length int) []byte {
	if length > len(d.rest) {
		d.fail(endsTooEarly)
		return make([]byte, length)
	}
	taken := d.rest[:length]
	d.rest = d.rest[length:]
	return taken
}

func (d *decoder) uint32() uint32 { return binary.LittleEndian.Uint32(d.fixed(4)) }
func (d *decoder) uint64() uint64 { return binary.LittleEndian.Uint64(d.fixed(8)) }

// finish returns the first failure, which may be that bytes are left over.
func (d *decoder) finish() error {
	if d.failure == nil && len(d.rest) > 0 {
		return incompatible("a value has " + decimal(len(d.rest)) + " bytes more than its type")
	}
	return d.failure
}
