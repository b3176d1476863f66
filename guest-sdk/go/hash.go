// A keyed hash of keys, so that an author of keys can not make a table slow.

package tidegate

import "encoding/binary"

// hashBlock is the number of words of a long key that are summed up before the sum is folded.
const hashBlock = 8

// hasher hashes keys with the secrets of one instance. Without the secrets the author of the
// records could choose keys with one hash, and every lookup would pass over all of them. Go's own
// maps have a seed, too, but a component draws it before there is a secret, so that anyone can draw
// it.
//
// A key of at most eight bytes is one word. The hash multiplies it by a secret odd number, xors the
// upper half onto the lower one, and multiplies by another secret odd number. A longer key becomes
// a word by sums of products of secret numbers and its pieces of 32 bits (Lemire and Kaser 2014,
// "Strongly universal string hashing is fast", Multilinear-HM). guest-sdk/rust/src/state/hash.rs
// has the reasons.
type hasher struct {
	// first and last are odd.
	first, length, last, fold uint64
	tail                      [2]uint64
	lanes                     [hashBlock][2]uint64
}

func newHasher(seed uint64) hasher {
	h := hasher{
		first:  splitMix(&seed) | 1,
		length: splitMix(&seed),
		last:   splitMix(&seed) | 1,
		fold:   splitMix(&seed),
	}
	h.tail = [2]uint64{splitMix(&seed), splitMix(&seed)}
	for lane := range h.lanes {
		h.lanes[lane] = [2]uint64{splitMix(&seed), splitMix(&seed)}
	}
	return h
}

func (h *hasher) hash(key []byte) uint32 {
	switch {
	case len(key) == 8:
		return h.finish(binary.LittleEndian.Uint64(key)*h.first + 8*h.length)
	case len(key) < 8:
		return h.finish(shortWord(key)*h.first + uint64(len(key))*h.length)
	default:
		return h.hashLong(key)
	}
}

func (h *hasher) hashLong(key []byte) uint32 {
	sum := uint64(len(key)) * h.length
	for rest := key; len(rest) >= 8; {
		for lane := range h.lanes {
			if len(rest) < 8 {
				break
			}
			sum += product(rest, &h.lanes[lane])
			rest = rest[8:]
		}
		sum = (sum >> 32) * h.fold
	}
	// The last eight bytes; some or all of them may already be in the sum.
	return h.finish(sum + product(key[len(key)-8:], &h.tail))
}

func (h *hasher) finish(sum uint64) uint32 {
	return uint32((sum ^ sum>>32) * h.last >> 32)
}

func product(bytes []byte, lane *[2]uint64) uint64 {
	word := binary.LittleEndian.Uint64(bytes)
	return (lane[0] + word&0xffff_ffff) * (lane[1] + word>>32)
}

// shortWord returns a key of less than eight bytes as a little-endian word that ends in zeros.
func shortWord(key []byte) uint64 {
	length := len(key)
	switch {
	case length >= 4:
		low := binary.LittleEndian.Uint32(key)
		high := binary.LittleEndian.Uint32(key[length-4:])
		return uint64(low) | uint64(high)<<(8*(length-4))
	case length > 0:
		middle := length / 2
		return uint64(key[0]) | uint64(key[middle])<<(8*middle) |
			uint64(key[length-1])<<(8*(length-1))
	default:
		return 0
	}
}

// splitMix returns the next number of a sequence that looks random: Steele, Lea and Flood 2014,
// "Fast splittable pseudorandom number generators".
func splitMix(state *uint64) uint64 {
	*state += 0x9e37_79b9_7f4a_7c15
	mixed := *state
	mixed = (mixed ^ mixed>>30) * 0xbf58_476d_1ce4_e5b9
	mixed = (mixed ^ mixed>>27) * 0x94d0_49bb_1331_11eb
	return mixed ^ mixed>>31
}
