// Chosen keys do not make a table slow, whatever the seed is.

package tidegate

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// manyKeys is the number of keys that are counted.
const manyKeys = 200_000

// probes returns the number of slots read to find every key.
func probes(x *index) int {
	mask := uint32(len(x.slots) - 1)
	sum := 0
	for at, slot := range x.slots {
		if slot != freeSlot {
			sum += int((uint32(at)-uint32(slot>>32))&mask) + 1
		}
	}
	return sum
}

func probesOf(t *testing.T, seed uint64, count int, key func(number uint64) []byte) int {
	t.Helper()
	table := newTable[struct{}](newHasher(seed))
	for number := range uint64(count) {
		table.insert(string(key(number)), 0)
	}
	for _, number := range []uint64{0, uint64(count) / 2, uint64(count) - 1} {
		if place, ok := table.find(key(number)); !ok || place != uint32(number) {
			t.Fatalf("key %d is at %d", number, place)
		}
	}
	return probes(&table.index)
}

// spread returns keys that no one chose.
func spread(number uint64) []byte {
	state := number << 20
	return binary.LittleEndian.AppendUint64(nil, splitMix(&state))
}

// sameInSplitMix returns one of many keys that have the same hash in a SplitMix64 with a known
// seed.
func sameInSplitMix(number uint64) []byte {
	mixed := 0x1234_5678<<32 | number
	mixed *= inverse(0x94d0_49bb_1331_11eb)
	mixed ^= mixed>>27 ^ mixed>>54
	mixed *= inverse(0xbf58_476d_1ce4_e5b9)
	mixed ^= mixed>>30 ^ mixed>>60
	length := uint64(8)
	return binary.LittleEndian.AppendUint64(nil, mixed^length*0x9e37_79b9_7f4a_7c15)
}

// inverse returns the inverse of an odd number modulo 2^64, by Newton's method.
func inverse(odd uint64) uint64 {
	x := odd
	for range 6 {
		x *= 2 - odd*x
	}
	return x
}

// takenBack returns a key whose pairs of words differ from those of other keys in the uppermost
// bit, and in the result of an odd factor and a shift, so that the second word cancels the change
// of the first.
func takenBack(number uint64) []byte {
	var key []byte
	for pair := range 17 {
		bit := number >> pair & 1
		key = binary.LittleEndian.AppendUint64(key, bit<<63)
		key = binary.LittleEndian.AppendUint64(key, bit<<63|bit<<31)
	}
	return key
}

func longSpread(number uint64) []byte {
	key := spread(number)
	for len(key) < 17*16 {
		key = append(key, spread(uint64(len(key)))...)
	}
	return key
}

func TestKeysThatAreChosenTakeAtMostTwiceAsManyProbes(t *testing.T) {
	counting := func(number uint64) []byte { return binary.LittleEndian.AppendUint64(nil, number) }
	high := func(number uint64) []byte { return binary.LittleEndian.AppendUint64(nil, number<<44) }
	for _, seed := range []uint64{1, 2, 0x7469_6465_6761_7465} {
		good := probesOf(t, seed, manyKeys, spread)
		for name, key := range map[string]func(uint64) []byte{
			"same in SplitMix64": sameInSplitMix, "counting": counting, "high": high,
		} {
			if bad := probesOf(t, seed, manyKeys, key); bad > 2*good {
				t.Errorf("seed %d, %s: %d probes, and %d of other keys", seed, name, bad, good)
			}
		}
		good = probesOf(t, seed, 1<<17, longSpread)
		if bad := probesOf(t, seed, 1<<17, takenBack); bad > 2*good {
			t.Errorf("seed %d, taken back: %d probes, and %d of other keys", seed, bad, good)
		}
	}
}

func TestTheIndexIsAMap(t *testing.T) {
	state := uint64(7)
	table := newTable[int](newHasher(3))
	model := make(map[string]int)
	for step := range 60_000 {
		key := fmt.Sprintf("%0*d", splitMix(&state)%20, splitMix(&state)%300)
		place, found := table.find([]byte(key))
		if _, expected := model[key]; found != expected {
			t.Fatalf("step %d: %q is there: %t", step, key, found)
		}
		switch {
		case !found:
			table.at(table.insert(key, 0)).state = step
			model[key] = step
		case table.at(place).state != model[key]:
			t.Fatalf("step %d: %q has %d", step, key, table.at(place).state)
		case splitMix(&state)%2 == 0:
			table.remove(place)
			delete(model, key)
		}
		if table.len() != len(model) {
			t.Fatalf("step %d: %d keys", step, table.len())
		}
	}
}
