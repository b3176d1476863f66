// A state for each key, found by the keyed hash.

package tidegate

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// slabEntries is the number of entries that lie together. An entry never moves, so that a pointer
// to a state stays valid, and growing copies nothing.
const slabEntries = 256

// table holds a state for each key, in no particular order.
type table[S any] struct {
	hasher hasher
	index  index
	slabs  [][]entry[S]
	// used is the number of places that were ever taken.
	used uint32
	// free has the places whose keys were removed.
	free []uint32
}

// entry is one key with its state.
type entry[S any] struct {
	key      string
	keyGroup uint32
	removed  bool
	state    S
}

// newTable makes a table without keys. Only the hashes depend on the seed.
func newTable[S any](hasher hasher) table[S] {
	t := table[S]{hasher: hasher}
	t.index.reserve(0)
	return t
}

func (t *table[S]) len() int { return t.index.count }

// find returns the place of a key, if it is there.
func (t *table[S]) find(key []byte) (place uint32, ok bool) {
	return t.index.find(t.hasher.hash(key), func(place uint32) bool {
		return t.at(place).key == viewText(key)
	})
}

func (t *table[S]) at(place uint32) *entry[S] {
	return &t.slabs[place/slabEntries][place%slabEntries]
}

// insert adds a new key, with the zero value, and returns its place.
func (t *table[S]) insert(key string, keyGroup uint32) uint32 {
	place := t.used
	if last := len(t.free) - 1; last >= 0 {
		place, t.free = t.free[last], t.free[:last]
	} else {
		if int(place/slabEntries) == len(t.slabs) {
			t.slabs = append(t.slabs, make([]entry[S], slabEntries))
		}
		t.used++
	}
	t.index.insert(t.hasher.hash(viewBytes(key)), place)
	*t.at(place) = entry[S]{key: key, keyGroup: keyGroup}
	return place
}

func (t *table[S]) remove(place uint32) {
	removed := t.at(place)
	t.index.remove(t.hasher.hash(viewBytes(removed.key)), place)
	*removed = entry[S]{removed: true}
	t.free = append(t.free, place)
}

// rank is an entry with its sort key. The first eight bytes of the key decide most comparisons, and
// lie here instead of behind a pointer.
type rank[S any] struct {
	prefix uint64
	entry  *entry[S]
	place  uint32
}

func rankOf[S any](place uint32, entry *entry[S]) rank[S] {
	return rank[S]{prefix: orderPrefix(entry.key), entry: entry, place: place}
}

// orderPrefix returns a number that rises with keys, for keys that differ in their first eight
// bytes.
func orderPrefix(key string) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(viewBytes(key[:8]))
	}
	var padded [8]byte
	copy(padded[:], key)
	return binary.BigEndian.Uint64(padded[:])
}

func sortRanks[S any](ranks []rank[S]) {
	slices.SortFunc(ranks, func(left, right rank[S]) int {
		if left.prefix != right.prefix {
			return cmp.Compare(left.prefix, right.prefix)
		}
		return cmp.Compare(left.entry.key, right.entry.key)
	})
}

// all returns the entries that isWanted picks, in no particular order.
func (t *table[S]) all(isWanted func(*entry[S]) bool) []rank[S] {
	var wanted []rank[S]
	if isWanted == nil {
		wanted = make([]rank[S], 0, t.len())
	}
	for place := range t.used {
		entry := t.at(place)
		if !entry.removed && (isWanted == nil || isWanted(entry)) {
			wanted = append(wanted, rankOf(place, entry))
		}
	}
	return wanted
}

// inOrder returns all entries by key group, and the entries of each group by key. groups has the
// start of each group of first..=last, and the end of the last group.
func (t *table[S]) inOrder(first, last uint32) (ranks []rank[S], groups []int) {
	groups = make([]int, last-first+2)
	for place := range t.used {
		if entry := t.at(place); !entry.removed {
			groups[entry.keyGroup-first+1]++
		}
	}
	for index := 1; index < len(groups); index++ {
		groups[index] += groups[index-1]
	}
	ranks = make([]rank[S], groups[len(groups)-1])
	next := slices.Clone(groups)
	for place := range t.used {
		if entry := t.at(place); !entry.removed {
			slot := &next[entry.keyGroup-first]
			ranks[*slot] = rankOf(place, entry)
			*slot++
		}
	}
	for index := range len(groups) - 1 {
		sortRanks(ranks[groups[index]:groups[index+1]])
	}
	return ranks, groups
}
