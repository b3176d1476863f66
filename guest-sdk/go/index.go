// A hash index with linear probing: hashes to places in a table.

package tidegate

// freeSlot is a slot without a place.
const freeSlot = ^uint64(0)

// fewestSlots is the fewest slots of an index.
const fewestSlots = 16

// index has the places of entries by the hashes of their keys: open addressing with linear probing
// and deletion by backward shift (Knuth, The Art of Computer Programming 3, 6.4, algorithms L and
// R). A slot is a hash in the upper half and a place in the lower one. The number of slots is a
// power of two, and a quarter of them is free.
type index struct {
	slots []uint64
	count int
}

// find returns the place with this hash that isIt accepts.
func (x *index) find(hash uint32, isIt func(place uint32) bool) (place uint32, ok bool) {
	mask := uint32(len(x.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := x.slots[at]
		if slot == freeSlot {
			return 0, false
		}
		if uint32(slot>>32) == hash && isIt(uint32(slot)) {
			return uint32(slot), true
		}
	}
}

// insert adds a new place.
func (x *index) insert(hash, place uint32) {
	x.reserve(1)
	x.put(uint64(hash)<<32 | uint64(place))
	x.count++
}

// reserve makes room for more places.
func (x *index) reserve(places int) {
	wanted := max(len(x.slots), fewestSlots)
	for wanted/4*3 < x.count+places {
		wanted *= 2
	}
	if wanted == len(x.slots) {
		return
	}
	old := x.slots
	x.slots = make([]uint64, wanted)
	for at := range x.slots {
		x.slots[at] = freeSlot
	}
	for _, slot := range old {
		if slot != freeSlot {
			x.put(slot)
		}
	}
}

func (x *index) put(slot uint64) {
	mask := uint32(len(x.slots) - 1)
	at := uint32(slot>>32) & mask
	for x.slots[at] != freeSlot {
		at = (at + 1) & mask
	}
	x.slots[at] = slot
}

// remove takes out a place that is in the index.
func (x *index) remove(hash, place uint32) {
	mask := uint32(len(x.slots) - 1)
	hole := hash & mask
	for x.slots[hole] != uint64(hash)<<32|uint64(place) {
		hole = (hole + 1) & mask
	}
	for at := (hole + 1) & mask; x.slots[at] != freeSlot; at = (at + 1) & mask {
		home := uint32(x.slots[at]>>32) & mask
		// A slot whose hash begins to look at the hole or before it moves there.
		if (at-home)&mask >= (at-hole)&mask {
			x.slots[hole] = x.slots[at]
			hole = at
		}
	}
	x.slots[hole] = freeSlot
	x.count--
}
