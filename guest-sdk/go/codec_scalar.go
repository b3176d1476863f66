// Codecs of types without parts: bool, numbers, strings and byte strings.

package tidegate

import (
	"cmp"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// scalarCodec returns the codec of a type that has no parts, or nil.
func scalarCodec(kind reflect.Type) *codec {
	if kind == bytesType {
		return bytesKeyCodec
	}
	switch kind.Kind() {
	case reflect.Bool:
		return boolCodec
	case reflect.Uint8:
		return byteCodec[uint8]()
	case reflect.Int8:
		return byteCodec[int8]()
	case reflect.Uint16:
		return unsignedCodec[uint16](16)
	case reflect.Uint32:
		return unsignedCodec[uint32](32)
	case reflect.Uint64:
		return unsignedCodec[uint64](64)
	case reflect.Uint:
		return unsignedCodec[uint](64)
	case reflect.Int16:
		return signedCodec[int16](16)
	case reflect.Int32:
		return signedCodec[int32](32)
	case reflect.Int64:
		return signedCodec[int64](64)
	case reflect.Int:
		return signedCodec[int](64)
	case reflect.Float32:
		return float32Codec
	case reflect.Float64:
		return float64Codec
	case reflect.String:
		return stringCodec
	default:
		return nil
	}
}

func compareOf[T cmp.Ordered](left, right unsafe.Pointer) int {
	return cmp.Compare(*(*T)(left), *(*T)(right))
}

var boolCodec = &codec{
	encode: func(e *encoder, at unsafe.Pointer) { e.byte(*(*byte)(at)) },
	decode: func(d *decoder, at unsafe.Pointer) { *(*bool)(at) = d.flag("a bool") },
	least:  1,
	// A bool is a byte of 0 or 1.
	compare: compareOf[byte],
}

func byteCodec[T uint8 | int8]() *codec {
	return &codec{
		encode:  func(e *encoder, at unsafe.Pointer) { e.byte(byte(*(*T)(at))) },
		decode:  func(d *decoder, at unsafe.Pointer) { *(*T)(at) = T(d.byte()) },
		least:   1,
		compare: compareOf[T],
	}
}

func unsignedCodec[T uint16 | uint32 | uint64 | uint](bits int) *codec {
	return &codec{
		encode:  func(e *encoder, at unsafe.Pointer) { e.varint(uint64(*(*T)(at))) },
		decode:  func(d *decoder, at unsafe.Pointer) { *(*T)(at) = T(d.varint(bits)) },
		least:   1,
		compare: compareOf[T],
	}
}

func signedCodec[T int16 | int32 | int64 | int](bits int) *codec {
	return &codec{
		encode: func(e *encoder, at unsafe.Pointer) {
			number := int64(*(*T)(at))
			e.varint(uint64(number<<1 ^ number>>63))
		},
		decode: func(d *decoder, at unsafe.Pointer) {
			zigzag := d.varint(bits)
			*(*T)(at) = T(int64(zigzag>>1) ^ -int64(zigzag&1))
		},
		least:   1,
		compare: compareOf[T],
	}
}

// The bits of every NaN.
const (
	nan32 = 0x7fc00000
	nan64 = 0x7ff8000000000000
)

var float32Codec = &codec{
	encode: func(e *encoder, at unsafe.Pointer) {
		number := *(*float32)(at)
		bits := math.Float32bits(number)
		if number != number {
			bits = nan32
		}
		e.uint32(bits)
	},
	decode: func(d *decoder, at unsafe.Pointer) {
		*(*float32)(at) = math.Float32frombits(d.uint32())
	},
	least: 4,
}

var float64Codec = &codec{
	encode: func(e *encoder, at unsafe.Pointer) {
		number := *(*float64)(at)
		bits := math.Float64bits(number)
		if number != number {
			bits = nan64
		}
		e.uint64(bits)
	},
	decode: func(d *decoder, at unsafe.Pointer) {
		*(*float64)(at) = math.Float64frombits(d.uint64())
	},
	least: 8,
}

var stringCodec = &codec{
	encode: func(e *encoder, at unsafe.Pointer) {
		text := *(*string)(at)
		if !utf8.ValidString(text) {
			e.fail("a string is not UTF-8; Bytes and []byte hold any bytes")
		}
		e.varint(uint64(len(text)))
		e.bytes = append(e.bytes, text...)
	},
	decode: func(d *decoder, at unsafe.Pointer) {
		text := d.take()
		if !utf8.Valid(text) {
			d.fail("a string is not UTF-8")
			return
		}
		*(*string)(at) = string(text)
	},
	least:   1,
	compare: compareStrings,
}

var bytesKeyCodec = &codec{
	encode: func(e *encoder, at unsafe.Pointer) {
		text := *(*string)(at)
		e.varint(uint64(len(text)))
		e.bytes = append(e.bytes, text...)
	},
	decode:  func(d *decoder, at unsafe.Pointer) { *(*string)(at) = string(d.take()) },
	least:   1,
	compare: compareStrings,
}

func compareStrings(left, right unsafe.Pointer) int {
	return strings.Compare(*(*string)(left), *(*string)(right))
}

var bytesCodec = &codec{
	encode: func(e *encoder, at unsafe.Pointer) {
		bytes := *(*[]byte)(at)
		e.varint(uint64(len(bytes)))
		e.bytes = append(e.bytes, bytes...)
	},
	decode: func(d *decoder, at unsafe.Pointer) {
		*(*[]byte)(at) = append([]byte(nil), d.take()...)
	},
	least: 1,
}
