// Items of operator state, which belong to the operator and not to a key.

package tidegate

import (
	"strings"
	"unsafe"
)

// Items takes the items of operator state at a checkpoint; [Push] adds an item.
type Items struct {
	chunks [][]byte
}

// Push adds an item of operator state. The order of the items is part of the state, so it must not
// be that of a map. It fails if the type can't be state, or the value can't be written.
func Push[T any](items *Items, item T) error {
	codec, err := codecOf[T]()
	if err != nil {
		return err
	}
	chunk, err := writeItem(codec, unsafe.Pointer(&item))
	if err == nil {
		items.chunks = append(items.chunks, chunk)
	}
	return err
}

func writeItem(codec *codec, item unsafe.Pointer) ([]byte, error) {
	e := encoder{bytes: []byte(itemMagic)}
	codec.encode(&e, item)
	return e.bytes, e.failure
}

// RestoredItems are the items of operator state that a subtask receives at a restore: its share of
// the items of all subtasks.
type RestoredItems struct {
	chunks []StateChunk
	// current is the version that the operator writes now.
	current uint32
}

// Len returns the number of items.
func (r *RestoredItems) Len() int { return len(r.chunks) }

// Version returns the state version of the operator that wrote the items; 0 if there are no items.
func (r *RestoredItems) Version() uint32 {
	if len(r.chunks) == 0 {
		return 0
	}
	return r.chunks[0].SchemaVersion
}

// ReadItems reads all items, in the order in which they were dealt out, as this version of the
// operator writes them. It fails with an [IncompatibleStateError] if another version wrote them, or
// one is not exactly a T.
func ReadItems[T any](items *RestoredItems) ([]T, error) {
	return ReadItemsOf[T](items, items.current)
}

// ReadItemsOf is like [ReadItems], for the items that an older version of the operator wrote.
func ReadItemsOf[T any](items *RestoredItems, version uint32) ([]T, error) {
	if items.Len() > 0 && items.Version() != version {
		return nil, UnknownVersion(items.Version())
	}
	codec, err := codecOf[T]()
	if err != nil {
		return nil, err
	}
	values := make([]T, items.Len())
	for index := range values {
		if err := items.readItem(index, codec, unsafe.Pointer(&values[index])); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (r *RestoredItems) readItem(index int, codec *codec, into unsafe.Pointer) error {
	bytes := r.chunks[index].Bytes
	if !strings.HasPrefix(viewText(bytes), itemMagic) {
		return incompatible("an item: " + string(brokenMagic))
	}
	return decodeInto(codec, bytes[len(itemMagic):], into)
}

func (r *RestoredItems) push(chunk StateChunk) error {
	if len(r.chunks) > 0 && chunk.SchemaVersion != r.Version() {
		return incompatible("its items of operator state have different versions")
	}
	r.chunks = append(r.chunks, chunk)
	return nil
}
