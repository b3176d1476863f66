// One record, read in place, and the readings of its value.

package tidegate

import (
	"reflect"
	"unicode/utf8"
)

// Record is one record of the stream, read in place.
//
// A Record is valid during the call of OnRecord that receives it. The byte slices that it returns
// may be kept, and must not be changed.
//
// A reading that fails returns an [InvalidRecordError] with the record's row: returned from
// OnRecord, it blames exactly this record.
type Record struct {
	key       []byte
	value     []byte
	timestamp int64
	input     uint32
	row       uint32
}

// Key returns the key, which is empty for a record without a key.
func (r *Record) Key() []byte { return r.key }

// Value returns the value.
func (r *Record) Value() []byte { return r.value }

// Timestamp returns the record's event time in milliseconds since the Unix epoch, and whether the
// record has a timestamp.
func (r *Record) Timestamp() (milliseconds int64, ok bool) {
	return r.timestamp, r.timestamp != NoTimestamp
}

// Input returns the index of the input that the record came from, for an operator with several
// inputs.
func (r *Record) Input() uint32 { return r.input }

// Row returns the row of the record in its batch. Batches are cut anywhere: a row means nothing in
// the stream, and serves only for an [InvalidRecordError].
func (r *Record) Row() uint32 { return r.row }

// KeyText returns the key as text. It fails if the key is not UTF-8.
func (r *Record) KeyText() (string, error) {
	if !utf8.Valid(r.key) {
		return "", r.Invalid("the key is not UTF-8 text")
	}
	return string(r.key), nil
}

// ValueText returns the value as text. It fails if the value is not UTF-8.
func (r *Record) ValueText() (string, error) {
	if !utf8.Valid(r.value) {
		return "", r.Invalid("the value is not UTF-8 text")
	}
	return string(r.value), nil
}

// KeyInt returns the key, decimal text, as a number. [KeyAs] reads other types.
func (r *Record) KeyInt() (int64, error) { return KeyAs[int64](r) }

// ValueInt returns the value, decimal text, as a number. [ValueAs] reads other types.
func (r *Record) ValueInt() (int64, error) { return ValueAs[int64](r) }

// ValueFloat returns the value, decimal text, as a number.
func (r *Record) ValueFloat() (float64, error) {
	number, ok := parseFloat(r.value)
	if !ok {
		return 0, r.unexpected("value", "a decimal number of type f64")
	}
	return number, nil
}

// KeyLe64 returns the key, eight little-endian bytes, as a signed number.
func (r *Record) KeyLe64() (int64, error) {
	number, ok := le64(r.key)
	if !ok {
		return 0, r.unexpected("key", notEightBytes(len(r.key)))
	}
	return number, nil
}

// ValueLe64 returns the value, eight little-endian bytes, as a signed number.
func (r *Record) ValueLe64() (int64, error) {
	number, ok := le64(r.value)
	if !ok {
		return 0, r.unexpected("value", notEightBytes(len(r.value)))
	}
	return number, nil
}

// Invalid makes the error that rejects this record for a reason.
func (r *Record) Invalid(reason string) error {
	return &InvalidRecordError{Row: r.row, Reason: reason}
}

func (r *Record) unexpected(field, expected string) error {
	return r.Invalid("the " + field + " is not " + expected)
}

// KeyAs returns the key, decimal text, as a number of an integer type.
func KeyAs[N Integer](record *Record) (N, error) {
	number, ok := parseInteger[N](record.key)
	if !ok {
		return 0, record.unexpected("key", notANumber[N]())
	}
	return number, nil
}

// ValueAs returns the value, decimal text, as a number of an integer type.
func ValueAs[N Integer](record *Record) (N, error) {
	number, ok := parseInteger[N](record.value)
	if !ok {
		return 0, record.unexpected("value", notANumber[N]())
	}
	return number, nil
}

// ValueJSON returns the value, JSON, as a T. Structs, `json` tags and methods have the meaning that
// they have in encoding/json, except that the fields of an embedded struct do not belong to the
// struct around it.
func ValueJSON[T any](record *Record) (T, error) {
	var value T
	reader := jsonReader{text: viewText(record.value), ignoresUnknown: true}
	if err := reader.document(reflect.ValueOf(&value).Elem()); err != nil {
		return value, record.Invalid("the value: " + err.Error())
	}
	return value, nil
}
