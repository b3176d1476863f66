// The failures that an operator declares, and the rows that they blame.

package tidegate

import "strconv"

// InvalidRecordError is the failure of one record that can't be processed. The job's policy
// decides: the job fails, or sends the record to the dead-letter output and continues without it.
//
// The readings of [Record] return it, and [Record.Invalid] makes one. Only `process` has rows: from
// a call other than OnRecord it counts as any other error.
type InvalidRecordError struct {
	// Row is the record's row in its batch, from 0.
	Row uint32
	// Reason is the reason, for the user.
	Reason string
}

// Error returns the failure in words.
func (e *InvalidRecordError) Error() string {
	return "invalid record " + strconv.FormatUint(uint64(e.Row), 10) + ": " + e.Reason
}

// IncompatibleStateError is the failure to read restored state with this version of the operator.
// The job does not start, and the checkpoint stays as it was.
type IncompatibleStateError struct {
	// Reason is the reason, for the user.
	Reason string
}

// Error returns the failure in words.
func (e *IncompatibleStateError) Error() string {
	return "incompatible state: " + e.Reason
}

// UnknownVersion returns the error with which a [Migrator] rejects a version that it does not know.
func UnknownVersion(version uint32) error {
	return incompatible("this operator does not read version " + decimal(version))
}

func incompatible(reason string) error {
	return &IncompatibleStateError{Reason: reason}
}

func decimal[N ~int | ~uint32 | ~uint64](number N) string {
	return strconv.FormatUint(uint64(number), 10)
}
