// The vectors of guest-sdk/vectors, which every SDK must reproduce to the byte.

package tidegate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func readVectors(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("../vectors/" + name)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var scalarTypes = map[string]reflect.Type{
	"unit":   reflect.TypeFor[struct{}](),
	"bool":   reflect.TypeFor[bool](),
	"u8":     reflect.TypeFor[uint8](),
	"u16":    reflect.TypeFor[uint16](),
	"u32":    reflect.TypeFor[uint32](),
	"u64":    reflect.TypeFor[uint64](),
	"i8":     reflect.TypeFor[int8](),
	"i16":    reflect.TypeFor[int16](),
	"i32":    reflect.TypeFor[int32](),
	"i64":    reflect.TypeFor[int64](),
	"f32":    reflect.TypeFor[float32](),
	"f64":    reflect.TypeFor[float64](),
	"string": reflect.TypeFor[string](),
	"bytes":  reflect.TypeFor[[]byte](),
}

// typeOf returns the Go type of a vector's type.
func typeOf(t *testing.T, kind any) reflect.Type {
	t.Helper()
	if name, ok := kind.(string); ok {
		if found, ok := scalarTypes[name]; ok {
			return found
		}
		t.Fatalf("unknown type %q", name)
	}
	for form, inner := range kind.(map[string]any) {
		switch form {
		case "option":
			return reflect.PointerTo(typeOf(t, inner))
		case "list":
			return reflect.SliceOf(typeOf(t, inner))
		case "tuple":
			var fields []reflect.StructField
			for index, part := range inner.([]any) {
				field := reflect.StructField{Name: "F" + strconv.Itoa(index), Type: typeOf(t, part)}
				fields = append(fields, field)
			}
			return reflect.StructOf(fields)
		case "map":
			pair := inner.([]any)
			key := typeOf(t, pair[0])
			if key == scalarTypes["bytes"] {
				key = reflect.TypeFor[Bytes]()
			}
			return reflect.MapOf(key, typeOf(t, pair[1]))
		}
	}
	t.Fatalf("unknown type %v", kind)
	return nil
}

// fill sets a Go value to a vector's value.
func fill(t *testing.T, into reflect.Value, kind, given any) {
	t.Helper()
	form, inner := "", any(nil)
	if name, ok := kind.(string); ok {
		fillScalar(t, into, name, given)
		return
	}
	for form, inner = range kind.(map[string]any) {
	}
	switch form {
	case "option":
		if given != nil {
			into.Set(reflect.New(into.Type().Elem()))
			fill(t, into.Elem(), inner, given.([]any)[0])
		}
	case "list":
		items := given.([]any)
		into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
		for index, item := range items {
			fill(t, into.Index(index), inner, item)
		}
	case "tuple":
		for index, part := range given.([]any) {
			fill(t, into.Field(index), inner.([]any)[index], part)
		}
	case "map":
		into.Set(reflect.MakeMap(into.Type()))
		for _, entry := range given.([]any) {
			key, value := reflect.New(into.Type().Key()), reflect.New(into.Type().Elem())
			fill(t, key.Elem(), inner.([]any)[0], entry.([]any)[0])
			fill(t, value.Elem(), inner.([]any)[1], entry.([]any)[1])
			into.SetMapIndex(key.Elem(), value.Elem())
		}
	}
}

func fillScalar(t *testing.T, into reflect.Value, name string, given any) {
	t.Helper()
	var err error
	switch name[0] {
	case 'u':
		if name == "unit" {
			return
		}
		var number uint64
		number, err = strconv.ParseUint(given.(string), 10, 64)
		into.SetUint(number)
	case 'i':
		var number int64
		number, err = strconv.ParseInt(given.(string), 10, 64)
		into.SetInt(number)
	case 'f':
		var bits uint64
		bits, err = strconv.ParseUint(given.(string), 16, 64)
		if name == "f32" {
			*(*float32)(into.Addr().UnsafePointer()) = math.Float32frombits(uint32(bits))
		} else {
			into.SetFloat(math.Float64frombits(bits))
		}
	case 's':
		into.SetString(given.(string))
	default:
		if name == "bool" {
			into.SetBool(given.(bool))
		} else if data := unhex(t, given.(string)); into.Kind() == reflect.String {
			into.SetString(string(data))
		} else {
			into.SetBytes(data)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func makeCodec(t *testing.T, kind reflect.Type) *codec {
	t.Helper()
	var maker codecMaker
	made := maker.of(kind)
	if maker.refused != "" {
		t.Fatalf("%v: %s", kind, maker.refused)
	}
	return made
}

func encode(t *testing.T, codec *codec, value reflect.Value) []byte {
	t.Helper()
	var e encoder
	codec.encode(&e, value.Addr().UnsafePointer())
	if e.failure != nil {
		t.Fatal(e.failure)
	}
	return e.bytes
}

type valueVector struct {
	Type    any
	Value   any
	Bytes   string
	Because string
}

func TestValuesAreWrittenAndReadAsTheVectorsSay(t *testing.T) {
	var vectors struct {
		Written  []valueVector
		AlsoRead []valueVector `json:"also-read"`
		Refused  []valueVector
	}
	readVectors(t, "values.json", &vectors)
	for _, vector := range slices.Concat(vectors.Written, vectors.AlsoRead) {
		kind := typeOf(t, vector.Type)
		codec := makeCodec(t, kind)
		value, read := reflect.New(kind).Elem(), reflect.New(kind).Elem()
		fill(t, value, vector.Type, vector.Value)
		given := unhex(t, vector.Bytes)
		if err := decodeInto(codec, given, read.Addr().UnsafePointer()); err != nil {
			t.Errorf("%v of %s: %v", vector.Type, vector.Bytes, err)
			continue
		}
		// The values are compared as bytes, since a NaN is unlike itself.
		canonical := encode(t, codec, value)
		if written := encode(t, codec, read); !bytes.Equal(written, canonical) {
			t.Errorf("%v of %s was read as %v", vector.Type, vector.Bytes, read)
		}
	}
	for _, vector := range vectors.Written {
		kind := typeOf(t, vector.Type)
		value := reflect.New(kind).Elem()
		fill(t, value, vector.Type, vector.Value)
		if written := encode(t, makeCodec(t, kind), value); hex.EncodeToString(written) != vector.Bytes {
			t.Errorf("%v %v was written as %x", vector.Type, vector.Value, written)
		}
	}
	for _, vector := range vectors.Refused {
		kind := typeOf(t, vector.Type)
		read := reflect.New(kind)
		given := unhex(t, vector.Bytes)
		if decodeInto(makeCodec(t, kind), given, read.UnsafePointer()) == nil {
			t.Errorf("%v of %s was read, but: %s", vector.Type, vector.Bytes, vector.Because)
		}
	}
	if min(len(vectors.Written), len(vectors.AlsoRead), len(vectors.Refused)) == 0 {
		t.Error("a kind of vectors is missing")
	}
}

type chunkVectors struct {
	Snapshots    []snapshotVector
	Items        []valueVector
	RefusedKeyed struct {
		MaxParallelism uint32 `json:"max-parallelism"`
		Cases          []refusedVector
	} `json:"refused-keyed"`
	RefusedItems struct{ Cases []refusedVector } `json:"refused-items"`
}

type snapshotVector struct {
	Type           any
	MaxParallelism uint32 `json:"max-parallelism"`
	Entries        []struct {
		Key   string
		Value any
	}
	Chunks []struct {
		KeyGroup uint32 `json:"key-group"`
		Bytes    string
	}
}

type refusedVector struct {
	Because  string
	KeyGroup uint32 `json:"key-group"`
	Bytes    string
	Says     string
}

func onlySubtask(maxParallelism uint32) *Context {
	return &Context{
		Parallelism:    1,
		MaxParallelism: maxParallelism,
		LastKeyGroup:   maxParallelism - 1,
		Outputs:        []string{"output"},
	}
}

// checkSnapshot fills an operator's state with the entries, and compares its snapshot; then it
// restores that, and compares again.
func checkSnapshot[S any](t *testing.T, vector *snapshotVector) {
	t.Helper()
	open := OpenFunc(func(*Record, *S, *Output) error { return nil })
	opened, err := open(onlySubtask(vector.MaxParallelism))
	if err != nil {
		t.Fatal(err)
	}
	keys := opened.(*typed[S]).keys
	for _, entry := range vector.Entries {
		place, err := keys.findOrInsert(unhex(t, entry.Key))
		if err != nil {
			t.Fatal(err)
		}
		state := reflect.ValueOf(&keys.table.at(place).state).Elem()
		fill(t, state, vector.Type, entry.Value)
	}
	var expected []StateChunk
	for _, chunk := range vector.Chunks {
		bytes := unhex(t, chunk.Bytes)
		expected = append(expected, StateChunk{"keyed", 1, true, chunk.KeyGroup, bytes})
	}
	restored, err := open(onlySubtask(vector.MaxParallelism))
	if err == nil {
		err = restored.Restore(expected)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, operator := range []RawOperator{opened, restored} {
		chunks, err := operator.Snapshot(1)
		if err != nil || !reflect.DeepEqual(chunks, expected) {
			t.Errorf("%v: %v, %v", vector.Type, chunks, err)
		}
	}
}

func TestSnapshotsAreTheChunksThatTheVectorsSay(t *testing.T) {
	var vectors chunkVectors
	readVectors(t, "chunks.json", &vectors)
	type textAndNumber struct {
		F0 string
		F1 *int64
	}
	checks := map[string]func(*testing.T, *snapshotVector){
		`"u64"`:                                 checkSnapshot[uint64],
		`{"tuple":["string",{"option":"i64"}]}`: checkSnapshot[textAndNumber],
		`{"map":["string","u64"]}`:              checkSnapshot[map[string]uint64],
		`{"list":"f64"}`:                        checkSnapshot[[]float64],
	}
	for index := range vectors.Snapshots {
		vector := &vectors.Snapshots[index]
		name, _ := json.Marshal(vector.Type)
		check := checks[string(name)]
		if check == nil {
			t.Fatalf("no state of type %s is tested here; add it", name)
		}
		check(t, vector)
	}
	if len(vectors.Snapshots) == 0 {
		t.Error("there are none")
	}
}

func refusalOf(t *testing.T, err error) string {
	t.Helper()
	var incompatible *IncompatibleStateError
	if !errors.As(err, &incompatible) {
		t.Errorf("it says %v", err)
		return ""
	}
	return incompatible.Reason
}

func TestChunksAreRefusedAsTheVectorsSay(t *testing.T) {
	var vectors chunkVectors
	readVectors(t, "chunks.json", &vectors)
	open := OpenFunc(func(*Record, *uint64, *Output) error { return nil })
	for _, vector := range vectors.RefusedKeyed.Cases {
		operator, err := open(onlySubtask(vectors.RefusedKeyed.MaxParallelism))
		if err != nil {
			t.Fatal(err)
		}
		chunk := StateChunk{"keyed", 1, true, vector.KeyGroup, unhex(t, vector.Bytes)}
		said := refusalOf(t, operator.Restore([]StateChunk{chunk}))
		if !strings.Contains(said, vector.Says) {
			t.Errorf("%s: %q does not contain %q", vector.Because, said, vector.Says)
		}
	}
	for _, vector := range vectors.RefusedItems.Cases {
		items := RestoredItems{current: 1}
		chunk := StateChunk{Name: "items", SchemaVersion: 1, Bytes: unhex(t, vector.Bytes)}
		if err := items.push(chunk); err != nil {
			t.Fatal(err)
		}
		_, err := ReadItems[uint64](&items)
		if said := refusalOf(t, err); !strings.Contains(said, vector.Says) {
			t.Errorf("%s: %q does not contain %q", vector.Because, said, vector.Says)
		}
	}
	if min(len(vectors.RefusedKeyed.Cases), len(vectors.RefusedItems.Cases)) == 0 {
		t.Error("a kind of vectors is missing")
	}
}

func TestItemsAreWrittenAsTheVectorsSay(t *testing.T) {
	var vectors chunkVectors
	readVectors(t, "chunks.json", &vectors)
	for _, vector := range vectors.Items {
		kind := typeOf(t, vector.Type)
		value := reflect.New(kind)
		fill(t, value.Elem(), vector.Type, vector.Value)
		codec := makeCodec(t, kind)
		written, err := writeItem(codec, value.UnsafePointer())
		if err != nil || hex.EncodeToString(written) != vector.Bytes {
			t.Errorf("%v %v was written as %x, %v", vector.Type, vector.Value, written, err)
		}
		items := RestoredItems{current: 1}
		chunk := StateChunk{Name: "items", SchemaVersion: 1, Bytes: unhex(t, vector.Bytes)}
		if err := items.push(chunk); err != nil {
			t.Fatal(err)
		}
		read := reflect.New(kind)
		err = items.readItem(0, codec, read.UnsafePointer())
		if err != nil || !reflect.DeepEqual(read.Interface(), value.Interface()) {
			t.Errorf("%v of %s was read as %v, %v", vector.Type, vector.Bytes, read, err)
		}
	}
	if len(vectors.Items) == 0 {
		t.Error("there are none")
	}
}
