// The interfaces that an operator implements: the required one, and the optional ones.

package tidegate

// Operator is a stream operator: its behaviour for each record, and its state for each key.
//
// S is the state of each key, and starts as its zero value: any type made of bool, sized or unsized
// integers, floats, strings, byte slices, pointers (as optional values), slices, arrays, maps and
// structs with exported fields. A struct{} is not kept, and costs nothing. Everything that must
// survive a failure is in S, or in the items of an [ItemKeeper]; fields of the operator itself are
// for values that its opening function can recreate.
//
// An operator may have more: it is then also a [WatermarkHandler], a [Finisher], a
// [CheckpointListener], a [Forgetful], a [Versioned], a [Migrator] or an [ItemKeeper]. A method
// with the name of one of these and another signature is rejected when the operator is opened.
//
// An operator is deterministic: the same records give the same output and the same state. The
// package documentation has the rules for Go.
type Operator[S any] interface {
	// OnRecord processes one record. state is the state of the record's key.
	//
	// An [InvalidRecordError], which the readings of [Record] return, blames the record; the host
	// drops the instance, and with it the record's changes to the state. Any other error ends the
	// attempt.
	OnRecord(record *Record, state *S, out *Output) error
}

// WatermarkHandler is an operator that is called when event time advances.
type WatermarkHandler[S any] interface {
	// OnWatermark is called for each watermark, in milliseconds since the Unix epoch: from now on a
	// record older than that is late. An error ends the attempt.
	//
	// After a failure the restored instance is called with the last watermark again, before any
	// record, so that a field can hold the current watermark. Emit what is due in the state and take
	// it out in the same call: the second call then finds nothing. The host still sends everything
	// that the second call emits.
	OnWatermark(watermark int64, keys *Keys[S], out *Output) error
}

// Finisher is an operator that is called when all inputs have ended.
type Finisher[S any] interface {
	// OnFinish is called once, after the last record. An error ends the attempt.
	OnFinish(keys *Keys[S], out *Output) error
}

// CheckpointListener is an operator that is notified of checkpoints.
type CheckpointListener interface {
	// OnCheckpointComplete is called when a checkpoint is durable in every subtask of the job. A
	// notice can be lost in a failure: the state must not depend on it. An error ends the attempt.
	OnCheckpointComplete(checkpoint uint64) error
}

// Forgetful is an operator that can forget keys.
type Forgetful[S any] interface {
	// IsVacant reports whether the state of a key is worth no more than no state. Such a key is
	// forgotten as soon as a call leaves it so, and takes no room in memory or in checkpoints.
	IsVacant(state *S) bool
}

// Versioned is an operator whose state was changed since its first version.
type Versioned interface {
	// StateVersion returns the version of the layout of S and of the operator-state items; an operator
	// without this method has version 1. Raise it when one of them changes, and read the older
	// versions as a [Migrator].
	StateVersion() uint32
}

// Migrator is an operator that reads state of its older versions.
type Migrator[S any] interface {
	// Migrate reads the state of one key that another version wrote, with [ReadState]. It is called
	// while restoring, for each key of a chunk that does not have the operator's own version.
	Migrate(version uint32, bytes []byte) (S, error)
}

// ItemKeeper is an operator with state that belongs to no key.
type ItemKeeper interface {
	// OperatorState writes that state, with [Push], as a list of items. It is called at each
	// checkpoint. When the parallelism changes, the host deals the items out among the subtasks, so an
	// item must be able to move alone: the offset of one partition, not the table of all. An error
	// fails this checkpoint; the job continues.
	OperatorState(items *Items) error
	// RestoreOperatorState restores the items, with [ReadItems]: this subtask's share of the items of
	// all subtasks. It is called once while restoring if there are any.
	RestoreOperatorState(items *RestoredItems) error
}

// RecordFunc is an [Operator] that is one function.
type RecordFunc[S any] func(record *Record, state *S, out *Output) error

// OnRecord calls the function.
func (f RecordFunc[S]) OnRecord(record *Record, state *S, out *Output) error {
	return f(record, state, out)
}
