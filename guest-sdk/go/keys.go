// The state of all keys, sorted by key, for OnWatermark and OnFinish.

package tidegate

import (
	"errors"
	"iter"
	"unsafe"
)

// Keys is the state of all keys that an instance has seen, as OnWatermark and OnFinish get it.
//
// Iteration is sorted by the bytes of the key, whatever order the keys arrived in. Sorting has a
// cost: for an operator with many keys that looks at few of them, [Keys.Extract] is cheaper than
// [Keys.All]. The keys that it yields must not be changed.
type Keys[S any] struct {
	table   table[S]
	context *Context
	// lent is true if a state was lent out to be changed, and may have become vacant.
	lent bool
}

func newKeys[S any](context *Context) *Keys[S] {
	return &Keys[S]{table: newTable[S](newHasher(context.HashSeed)), context: context}
}

// Len returns the number of keys.
func (k *Keys[S]) Len() int { return k.table.len() }

// Get returns the state of a key, which may be changed, or nil.
func (k *Keys[S]) Get(key []byte) *S {
	place, ok := k.table.find(key)
	if !ok {
		return nil
	}
	k.lent = true
	return &k.table.at(place).state
}

// All returns all keys with their state, which may be changed, sorted by key. Keys may be removed
// meanwhile.
func (k *Keys[S]) All() iter.Seq2[[]byte, *S] {
	return func(yield func([]byte, *S) bool) {
		k.lent = true
		sorted := k.table.all(nil)
		sortRanks(sorted)
		for _, rank := range sorted {
			if entry := rank.entry; !entry.removed && !yield(viewBytes(entry.key), &entry.state) {
				return
			}
		}
	}
}

// Remove forgets a key, and reports whether it was there.
func (k *Keys[S]) Remove(key []byte) bool {
	place, ok := k.table.find(key)
	if ok {
		k.table.remove(place)
	}
	return ok
}

// Clear forgets all keys.
func (k *Keys[S]) Clear() {
	k.table = newTable[S](k.table.hasher)
}

// Extract takes out the keys that isDue picks, and returns them sorted by key. They are taken out
// by the call, not when the result is used.
//
// isDue sees the keys in no particular order, so it must judge each key alone, and change nothing.
// Only the keys that it picks are sorted.
func (k *Keys[S]) Extract(isDue func(key []byte, state *S) bool) iter.Seq2[[]byte, *S] {
	due := k.table.all(func(entry *entry[S]) bool {
		return isDue(viewBytes(entry.key), &entry.state)
	})
	sortRanks(due)
	taken := make([]entry[S], len(due))
	for index, rank := range due {
		taken[index] = *rank.entry
		k.table.remove(rank.place)
	}
	return func(yield func([]byte, *S) bool) {
		for index := range taken {
			entry := &taken[index]
			if !yield(viewBytes(entry.key), &entry.state) {
				return
			}
		}
	}
}

// keepsState returns false for a state without fields, which is not kept.
func keepsState[S any]() bool {
	var none S
	return unsafe.Sizeof(none) > 0
}

// findOrInsert returns the place of a key, which is added with the zero value if it is new.
func (k *Keys[S]) findOrInsert(key []byte) (uint32, error) {
	if place, ok := k.table.find(key); ok {
		return place, nil
	}
	group := KeyGroup(key, k.context.MaxParallelism)
	if !k.context.Owns(group) {
		return 0, k.notOwned(key, group)
	}
	return k.table.insert(string(key), group), nil
}

func (k *Keys[S]) notOwned(key []byte, group uint32) error {
	return errors.New("the key \"" + escapeASCII(key) + "\" belongs to key group " + decimal(group) +
		", and this subtask owns " + decimal(k.context.FirstKeyGroup) + "..=" +
		decimal(k.context.LastKeyGroup) + "; every input whose records use state by key needs " +
		"`partition = \"hash\"`")
}

// forget forgets every key whose state is vacant. It looks at no key if no state was lent out since
// the last call.
func (k *Keys[S]) forget(isVacant func(*S) bool) {
	if !k.lent {
		return
	}
	k.lent = false
	vacant := k.table.all(func(entry *entry[S]) bool { return isVacant(&entry.state) })
	for _, rank := range vacant {
		k.table.remove(rank.place)
	}
}

// escapeASCII writes bytes as Rust's escape_ascii does.
func escapeASCII(bytes []byte) string {
	const digits = "0123456789abcdef"
	shown := make([]byte, 0, len(bytes))
	for _, letter := range bytes {
		switch {
		case letter == '\t':
			shown = append(shown, `\t`...)
		case letter == '\r':
			shown = append(shown, `\r`...)
		case letter == '\n':
			shown = append(shown, `\n`...)
		case letter == '\'' || letter == '"' || letter == '\\':
			shown = append(shown, '\\', letter)
		case letter >= 0x20 && letter < 0x7f:
			shown = append(shown, letter)
		default:
			shown = append(shown, '\\', 'x', digits[letter>>4], digits[letter&15])
		}
	}
	return string(shown)
}
