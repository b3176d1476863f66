// Turns all values into upper case, a whole column at once, and writes the number of records at the
// end.
package main

import (
	"encoding/binary"
	"fmt"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
)

// The name and the version of the one chunk of state.
const (
	chunkName    = "records"
	chunkVersion = 1
)

// shout is a tidegate.RawOperator.
type shout struct {
	records uint64
}

func openShout(_ *tidegate.Context) (tidegate.RawOperator, error) {
	return &shout{}, nil
}

// Process returns the batch with the values in upper case, which are as long as before.
func (s *shout) Process(_ uint32, records tidegate.Batch) ([]tidegate.Emission, error) {
	s.records += uint64(records.Len())
	records.Values.Data = upperCase(records.Values.Data)
	return []tidegate.Emission{{Port: 0, Records: records}}, nil
}

// upperCase returns the bytes with the letters a to z in upper case. It copies, because the data
// from the host must not change.
func upperCase(data []byte) []byte {
	upper := make([]byte, len(data))
	for i, c := range data {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	return upper
}

// AdvanceWatermark does nothing: event time has no meaning for this operator.
func (s *shout) AdvanceWatermark(int64) ([]tidegate.Emission, error) { return nil, nil }

// Snapshot returns the state. Equal state must give equal bytes.
func (s *shout) Snapshot(uint64) ([]tidegate.StateChunk, error) {
	bytes := binary.LittleEndian.AppendUint64(nil, s.records)
	return []tidegate.StateChunk{{Name: chunkName, SchemaVersion: chunkVersion, Bytes: bytes}}, nil
}

// Restore adds up the chunks: after a rescale, a subtask gets those of several subtasks, or none.
func (s *shout) Restore(chunks []tidegate.StateChunk) error {
	for _, chunk := range chunks {
		isKnown := chunk.Name == chunkName && chunk.SchemaVersion == chunkVersion
		if !isKnown || len(chunk.Bytes) != 8 {
			return &tidegate.IncompatibleStateError{Reason: "a chunk of another operator: " + chunk.Name}
		}
		s.records += binary.LittleEndian.Uint64(chunk.Bytes)
	}
	return nil
}

// CheckpointComplete does nothing.
func (s *shout) CheckpointComplete(uint64) error { return nil }

// Finish writes the number of records when all inputs have ended.
func (s *shout) Finish() ([]tidegate.Emission, error) {
	var records tidegate.Batch
	sentence := fmt.Sprintf("%d records in all", s.records)
	records.Append(tidegate.NoTimestamp, nil, []byte(sentence))
	return []tidegate.Emission{{Port: 0, Records: records}}, nil
}

func init() {
	tidegate.Register(openShout)
}

// main is never called: the host calls the operator.
func main() {}
