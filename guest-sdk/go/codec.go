// Codecs: a Go type is put together into a writer and reader of its values once.

package tidegate

import (
	"reflect"
	"strconv"
	"sync"
	"unsafe"
)

// A codec writes and reads the values of one type, as guest-sdk/FORMAT.md defines them. It is put
// together once for each type, so that only a value with a map needs reflection.
type codec struct {
	encode func(*encoder, unsafe.Pointer)
	decode func(*decoder, unsafe.Pointer)
	// least is the number of bytes of the shortest value.
	least int
	// compare compares two keys of a map. It is nil for a type that can't be a key.
	compare func(left, right unsafe.Pointer) int
}

// Bytes is a byte string that can be a key of a map. In state it is written as bytes, so that it
// need not be UTF-8, which a string in state must be.
type Bytes string

var bytesType = reflect.TypeFor[Bytes]()

// codecs has the codecs that were made, by type. Tests run several operators at once.
var codecs sync.Map

// codecOf returns the codec of a type.
func codecOf[T any]() (*codec, error) {
	kind := reflect.TypeFor[T]()
	if made, ok := codecs.Load(kind); ok {
		return made.(*codec), nil
	}
	var maker codecMaker
	made := maker.of(kind)
	if maker.refused != "" {
		return nil, &typeError{path: maker.refusedAt, reason: maker.refused}
	}
	codecs.Store(kind, made)
	return made, nil
}

// typeError is the reason why a type can't be state.
type typeError struct{ path, reason string }

func (e *typeError) Error() string {
	return "the type " + e.path + " can't be state: " + e.reason
}

// codecMaker puts a codec together, from the outside in.
type codecMaker struct {
	// path is the maker's place in the type.
	path []string
	// within has the types around this one, to find types that contain themselves.
	within    []reflect.Type
	refusedAt string
	refused   string
}

func (m *codecMaker) refuse(reason string) *codec {
	if m.refused == "" {
		m.refused = reason
		for _, part := range m.path {
			m.refusedAt += part
		}
	}
	return &codec{}
}

// inside makes the codec of a part of the type at the maker's place.
func (m *codecMaker) inside(part string, kind reflect.Type) *codec {
	m.path = append(m.path, part)
	made := m.of(kind)
	m.path = m.path[:len(m.path)-1]
	return made
}

func (m *codecMaker) of(kind reflect.Type) *codec {
	if len(m.path) == 0 {
		m.path = []string{kind.String()}
	}
	for _, around := range m.within {
		if around == kind {
			return m.refuse(kind.String() + " contains itself")
		}
	}
	m.within = append(m.within, kind)
	made := m.byKind(kind)
	m.within = m.within[:len(m.within)-1]
	return made
}

func (m *codecMaker) byKind(kind reflect.Type) *codec {
	if made := scalarCodec(kind); made != nil {
		return made
	}
	switch kind.Kind() {
	case reflect.Pointer:
		return optionCodec(kind, m.inside("", kind.Elem()))
	case reflect.Slice:
		if kind.Elem().Kind() == reflect.Uint8 {
			return bytesCodec
		}
		return listCodec(kind, m.inside("[]", kind.Elem()))
	case reflect.Array:
		return arrayCodec(kind, m.inside("[]", kind.Elem()))
	case reflect.Map:
		return m.mapCodec(kind)
	case reflect.Struct:
		return m.structCodec(kind)
	default:
		return m.refuse("it is a " + kind.Kind().String())
	}
}

func (m *codecMaker) mapCodec(kind reflect.Type) *codec {
	key := m.inside(" (its keys)", kind.Key())
	if key.compare == nil {
		m.path = append(m.path, " (its keys)")
		key = m.refuse("a key is a bool, an integer, a string, Bytes, or a struct or array of " +
			"these")
		m.path = m.path[:len(m.path)-1]
	}
	return mapCodec(kind, key, m.inside("[]", kind.Elem()))
}

// structCodec makes a codec of the fields in their order. All must be exported, so that no field is
// forgotten silently; the tag `tidegate:"-"` leaves a field out by intention.
func (m *codecMaker) structCodec(kind reflect.Type) *codec {
	var fields []fieldCodec
	for index := range kind.NumField() {
		field := kind.Field(index)
		if field.Tag.Get("tidegate") == "-" {
			continue
		}
		if !field.IsExported() {
			m.path = append(m.path, "."+field.Name)
			made := m.refuse("the field is not exported; export it, or tag it `tidegate:\"-\"` to " +
				"leave it out")
			m.path = m.path[:len(m.path)-1]
			return made
		}
		made := m.inside("."+field.Name, field.Type)
		fields = append(fields, fieldCodec{codec: made, offset: field.Offset})
	}
	return tupleCodec(fields)
}

// fieldCodec is the codec of a value at an offset from the one around it.
type fieldCodec struct {
	*codec
	offset uintptr
}

// tupleCodec writes fields one after the other.
func tupleCodec(fields []fieldCodec) *codec {
	tuple := &codec{
		encode: func(e *encoder, at unsafe.Pointer) {
			for index := range fields {
				field := &fields[index]
				field.encode(e, unsafe.Add(at, field.offset))
			}
		},
		decode: func(d *decoder, at unsafe.Pointer) {
			for index := range fields {
				field := &fields[index]
				field.decode(d, unsafe.Add(at, field.offset))
			}
		},
	}
	areKeys := len(fields) > 0
	for _, field := range fields {
		tuple.least += field.least
		areKeys = areKeys && field.compare != nil
	}
	if areKeys {
		tuple.compare = func(left, right unsafe.Pointer) int {
			for _, field := range fields {
				left, right := unsafe.Add(left, field.offset), unsafe.Add(right, field.offset)
				if order := field.compare(left, right); order != 0 {
					return order
				}
			}
			return 0
		}
	}
	return tuple
}

// arrayCodec writes an array as a tuple of as many values: its length is part of the type.
func arrayCodec(kind reflect.Type, element *codec) *codec {
	fields := make([]fieldCodec, kind.Len())
	for index := range fields {
		fields[index] = fieldCodec{codec: element, offset: uintptr(index) * kind.Elem().Size()}
	}
	return tupleCodec(fields)
}

// maxCount bounds the count of values that take no bytes.
const maxCount = 1 << 32

// checkCount rejects a count that the bytes left could not hold.
func (d *decoder) checkCount(least int) int {
	count := d.varint(64)
	limit := uint64(maxCount)
	if least > 0 {
		limit = uint64(len(d.rest) / least)
	}
	if count > limit {
		d.fail("it ends too early, for " + strconv.FormatUint(count, 10) + " values")
		return 0
	}
	return int(count)
}
