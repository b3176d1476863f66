// The failures that an operator declares, and the rows that they blame.

package tidegate

import "strconv"

// InvalidRecordError says that one record can't be processed, and why. The job's policy decides:
// it fails, or sends the record to the dead-letter output and goes on without it.
//
// The readings of [Record] give it, and [Record.Invalid] makes one. Only `process` has rows: from
// another call than OnRecord it counts as any other error.
type InvalidRecordError struct {
	// Row is the record's row in its batch, from 0.
	Row uint32
	// Reason says why.
	Reason string
}

// Error says it in words.
func (e *InvalidRecordError) Error() string {
	return "invalid record " + strconv.FormatUint(uint64(e.Row), 10) + ": " + e.Reason
}

// IncompatibleStateError says that the restored state can't be read by this version of the
// operator. The job does not start, and the checkpoint stays as it was.
type IncompatibleStateError struct {
	// Reason says why.
	Reason string
}

// Error says it in words.
func (e *IncompatibleStateError) Error() string {
	return "incompatible state: " + e.Reason
}

// UnknownVersion is what a [Migrator] answers to a version that it does not know.
func UnknownVersion(version uint32) error {
	return incompatible("this operator does not read version " + decimal(version))
}

func incompatible(reason string) error {
	return &IncompatibleStateError{Reason: reason}
}

func decimal[N ~int | ~uint32 | ~uint64](number N) string {
	return strconv.FormatUint(uint64(number), 10)
}
