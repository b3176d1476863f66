// One record, read in place, and the readings of its value.

package tidegate

import (
	"reflect"
	"unicode/utf8"
)

// Record is one record of the stream, read in place.
//
// A Record is good during the call of OnRecord that it is given to. The byte slices that it gives
// may be kept, and must not be changed.
//
// A reading that fails gives an [InvalidRecordError] with the record's row: returned from OnRecord,
// it blames exactly this record.
type Record struct {
	key       []byte
	value     []byte
	timestamp int64
	input     uint32
	row       uint32
}

// Key gives the key; empty for a record without one.
func (r *Record) Key() []byte { return r.key }

// Value gives the value.
func (r *Record) Value() []byte { return r.value }

// Timestamp gives the record's event time in milliseconds since the Unix epoch, and whether it has
// one.
func (r *Record) Timestamp() (milliseconds int64, ok bool) {
	return r.timestamp, r.timestamp != NoTimestamp
}

// Input gives the index of the input that the record came from, for an operator with several.
func (r *Record) Input() uint32 { return r.input }

// Row gives the row of the batch that the record is in. Batches are cut anywhere: a row says
// nothing about the stream, and is only good for an [InvalidRecordError].
func (r *Record) Row() uint32 { return r.row }

// KeyText gives the key as text. It fails if that is not UTF-8.
func (r *Record) KeyText() (string, error) {
	if !utf8.Valid(r.key) {
		return "", r.Invalid("the key is not UTF-8 text")
	}
	return string(r.key), nil
}

// ValueText gives the value as text. It fails if that is not UTF-8.
func (r *Record) ValueText() (string, error) {
	if !utf8.Valid(r.value) {
		return "", r.Invalid("the value is not UTF-8 text")
	}
	return string(r.value), nil
}

// KeyInt gives the key, decimal text, as a number. [KeyAs] reads other types.
func (r *Record) KeyInt() (int64, error) { return KeyAs[int64](r) }

// ValueInt gives the value, decimal text, as a number. [ValueAs] reads other types.
func (r *Record) ValueInt() (int64, error) { return ValueAs[int64](r) }

// ValueFloat gives the value, decimal text, as a number.
func (r *Record) ValueFloat() (float64, error) {
	number, ok := parseFloat(r.value)
	if !ok {
		return 0, r.unexpected("value", "a decimal number of type f64")
	}
	return number, nil
}

// KeyLe64 gives the key, eight little-endian bytes, as a signed number.
func (r *Record) KeyLe64() (int64, error) {
	number, ok := le64(r.key)
	if !ok {
		return 0, r.unexpected("key", notEightBytes(len(r.key)))
	}
	return number, nil
}

// ValueLe64 gives the value, eight little-endian bytes, as a signed number.
func (r *Record) ValueLe64() (int64, error) {
	number, ok := le64(r.value)
	if !ok {
		return 0, r.unexpected("value", notEightBytes(len(r.value)))
	}
	return number, nil
}

// Invalid makes the error that says that this record can't be processed, and why.
func (r *Record) Invalid(reason string) error {
	return &InvalidRecordError{Row: r.row, Reason: reason}
}

func (r *Record) unexpected(field, expected string) error {
	return r.Invalid("the " + field + " is not " + expected)
}

// KeyAs gives the key, decimal text, as a number of an integer type.
func KeyAs[N Integer](record *Record) (N, error) {
	number, ok := parseInteger[N](record.key)
	if !ok {
		return 0, record.unexpected("key", notANumber[N]())
	}
	return number, nil
}

// ValueAs gives the value, decimal text, as a number of an integer type.
func ValueAs[N Integer](record *Record) (N, error) {
	number, ok := parseInteger[N](record.value)
	if !ok {
		return 0, record.unexpected("value", notANumber[N]())
	}
	return number, nil
}

// ValueJSON gives the value, JSON, as a T. Structs, `json` tags and methods mean what they mean to
// encoding/json, except that the fields of an embedded struct are not those of the one around it.
func ValueJSON[T any](record *Record) (T, error) {
	var value T
	reader := jsonReader{text: viewText(record.value), ignoresUnknown: true}
	if err := reader.document(reflect.ValueOf(&value).Elem()); err != nil {
		return value, record.Invalid("the value: " + err.Error())
	}
	return value, nil
}
