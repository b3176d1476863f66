//go:build wasip1

package tidegate

import (
	"errors"
	"unsafe"

	"github.com/tidegate/tidegate/guest-sdk/go/internal/host"
)

// instance is the operator of this component, once it is opened.
var instance RawOperator

// isOpen is true once open was called, whether it succeeded or not.
var isOpen bool

// exportOpen has the parameters of the canonical ABI: a string or a list is an address and a
// length.
//
//go:wasmexport tidegate:operator/operator@0.1.0#open
func exportOpen(
	job, jobBytes, operator, operatorBytes uint32,
	subtask, parallelism, maxParallelism, firstKeyGroup, lastKeyGroup uint32,
	inputs, inputsLength, outputs, outputsLength, config, configBytes uint32,
	hashSeed uint64,
) unsafe.Pointer {
	defer endCall()
	context := &Context{
		Job:            liftString(job, jobBytes),
		Operator:       liftString(operator, operatorBytes),
		Subtask:        subtask,
		Parallelism:    parallelism,
		MaxParallelism: maxParallelism,
		FirstKeyGroup:  firstKeyGroup,
		LastKeyGroup:   lastKeyGroup,
		Inputs:         liftStrings(inputs, inputsLength),
		Outputs:        liftStrings(outputs, outputsLength),
		Config:         liftString(config, configBytes),
		HashSeed:       hashSeed,
	}
	return lowerUnit(open(context))
}

func open(context *Context) error {
	switch {
	case isOpen:
		return errors.New("the operator was opened twice")
	case registered == nil:
		return errors.New("no operator was registered: call tidegate.Register in an init function " +
			"of package main")
	}
	isOpen = true
	opened, err := registered(context)
	instance = opened
	return err
}

//go:wasmexport tidegate:operator/operator@0.1.0#process
func exportProcess(
	input, timestamps, timestampsLength, keyOffsets, keyOffsetsLength, keys, keysBytes uint32,
	valueOffsets, valueOffsetsLength, values, valuesBytes uint32,
) unsafe.Pointer {
	defer endCall()
	records := Batch{
		Timestamps: liftList[int64](timestamps, timestampsLength),
		Keys: Column{
			Offsets: liftList[uint32](keyOffsets, keyOffsetsLength),
			Data:    liftList[byte](keys, keysBytes),
		},
		Values: Column{
			Offsets: liftList[uint32](valueOffsets, valueOffsetsLength),
			Data:    liftList[byte](values, valuesBytes),
		},
	}
	if instance == nil {
		return lowerFailure(errNotOpened)
	}
	return lowerEmissions(instance.Process(input, records))
}

//go:wasmexport tidegate:operator/operator@0.1.0#advance-watermark
func exportAdvanceWatermark(watermark int64) unsafe.Pointer {
	defer endCall()
	if instance == nil {
		return lowerFailure(errNotOpened)
	}
	return lowerEmissions(instance.AdvanceWatermark(watermark))
}

//go:wasmexport tidegate:operator/operator@0.1.0#snapshot
func exportSnapshot(checkpoint uint64) unsafe.Pointer {
	defer endCall()
	if instance == nil {
		return lowerFailure(errNotOpened)
	}
	return lowerChunks(instance.Snapshot(checkpoint))
}

//go:wasmexport tidegate:operator/operator@0.1.0#restore
func exportRestore(chunks, chunksLength uint32) unsafe.Pointer {
	defer endCall()
	if instance == nil {
		return lowerFailure(errNotOpened)
	}
	return lowerUnit(instance.Restore(liftChunks(chunks, chunksLength)))
}

//go:wasmexport tidegate:operator/operator@0.1.0#checkpoint-complete
func exportCheckpointComplete(checkpoint uint64) unsafe.Pointer {
	defer endCall()
	if instance == nil {
		return lowerFailure(errNotOpened)
	}
	return lowerUnit(instance.CheckpointComplete(checkpoint))
}

//go:wasmexport tidegate:operator/operator@0.1.0#finish
func exportFinish() unsafe.Pointer {
	defer endCall()
	if instance == nil {
		return lowerFailure(errNotOpened)
	}
	return lowerEmissions(instance.Finish())
}

var errNotOpened = errors.New("the operator was called before it was opened")

// endCall ends a call of the host. It reports a panic through the host's log, since a trap carries
// no message, and traps.
func endCall() {
	if value := recover(); value != nil {
		Log(LevelError, describePanic(value))
		host.Trap()
	}
	forgetArguments()
}
