//go:build wasip1

package tidegate

import (
	"errors"
	"strings"
	"unsafe"
)

// The canonical ABI of the component model, for the one interface that an operator has: the host
// writes arguments into memory that it asks of cabi_realloc, and reads results where they lie.

// arguments is the host's memory for the arguments of the next call. Keys, values, text and state
// are memory of their own, since an operator may keep a part of them. Lists of numbers are reused:
// offsets and timestamps are more bytes than most keys, and would give the collector work.
var arguments struct {
	bytes   [][]uint64
	numbers []uint64
	// used is the part of numbers that this call takes, or would take if there were more.
	used int
}

// maxNumbers is the most words for numbers that are kept from call to call.
const maxNumbers = 1 << 18

//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldBytes, align, newBytes uint32) unsafe.Pointer {
	// The memory is in words, so that it is aligned for each type that crosses the boundary, and is
	// one word at least, so that it is memory of its own.
	const word = 8
	words := int(max(1, (uint64(newBytes)+word-1)/word))
	var memory []uint64
	if align > 1 {
		memory = roomForNumbers(words)
	}
	if memory == nil {
		memory = make([]uint64, words)
		arguments.bytes = append(arguments.bytes, memory)
	}
	start := unsafe.Pointer(unsafe.SliceData(memory))
	if old != nil {
		copy(unsafe.Slice((*byte)(start), newBytes), unsafe.Slice((*byte)(old), oldBytes))
	}
	return start
}

// roomForNumbers returns a part of the reused memory, or nil if that is too small yet.
func roomForNumbers(words int) []uint64 {
	start := arguments.used
	arguments.used += words
	if arguments.used > len(arguments.numbers) {
		return nil
	}
	return arguments.numbers[start:arguments.used]
}

// forgetArguments drops the arguments, of which an operator may have kept a part, and makes room
// for as many numbers in the next call.
func forgetArguments() {
	clear(arguments.bytes)
	arguments.bytes = arguments.bytes[:0]
	if arguments.used > len(arguments.numbers) {
		arguments.numbers = make([]uint64, min(arguments.used+arguments.used/4, maxNumbers))
	}
	arguments.used = 0
}

func pointer(address uint32) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(nil), uintptr(address))
}

// liftList returns a list where it lies.
func liftList[T byte | uint32 | int64](address, length uint32) []T {
	return unsafe.Slice((*T)(pointer(address)), length)
}

func liftString(address, bytes uint32) string {
	return string(liftList[byte](address, bytes))
}

func liftStrings(address, length uint32) []string {
	pairs := liftList[uint32](address, 2*length)
	texts := make([]string, length)
	for index := range texts {
		texts[index] = liftString(pairs[2*index], pairs[2*index+1])
	}
	return texts
}

// chunkWords is the number of words of four bytes in a state chunk: name, schema version, an
// optional key group, bytes.
const chunkWords = 7

func liftChunks(address, length uint32) []StateChunk {
	words := liftList[uint32](address, chunkWords*length)
	chunks := make([]StateChunk, length)
	for index := range chunks {
		at := words[chunkWords*index:][:chunkWords]
		chunks[index] = StateChunk{
			Name:          liftString(at[0], at[1]),
			SchemaVersion: at[2],
			HasKeyGroup:   at[3]&0xff == 1,
			KeyGroup:      at[4],
			Bytes:         liftList[byte](at[5], at[6]),
		}
	}
	return chunks
}

// returned is the result of a call. The host reads it after the call, so its lists are kept until
// the next call. Globals don't move, and neither does memory on the heap.
var returned struct {
	// area is a result: the index of its case, then the case's value.
	area      [5]uint32
	words     []uint32
	emissions []Emission
	chunks    []StateChunk
	text      string
}

func address[T any](list []T) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(list))))
}

// list returns the two words of a list.
func list[T any](values []T) (at, length uint32) {
	return address(values), uint32(len(values))
}

func forgetReturned() {
	returned.words = returned.words[:0]
	returned.emissions = nil
	returned.chunks = nil
	returned.text = ""
}

func lowerUnit(err error) unsafe.Pointer {
	if err != nil {
		return lowerFailure(err)
	}
	forgetReturned()
	return lowerArea(0)
}

func lowerArea(words ...uint32) unsafe.Pointer {
	clear(returned.area[:])
	copy(returned.area[:], words)
	return unsafe.Pointer(&returned.area)
}

// The cases of a failure.
const (
	caseInvalidRecord = iota
	caseIncompatibleState
	caseOther
)

func lowerFailure(err error) unsafe.Pointer {
	forgetReturned()
	var invalid *InvalidRecordError
	var incompatible *IncompatibleStateError
	switch {
	case errors.As(err, &invalid):
		at, bytes := lowerText(invalid.Reason)
		return lowerArea(1, caseInvalidRecord, invalid.Row, at, bytes)
	case errors.As(err, &incompatible):
		at, bytes := lowerText(incompatible.Reason)
		return lowerArea(1, caseIncompatibleState, at, bytes)
	default:
		at, bytes := lowerText(err.Error())
		return lowerArea(1, caseOther, at, bytes)
	}
}

func lowerText(text string) (at, bytes uint32) {
	returned.text = strings.ToValidUTF8(text, "\ufffd")
	return list(viewBytes(returned.text))
}

func lowerEmissions(emissions []Emission, err error) unsafe.Pointer {
	if err != nil {
		return lowerFailure(err)
	}
	forgetReturned()
	returned.emissions = emissions
	words := returned.words
	for index := range emissions {
		records := &emissions[index].Records
		words = append(words, emissions[index].Port)
		words = appendList(words, records.Timestamps)
		words = appendColumn(words, &records.Keys)
		words = appendColumn(words, &records.Values)
	}
	returned.words = words
	return lowerArea(0, address(words), uint32(len(emissions)))
}

func appendList[T any](words []uint32, values []T) []uint32 {
	at, length := list(values)
	return append(words, at, length)
}

// noRows are the offsets of a column without rows.
var noRows = []uint32{0}

func appendColumn(words []uint32, column *Column) []uint32 {
	if len(column.Offsets) == 0 {
		words = appendList(words, noRows)
	} else {
		words = appendList(words, column.Offsets)
	}
	return appendList(words, column.Data)
}

func lowerChunks(chunks []StateChunk, err error) unsafe.Pointer {
	if err != nil {
		return lowerFailure(err)
	}
	forgetReturned()
	returned.chunks = chunks
	words := returned.words
	for index := range chunks {
		chunk := &chunks[index]
		words = appendList(words, viewBytes(chunk.Name))
		words = append(words, chunk.SchemaVersion)
		if chunk.HasKeyGroup {
			words = append(words, 1, chunk.KeyGroup)
		} else {
			words = append(words, 0, 0)
		}
		words = appendList(words, chunk.Bytes)
	}
	returned.words = words
	return lowerArea(0, address(words), uint32(len(chunks)))
}
