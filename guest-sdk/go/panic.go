// The text of a panic: its value and the frame of the author's code that it came from.

package tidegate

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

// maxFrames is the most lines of frames in a panic's message.
const maxFrames = 32

// describePanic returns the panic's value, and its place: the author's own functions, innermost
// first. It is called in a deferred function while the panic's frames are still there.
func describePanic(value any) string {
	var said strings.Builder
	said.WriteString("panic: ")
	said.WriteString(panicValue(value))
	programCounters := make([]uintptr, 2*maxFrames)
	programCounters = programCounters[:runtime.Callers(1, programCounters)]
	frames := runtime.CallersFrames(programCounters)
	for range maxFrames {
		frame, more := frames.Next()
		if isAuthors(frame.Function) {
			said.WriteString("\n" + frame.Function)
			said.WriteString("\n\t" + frame.File + ":" + strconv.Itoa(frame.Line))
		}
		if !more {
			break
		}
	}
	return said.String()
}

var packagePath = reflect.TypeFor[Record]().PkgPath()

// isAuthors returns false for the frames of the runtime, the SDK, and the exported functions, whose
// names are those of the interface.
func isAuthors(function string) bool {
	for _, prefix := range []string{packagePath + ".", "runtime.", "tidegate:"} {
		if strings.HasPrefix(function, prefix) {
			return false
		}
	}
	return function != ""
}

func panicValue(value any) string {
	kind := reflect.TypeOf(value).String()
	switch value := value.(type) {
	case runtime.Error:
		return value.Error()
	case error:
		return kind + ": " + value.Error()
	case interface{ String() string }:
		return kind + ": " + value.String()
	case string:
		return value
	}
	switch number := reflect.ValueOf(value); {
	case number.CanInt():
		return kind + ": " + strconv.FormatInt(number.Int(), 10)
	case number.CanUint():
		return kind + ": " + strconv.FormatUint(number.Uint(), 10)
	case number.Kind() == reflect.String:
		return kind + ": " + number.String()
	default:
		return "a value of type " + kind
	}
}
