// Package tidegate is for writing Tidegate operators in Go.
//
// An operator defines its behaviour for each record, and its state for each key. It is compiled to
// a sandboxed WebAssembly component, and its state is exactly-once: the host snapshots and restores
// it, and the author writes no code for that.
//
// # An operator
//
// This is a whole operator, which counts how often each key was seen:
//
//	package main
//
//	import tidegate "github.com/tidegate/tidegate/guest-sdk/go"
//
//	func count(record *tidegate.Record, count *uint64, out *tidegate.Output) error {
//		*count++
//		out.EmitUint(record.Key(), *count)
//		return nil
//	}
//
//	func init() { tidegate.Register(tidegate.OpenFunc(count)) }
//
//	func main() {}
//
// `tidegate build` makes the component. An operator with settings, or with work at a watermark or
// at the end of the input, is a type: see [Operator] and [Open].
//
// # Reading a record
//
// [Record.Key] and [Record.Value] are bytes, read in place. [Record.ValueInt], [ValueAs],
// [Record.ValueFloat], [Record.ValueText], [Record.ValueLe64] and [ValueJSON] read them. If a
// reading fails, return its error: it blames exactly this record, and the job fails, or sends the
// record to the dead-letter output, as the job file says.
//
// # Emitting
//
// [Output.Emit] and similar methods send a record to the main output. [Output.To] names a port,
// [Output.At] a timestamp. Emitted bytes are copied at once.
//
// # State
//
// State is a value of any type that [Operator] describes, one for each key. It is written as
// guest-sdk/FORMAT.md defines, like the state of every other language, so that an operator in
// another language can replace this one: bool, integers, floats, string and []byte as themselves
// (an int as 64 bits), a pointer as an option, a slice as a list, an array or a struct as a tuple,
// a map by rising keys. A type that can't be state is rejected by its name when the operator is
// opened. When the type changes, raise the version ([Versioned]) and read the older versions
// ([Migrator]): fields have no names in state, so that adding, removing or moving a field changes
// the layout.
//
// # Determinism
//
// The same input gives the same output and the same state, whatever failures lie in between.
// Recovery replays records and relies on this. In Go that means:
//
//   - The order of a map is no order. Output and the items of operator state go through sorted
//     keys; in state, the SDK sorts.
//   - time.Now is always 2000-01-01T00:00:00Z in a component, and math/rand and crypto/rand give
//     the same numbers in each new instance. Use the records' timestamps and watermarks.
//   - Goroutines run only during a call of the operator's methods, and one at a time. A method that
//     waits for the goroutines that it has started works. A method that returns before them
//     suspends them until the next call, which is not deterministic. Panics in them end the
//     instance, like any other.
//   - time.Sleep, timers and tickers never end: they end the instance with `poll_oneoff failed`.
//   - There are no files, network, arguments or environment.
//
// # Panics
//
// A panic ends the instance, and the job's policy for traps decides the consequence. The host's
// error has the panic's type and message, and the author's own functions with file and line. It
// also shows the message of Go's runtime for a fatal error (a deadlock, no memory).
//
// # Limits
//
// Go's collector lets the heap grow to twice the memory in use before it collects, so that a job's
// `memory` limit for an operator should be twice its state. Recursion ends at some thousand calls.
//
// # Testing
//
// Package tidegatetest runs an operator natively under go test, takes snapshots, and restores them
// at another parallelism. `tidegate test` runs scenarios against the component.
//
// # The level below
//
// A [RawOperator] works on whole columns, and lays out its state itself. [Register] takes any
// [Opener].
package tidegate
