// A small JSON reader for `config`: each error names its place.

package tidegate

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads a JSON document into Go values, from its start to its end.
type jsonReader struct {
	text  string
	at    int
	depth int
	// ignoresUnknown is true where a struct need not have a field for each member.
	ignoresUnknown bool
}

// maxDepth is the most levels of nested values.
const maxDepth = 64

func (r *jsonReader) document(into reflect.Value) error {
	if err := r.value(into); err != nil {
		return err
	}
	if r.peek() != 0 || r.at < len(r.text) {
		return wrong("something follows the JSON")
	}
	return nil
}

// peek skips space, and returns the next character, or 0 at the end.
func (r *jsonReader) peek() byte {
	for r.at < len(r.text) {
		switch character := r.text[r.at]; character {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return character
		}
	}
	return 0
}

// take skips a character if it is the next.
func (r *jsonReader) take(character byte) bool {
	if r.peek() != character {
		return false
	}
	r.at++
	return true
}

func (r *jsonReader) word(word string) bool {
	r.peek()
	if !strings.HasPrefix(r.text[r.at:], word) {
		return false
	}
	r.at += len(word)
	return true
}

var notJSON = wrong("it is not JSON")

func (r *jsonReader) value(into reflect.Value) error {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxDepth {
		return wrong("it is nested too deep")
	}
	if done, err := r.byMethod(into); done {
		return err
	}
	switch into.Kind() {
	case reflect.Pointer:
		if r.word("null") {
			into.SetZero()
			return nil
		}
		into.Set(reflect.New(into.Type().Elem()))
		return r.value(into.Elem())
	case reflect.Interface:
		return r.anything(into)
	case reflect.Struct:
		return r.object(into.Type(), func(name string) error { return r.setting(into, name) })
	case reflect.Map:
		return r.entries(into)
	case reflect.Slice:
		return r.list(into)
	default:
		return r.scalar(into)
	}
}

// byMethod lets a type read JSON or text by its own method.
func (r *jsonReader) byMethod(into reflect.Value) (done bool, err error) {
	switch target := into.Addr().Interface().(type) {
	case interface{ UnmarshalJSON([]byte) error }:
		r.peek()
		start := r.at
		var skipped any
		if err := r.value(reflect.ValueOf(&skipped).Elem()); err != nil {
			return true, err
		}
		return true, asSetting(target.UnmarshalJSON([]byte(r.text[start:r.at])))
	case interface{ UnmarshalText([]byte) error }:
		text, err := r.string()
		if err != nil {
			return true, err
		}
		return true, asSetting(target.UnmarshalText([]byte(text)))
	default:
		return false, nil
	}
}

func asSetting(err error) error {
	if err == nil {
		return nil
	}
	return wrong(err.Error())
}

// object reads an object; member reads the value of each name.
func (r *jsonReader) object(kind reflect.Type, member func(name string) error) error {
	if !r.take('{') {
		return wrong("expected a table for " + kind.String())
	}
	if r.take('}') {
		return nil
	}
	for {
		name, err := r.string()
		if err != nil {
			return notJSON
		}
		if !r.take(':') {
			return notJSON
		}
		if err := member(name); err != nil {
			return err
		}
		if r.take('}') {
			return nil
		}
		if !r.take(',') {
			return notJSON
		}
	}
}

func (r *jsonReader) setting(into reflect.Value, name string) error {
	known := settings(into.Type())
	for _, field := range known {
		if field.matches(name) {
			return within(name, r.value(into.Field(field.index)))
		}
	}
	if r.ignoresUnknown {
		var unused any
		return r.value(reflect.ValueOf(&unused).Elem())
	}
	return unknownField(name, known)
}

func (r *jsonReader) entries(into reflect.Value) error {
	kind := into.Type()
	if kind.Key().Kind() != reflect.String {
		return wrong("a " + kind.String() + " can't be a setting")
	}
	into.Set(reflect.MakeMap(kind))
	return r.object(kind, func(name string) error {
		value := reflect.New(kind.Elem()).Elem()
		if err := r.value(value); err != nil {
			return within(name, err)
		}
		into.SetMapIndex(reflect.ValueOf(name).Convert(kind.Key()), value)
		return nil
	})
}

func (r *jsonReader) list(into reflect.Value) error {
	if !r.take('[') {
		return wrong("expected a list")
	}
	into.Set(reflect.MakeSlice(into.Type(), 0, 0))
	if r.take(']') {
		return nil
	}
	for {
		into.Grow(1)
		into.SetLen(into.Len() + 1)
		last := into.Len() - 1
		if err := r.value(into.Index(last)); err != nil {
			return within(strconv.Itoa(last), err)
		}
		if r.take(']') {
			return nil
		}
		if !r.take(',') {
			return notJSON
		}
	}
}

// anything reads a value of any type: nil, a bool, a float64, a string, a []any or a
// map[string]any.
func (r *jsonReader) anything(into reflect.Value) error {
	var value any
	switch first := r.peek(); {
	case first == '{':
		value = map[string]any{}
	case first == '[':
		value = []any{}
	case first == '"':
		value = ""
	case first == 't' || first == 'f':
		value = false
	case r.word("null"):
		into.SetZero()
		return nil
	default:
		value = 0.0
	}
	typed := reflect.New(reflect.TypeOf(value)).Elem()
	if err := r.value(typed); err != nil {
		return err
	}
	if !typed.Type().AssignableTo(into.Type()) {
		return wrong("a " + into.Type().String() + " can't be a setting")
	}
	into.Set(typed)
	return nil
}

func (r *jsonReader) scalar(into reflect.Value) error {
	switch kind := into.Kind(); kind {
	case reflect.String:
		text, err := r.string()
		into.SetString(text)
		return err
	case reflect.Bool:
		isTrue := r.word("true")
		if !isTrue && !r.word("false") {
			return wrong("expected true or false")
		}
		into.SetBool(isTrue)
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		number, err := strconv.ParseInt(r.number(), 10, into.Type().Bits())
		into.SetInt(number)
		return expected(err, "a whole number of type "+kind.String())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		number, err := strconv.ParseUint(r.number(), 10, into.Type().Bits())
		into.SetUint(number)
		return expected(err, "a whole number of type "+kind.String())
	case reflect.Float32, reflect.Float64:
		number, err := strconv.ParseFloat(r.number(), into.Type().Bits())
		into.SetFloat(number)
		return expected(err, "a number")
	default:
		return wrong("a " + into.Type().String() + " can't be a setting")
	}
}

func expected(err error, what string) error {
	if err == nil {
		return nil
	}
	return wrong("expected " + what)
}

// number returns the characters of a number, or no characters.
func (r *jsonReader) number() string {
	r.peek()
	start := r.at
	r.skip("-")
	leading := r.at
	digits := r.digits()
	isNumber := digits == 1 || digits > 1 && r.text[leading] != '0'
	if r.skip(".") {
		isNumber = isNumber && r.digits() > 0
	}
	if r.skip("eE") {
		r.skip("+-")
		isNumber = isNumber && r.digits() > 0
	}
	if !isNumber {
		return ""
	}
	return r.text[start:r.at]
}

// skip skips one of some characters.
func (r *jsonReader) skip(some string) bool {
	is := r.at < len(r.text) && strings.IndexByte(some, r.text[r.at]) >= 0
	if is {
		r.at++
	}
	return is
}

// digits skips digits, and counts them.
func (r *jsonReader) digits() int {
	start := r.at
	for r.skip("0123456789") {
	}
	return r.at - start
}

func (r *jsonReader) string() (string, error) {
	if !r.take('"') {
		return "", wrong("expected a string")
	}
	var text []byte
	for r.at < len(r.text) {
		character := r.text[r.at]
		r.at++
		switch {
		case character == '"':
			return string(text), nil
		case character < 0x20:
			return "", notJSON
		case character != '\\':
			text = append(text, character)
		default:
			escaped, ok := r.escape()
			if !ok {
				return "", notJSON
			}
			text = utf8.AppendRune(text, escaped)
		}
	}
	return "", notJSON
}

// escape reads the characters after a backslash.
func (r *jsonReader) escape() (rune, bool) {
	if r.at == len(r.text) {
		return 0, false
	}
	character := r.text[r.at]
	r.at++
	const names, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if index := strings.IndexByte(names, character); index >= 0 {
		return rune(meanings[index]), true
	}
	if character != 'u' {
		return 0, false
	}
	first, ok := r.unit()
	if !ok || !utf16.IsSurrogate(first) {
		return first, ok
	}
	if !strings.HasPrefix(r.text[r.at:], `\u`) {
		return 0, false
	}
	r.at += len(`\u`)
	second, ok := r.unit()
	both := utf16.DecodeRune(first, second)
	return both, ok && both != utf8.RuneError
}

// unit reads the four digits of a UTF-16 unit.
func (r *jsonReader) unit() (rune, bool) {
	const digits = 4
	if len(r.text)-r.at < digits {
		return 0, false
	}
	unit, err := strconv.ParseUint(r.text[r.at:r.at+digits], 16, 16)
	r.at += digits
	return rune(unit), err == nil
}
