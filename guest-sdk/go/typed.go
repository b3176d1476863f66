// A typed operator as a raw one: rows, the state of each key, snapshots.

package tidegate

import (
	"errors"
	"reflect"
)

// Opener makes an instance of an operator for its place in the job.
type Opener func(context *Context) (RawOperator, error)

// Open makes an [Opener] of the function that opens an operator: it reads the operator's `config`
// table into a C, and calls open with it. [Register] exports the Opener, and a tidegatetest.Harness
// runs it.
//
// C is a struct whose fields are the settings; an unknown setting is rejected. `struct{}` takes no
// settings.
func Open[C, S any, O Operator[S]](open func(config C, context *Context) (O, error)) Opener {
	return func(context *Context) (RawOperator, error) {
		config, err := parseConfig[C](context.Config)
		if err != nil {
			return nil, err
		}
		operator, err := open(config, context)
		if err != nil {
			return nil, err
		}
		return newTyped[S](operator, context)
	}
}

// OpenFunc makes an [Opener] of an operator that is one function and takes no configuration.
func OpenFunc[S any](onRecord func(record *Record, state *S, out *Output) error) Opener {
	return Open(func(struct{}, *Context) (RecordFunc[S], error) {
		return RecordFunc[S](onRecord), nil
	})
}

// typed is an Operator as a RawOperator.
type typed[S any] struct {
	operator Operator[S]
	keys     *Keys[S]
	codec    *codec
	out      *Output
	version  uint32
	record   Record

	// The optional interfaces of the operator; nil for those that it does not have.
	watermarks  WatermarkHandler[S]
	finisher    Finisher[S]
	checkpoints CheckpointListener
	forgetful   Forgetful[S]
	migrator    Migrator[S]
	items       ItemKeeper
}

func newTyped[S any](operator Operator[S], context *Context) (*typed[S], error) {
	codec, err := codecOf[S]()
	if err != nil {
		return nil, err
	}
	t := &typed[S]{
		operator: operator,
		keys:     newKeys[S](context),
		codec:    codec,
		out:      newOutput(len(context.Outputs)),
		version:  1,
	}
	t.watermarks, _ = any(operator).(WatermarkHandler[S])
	t.finisher, _ = any(operator).(Finisher[S])
	t.checkpoints, _ = any(operator).(CheckpointListener)
	t.forgetful, _ = any(operator).(Forgetful[S])
	t.migrator, _ = any(operator).(Migrator[S])
	t.items, _ = any(operator).(ItemKeeper)
	versioned, _ := any(operator).(Versioned)
	if versioned != nil {
		t.version = versioned.StateVersion()
	}
	return t, t.checkSignatures(versioned)
}

// checkSignatures rejects a method that has the name of an optional method and another signature,
// since it would never be called. The names are constants, so that the linker can tell which
// methods may be looked for.
func (t *typed[S]) checkSignatures(versioned Versioned) error {
	of := reflect.TypeOf(t.operator)
	hasWatermark := hasMethod(of.MethodByName("OnWatermark"))
	hasFinish := hasMethod(of.MethodByName("OnFinish"))
	hasComplete := hasMethod(of.MethodByName("OnCheckpointComplete"))
	hasVacant := hasMethod(of.MethodByName("IsVacant"))
	hasVersion := hasMethod(of.MethodByName("StateVersion"))
	hasMigrate := hasMethod(of.MethodByName("Migrate"))
	hasWrite := hasMethod(of.MethodByName("OperatorState"))
	hasRestore := hasMethod(of.MethodByName("RestoreOperatorState"))
	wrong := ""
	switch {
	case hasWatermark && t.watermarks == nil:
		wrong = "OnWatermark is not that of a WatermarkHandler"
	case hasFinish && t.finisher == nil:
		wrong = "OnFinish is not that of a Finisher"
	case hasComplete && t.checkpoints == nil:
		wrong = "OnCheckpointComplete is not that of a CheckpointListener"
	case hasVacant && t.forgetful == nil:
		wrong = "IsVacant is not that of a Forgetful"
	case hasVersion && versioned == nil:
		wrong = "StateVersion is not that of a Versioned"
	case hasMigrate && t.migrator == nil:
		wrong = "Migrate is not that of a Migrator"
	case (hasWrite || hasRestore) && t.items == nil:
		wrong = "OperatorState and RestoreOperatorState are not both those of an ItemKeeper"
	default:
		return nil
	}
	return errors.New("the operator " + of.String() + " can't be opened: its " + wrong +
		" with this state type")
}

func hasMethod(_ reflect.Method, has bool) bool { return has }

// Process passes each record to the operator.
func (t *typed[S]) Process(input uint32, records Batch) ([]Emission, error) {
	t.out.begin()
	process := t.processKeyed
	if !keepsState[S]() {
		process = t.processStateless
	}
	if err := process(input, &records); err != nil {
		return nil, err
	}
	return t.out.take()
}

func (t *typed[S]) processKeyed(input uint32, records *Batch) error {
	record := t.begin(input)
	for row, timestamp := range records.Timestamps {
		record.read(records, row, timestamp)
		t.out.inherited = timestamp
		place, err := t.keys.findOrInsert(record.key)
		if err != nil {
			return err
		}
		state := &t.keys.table.at(place).state
		if err := t.operator.OnRecord(record, state, t.out); err != nil {
			return err
		}
		if t.forgetful != nil && t.forgetful.IsVacant(state) {
			t.keys.table.remove(place)
		}
	}
	return nil
}

func (t *typed[S]) processStateless(input uint32, records *Batch) error {
	record := t.begin(input)
	state := new(S)
	for row, timestamp := range records.Timestamps {
		record.read(records, row, timestamp)
		t.out.inherited = timestamp
		if err := t.operator.OnRecord(record, state, t.out); err != nil {
			return err
		}
	}
	return nil
}

func (t *typed[S]) begin(input uint32) *Record {
	t.record = Record{input: input}
	return &t.record
}

func (r *Record) read(records *Batch, row int, timestamp int64) {
	r.key, r.value = records.Keys.Row(row), records.Values.Row(row)
	r.timestamp, r.row = timestamp, uint32(row)
}

// AdvanceWatermark calls the operator, if it handles watermarks.
func (t *typed[S]) AdvanceWatermark(watermark int64) ([]Emission, error) {
	if t.watermarks == nil {
		return nil, nil
	}
	t.out.begin()
	err := t.watermarks.OnWatermark(watermark, t.keys, t.out)
	return t.endOfKeys(err)
}

// Finish calls the operator, if it handles the end of the inputs.
func (t *typed[S]) Finish() ([]Emission, error) {
	if t.finisher == nil {
		return nil, nil
	}
	t.out.begin()
	err := t.finisher.OnFinish(t.keys, t.out)
	return t.endOfKeys(err)
}

func (t *typed[S]) endOfKeys(err error) ([]Emission, error) {
	if err != nil {
		return nil, err
	}
	if t.forgetful != nil {
		t.keys.forget(t.forgetful.IsVacant)
	}
	return t.out.take()
}

// Snapshot writes the state of all keys, and the items.
func (t *typed[S]) Snapshot(uint64) ([]StateChunk, error) {
	var items Items
	if t.items != nil {
		if err := t.items.OperatorState(&items); err != nil {
			return nil, err
		}
	}
	chunks, err := writeKeyed(t.keys, t.codec, t.version)
	if err != nil {
		return nil, err
	}
	for _, bytes := range items.chunks {
		item := StateChunk{Name: itemsName, SchemaVersion: t.version, Bytes: bytes}
		chunks = append(chunks, item)
	}
	return chunks, nil
}

// Restore reads the state of all keys, and the items, back.
func (t *typed[S]) Restore(chunks []StateChunk) error {
	sorted, err := sortOut(chunks, t.version)
	if err != nil {
		return err
	}
	if len(sorted.keyed) > 0 && !keepsState[S]() {
		return incompatible("it has keyed state, and this operator keeps none")
	}
	reader := stateReader[S]{keys: t.keys, codec: t.codec, version: t.version, migrate: t.migrate}
	if err := reader.readAll(sorted.keyed); err != nil {
		return err
	}
	switch {
	case sorted.items.Len() == 0:
		return nil
	case t.items == nil:
		return incompatible("it has " + decimal(sorted.items.Len()) +
			" items of operator state, and this operator keeps none")
	default:
		return t.items.RestoreOperatorState(&sorted.items)
	}
}

func (t *typed[S]) migrate(version uint32, bytes []byte) (S, error) {
	if t.migrator != nil {
		return t.migrator.Migrate(version, bytes)
	}
	var none S
	return none, incompatible("it has version " + decimal(version) +
		", and this operator reads version " + decimal(t.version))
}

// CheckpointComplete notifies the operator, if it listens to checkpoints.
func (t *typed[S]) CheckpointComplete(checkpoint uint64) error {
	if t.checkpoints == nil {
		return nil
	}
	return t.checkpoints.OnCheckpointComplete(checkpoint)
}

// KeysOf returns the keys of an operator that [Open] opened with state type S, for a test that
// looks at them. It returns nil for any other operator.
func KeysOf[S any](operator RawOperator) *Keys[S] {
	if typed, ok := operator.(*typed[S]); ok {
		return typed.keys
	}
	return nil
}
