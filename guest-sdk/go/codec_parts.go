// Codecs of types with parts: pointers, slices, arrays, maps and structs.

package tidegate

import (
	"reflect"
	"slices"
	"unsafe"
)

// optionCodec writes a pointer; nil is an option without a value.
func optionCodec(kind reflect.Type, inner *codec) *codec {
	element := kind.Elem()
	return &codec{
		encode: func(e *encoder, at unsafe.Pointer) {
			value := *(*unsafe.Pointer)(at)
			if value == nil {
				e.byte(0)
				return
			}
			e.byte(1)
			inner.encode(e, value)
		},
		decode: func(d *decoder, at unsafe.Pointer) {
			if !d.flag("an option") {
				*(*unsafe.Pointer)(at) = nil
				return
			}
			value := reflect.New(element).UnsafePointer()
			inner.decode(d, value)
			*(*unsafe.Pointer)(at) = value
		},
		least: 1,
	}
}

// sliceHeader is the layout of a slice of any type.
type sliceHeader struct {
	data     unsafe.Pointer
	length   int
	capacity int
}

// firstRoom is the most elements for which room is made at once, whatever their count: an element
// can be much larger in memory than in the bytes that limit the count.
const firstRoom = 1024

func listCodec(kind reflect.Type, element *codec) *codec {
	size := kind.Elem().Size()
	return &codec{
		encode: func(e *encoder, at unsafe.Pointer) {
			list := (*sliceHeader)(at)
			e.varint(uint64(list.length))
			for index := range list.length {
				element.encode(e, unsafe.Add(list.data, uintptr(index)*size))
			}
		},
		decode: func(d *decoder, at unsafe.Pointer) {
			count := d.checkCount(element.least)
			list := reflect.NewAt(kind, at).Elem()
			list.Set(reflect.MakeSlice(kind, 0, min(count, firstRoom)))
			if element.least == 0 {
				// The elements have no bytes, so each is the zero value.
				list.Set(reflect.MakeSlice(kind, count, count))
				return
			}
			for index := 0; index < count && d.failure == nil; index++ {
				if index == list.Cap() {
					list.Grow(1)
				}
				list.SetLen(index + 1)
				header := (*sliceHeader)(at)
				element.decode(d, unsafe.Add(header.data, uintptr(index)*size))
			}
		},
		least: 1,
	}
}

// mapCodec writes the entries of a map by rising key.
func mapCodec(kind reflect.Type, key, value *codec) *codec {
	return &codec{
		encode: func(e *encoder, at unsafe.Pointer) {
			entries := sortedEntries(reflect.NewAt(kind, at).Elem(), key)
			e.varint(uint64(len(entries)))
			for index := range entries {
				key.encode(e, entries[index].key)
				value.encode(e, entries[index].value)
			}
		},
		decode: func(d *decoder, at unsafe.Pointer) {
			count := d.checkCount(key.least + value.least)
			entries := reflect.MakeMapWithSize(kind, min(count, firstRoom))
			for index := 0; index < count && d.failure == nil; index++ {
				newKey, newValue := reflect.New(kind.Key()), reflect.New(kind.Elem())
				key.decode(d, newKey.UnsafePointer())
				value.decode(d, newValue.UnsafePointer())
				entries.SetMapIndex(newKey.Elem(), newValue.Elem())
			}
			reflect.NewAt(kind, at).Elem().Set(entries)
		},
		least: 1,
	}
}

type mapEntry struct{ key, value unsafe.Pointer }

// sortedEntries returns copies of a map's entries, in the order in which they are written.
func sortedEntries(entries reflect.Value, key *codec) []mapEntry {
	count := entries.Len()
	if count == 0 {
		return nil
	}
	keys := reflect.MakeSlice(reflect.SliceOf(entries.Type().Key()), count, count)
	values := reflect.MakeSlice(reflect.SliceOf(entries.Type().Elem()), count, count)
	sorted := make([]mapEntry, count)
	each := entries.MapRange()
	for index := 0; each.Next(); index++ {
		keyAt, valueAt := keys.Index(index), values.Index(index)
		keyAt.SetIterKey(each)
		valueAt.SetIterValue(each)
		sorted[index] = mapEntry{
			key:   keyAt.Addr().UnsafePointer(),
			value: valueAt.Addr().UnsafePointer(),
		}
	}
	slices.SortFunc(sorted, func(left, right mapEntry) int {
		return key.compare(left.key, right.key)
	})
	return sorted
}
