// The key group of a key, the same function in the host and in every SDK.

package tidegate

import "math/bits"

// KeyGroup returns the key group of a key among maxParallelism, which is at least 1. It is the
// function that routes records (Flink's), and never changes.
//
// The host's import `key-groups` is the same function; here it costs no call.
func KeyGroup(key []byte, maxParallelism uint32) uint32 {
	// FNV-1a.
	code := uint32(0x811c9dc5)
	for _, letter := range key {
		code = (code ^ uint32(letter)) * 0x01000193
	}
	return murmur(code) % maxParallelism
}

// murmur returns one round of Murmur3 over the code, its final mix, and the absolute value.
func murmur(code uint32) uint32 {
	code = bits.RotateLeft32(code*0xcc9e2d51, 15) * 0x1b873593
	code = (bits.RotateLeft32(code, 13)*5 + 0xe6546b64) ^ 4
	code = (code ^ code>>16) * 0x85ebca6b
	code = (code ^ code>>13) * 0xc2b2ae35
	code ^= code >> 16
	switch {
	case code < 1<<31:
		return code
	case code == 1<<31:
		return 0
	default:
		return -code
	}
}
