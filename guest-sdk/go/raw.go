// The raw interface: whole batches in and out, and state as bytes.

package tidegate

import "math"

// NoTimestamp is the raw timestamp of a record without a timestamp.
const NoTimestamp int64 = math.MinInt64

// Column is a column of byte strings in Arrow's layout: row i is Data[Offsets[i]:Offsets[i+1]].
//
// Offsets has one entry more than there are rows, starts at 0, never decreases and ends at the
// length of Data. Columns from the host keep that rule; the host checks the columns that a guest
// returns. The zero value is a column without rows, also where the host sees it.
type Column struct {
	Offsets []uint32
	Data    []byte
}

// Len returns the number of rows.
func (c *Column) Len() int {
	return max(len(c.Offsets), 1) - 1
}

// Row returns the bytes of a row. It panics if there is no such row.
func (c *Column) Row(row int) []byte {
	start, end := c.Offsets[row], c.Offsets[row+1]
	return c.Data[start:end:end]
}

// Append adds a row.
func (c *Column) Append(row []byte) {
	if len(c.Offsets) == 0 {
		c.Offsets = append(c.Offsets, 0)
	}
	c.Data = append(c.Data, row...)
	c.Offsets = append(c.Offsets, columnOffset(len(c.Data)))
}

// columnOffset panics if an offset of four bytes would wrap.
func columnOffset(length int) uint32 {
	if uint64(length) > math.MaxUint32 {
		panic("tidegate: a column has 4 GiB or more")
	}
	return uint32(length)
}

// Batch is a number of records in arrival order, as columns of as many rows.
//
// The cut between two batches means nothing: an operator must give the same output and the same
// state for any cut of its input into batches.
type Batch struct {
	// Timestamps are milliseconds since the Unix epoch, or [NoTimestamp].
	Timestamps []int64
	Keys       Column
	Values     Column
}

// Len returns the number of records.
func (b *Batch) Len() int {
	return len(b.Timestamps)
}

// Append adds a record.
func (b *Batch) Append(timestamp int64, key, value []byte) {
	b.Timestamps = append(b.Timestamps, timestamp)
	b.Keys.Append(key)
	b.Values.Append(value)
}

// Emission is a number of records that an operator sends out of one of its output ports, from 0.
type Emission struct {
	Port    uint32
	Records Batch
}

// StateChunk is one piece of an operator's state in a checkpoint.
type StateChunk struct {
	// Name is the author's name for this state.
	Name string
	// SchemaVersion is the version of the layout of Bytes.
	SchemaVersion uint32
	// HasKeyGroup is false for operator state, which belongs to no key.
	HasKeyGroup bool
	// KeyGroup is the key group that all keys of the chunk have in common.
	KeyGroup uint32
	// Bytes is the state. Only the operator reads it.
	Bytes []byte
}

// RawOperator is the lower level: the columnar batch in, emissions and state chunks out. It is for
// an operator that works on whole columns, or that lays out its state itself. Everything that an
// [Operator] does is built on it.
//
// The data and state that a method receives stay as they are, and may be kept; they must not be
// changed. Offsets and timestamps are valid during the call. The result of a method must stay as it
// is until the next call begins.
type RawOperator interface {
	// Process takes the records of one batch, all from one input, in order.
	Process(input uint32, records Batch) ([]Emission, error)
	// AdvanceWatermark is called when a record older than watermark is late from now on. A restored
	// instance is called with the last watermark again, before any record. The host sends the output
	// of that call too, so emit only what the call takes out of the state.
	AdvanceWatermark(watermark int64) ([]Emission, error)
	// Snapshot returns the state: one chunk for each name and key group that is not empty, in an order
	// that depends on the state alone.
	Snapshot(checkpoint uint64) ([]StateChunk, error)
	// Restore restores the chunks that Snapshot returned, of this instance's key groups. It reads
	// everything or fails.
	Restore(chunks []StateChunk) error
	// CheckpointComplete is called when a checkpoint is durable in all of the job.
	CheckpointComplete(checkpoint uint64) error
	// Finish is called once, when all inputs have ended.
	Finish() ([]Emission, error)
}
