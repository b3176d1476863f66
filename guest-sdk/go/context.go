// The place of an operator instance in its job: subtask, key groups, secret hash seed.

package tidegate

// Context is the place of an operator instance in its job.
//
// The instance owns the key groups FirstKeyGroup to LastKeyGroup, out of MaxParallelism. A record
// that reaches it over a `hash` edge has a key in one of them.
type Context struct {
	// Job is the name of the job.
	Job string
	// Operator is the operator's name in the job file, its identity in checkpoints.
	Operator string
	// Subtask is the index of this parallel instance, from 0.
	Subtask uint32
	// Parallelism is the number of the operator's parallel instances.
	Parallelism uint32
	// MaxParallelism is the number of key groups. It never changes in the life of a job's state.
	MaxParallelism uint32
	// FirstKeyGroup is the first key group that this instance owns.
	FirstKeyGroup uint32
	// LastKeyGroup is the last key group that this instance owns.
	LastKeyGroup uint32
	// Inputs names the inputs; [Record.Input] is an index into it.
	Inputs []string
	// Outputs names the output ports; [Output.To] takes an index into it.
	Outputs []string
	// Config is the operator's `config` table of the job file, as JSON. The function that opens an
	// operator receives it as a Go value.
	Config string
	// HashSeed is the secret seed for the operator's own hash tables whose keys come from records.
	// Neither emissions nor state may depend on it.
	HashSeed uint64
}

// Owns reports whether this instance owns the key group.
func (c *Context) Owns(keyGroup uint32) bool {
	return c.FirstKeyGroup <= keyGroup && keyGroup <= c.LastKeyGroup
}
