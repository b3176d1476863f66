//go:build !wasip1

// Package tidegatetest runs an operator natively, in the tests of its package: it sends records and
// watermarks, takes snapshots, and restores them at another parallelism.
//
//	total := tidegatetest.Open(t, tidegate.Open(openTotal), tidegatetest.Config{})
//	total.Send("apples", "3")
//	restored := tidegatetest.Open(t, tidegate.Open(openTotal), tidegatetest.Config{
//		Subtask: 0, Parallelism: 2, Restore: total.Snapshot(),
//	})
//
// The harness runs the code that a component runs, but not the sandbox: `tidegate test` runs
// scenarios against the component.
package tidegatetest

import (
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/internal/host"
)

// Config is the place where an operator runs. The zero value is the only subtask, without settings
// or state.
type Config struct {
	// Settings is the operator's `config` table, as JSON; empty by default.
	Settings string
	// Subtask is the index of the subtask, from 0.
	Subtask uint32
	// Parallelism is the number of subtasks; 1 by default.
	Parallelism uint32
	// MaxParallelism is the number of key groups; 128 by default.
	MaxParallelism uint32
	// Inputs names the inputs; one by default.
	Inputs []string
	// Outputs names the output ports; one by default.
	Outputs []string
	// HashSeed is the seed of hash tables. Nothing that can be observed may depend on it. Its default
	// is not 0, which an operator may take for no seed.
	HashSeed uint64
	// Restore has the snapshots of all subtasks of an earlier parallelism together. The operator
	// restores its own part.
	Restore []tidegate.StateChunk
	// Watermark is the watermark of the restored snapshots, or nil: the operator receives it again,
	// before any record, as from the host. For several subtasks, set their smallest watermark.
	Watermark *int64
}

// Emitted is one record that an operator emitted.
type Emitted struct {
	// Port is the output port.
	Port uint32
	// Timestamp is in milliseconds since the Unix epoch, or [tidegate.NoTimestamp].
	Timestamp int64
	// Key is the key.
	Key string
	// Value is the value.
	Value string
}

// Harness runs an operator. Its methods that return no error fail the test if the operator fails.
type Harness struct {
	t          testing.TB
	operator   tidegate.RawOperator
	context    tidegate.Context
	emitted    []Emitted
	recorded   host.Recorder
	checkpoint uint64
	open       tidegate.Opener
	// watermark is the watermark that a new instance receives again; nil before the first and after
	// the end.
	watermark *int64
}

// Open opens an operator, and restores it if there is state. It fails the test if the operator
// fails.
func Open(t testing.TB, open tidegate.Opener, config Config) *Harness {
	t.Helper()
	harness, err := TryOpen(t, open, config)
	if err != nil {
		t.Fatalf("the operator was not opened: %v", err)
	}
	return harness
}

// TryOpen is like [Open], and returns the operator's error.
func TryOpen(t testing.TB, open tidegate.Opener, config Config) (*Harness, error) {
	t.Helper()
	harness := &Harness{t: t, context: config.context(t), open: open}
	err := harness.openInstance()
	if err == nil && len(config.Restore) > 0 {
		err = harness.restore(config.Restore)
	}
	if err == nil && config.Watermark != nil {
		err = harness.advance(*config.Watermark)
	}
	return harness, err
}

func (h *Harness) openInstance() error {
	var err error
	host.Run(&h.recorded, func() {
		// The operator receives a copy, since it may keep it.
		context := h.context
		h.operator, err = h.open(&context)
	})
	return err
}

func (c *Config) context(t testing.TB) tidegate.Context {
	t.Helper()
	context := tidegate.Context{
		Job:            "test",
		Operator:       "operator",
		Subtask:        c.Subtask,
		Parallelism:    max(c.Parallelism, 1),
		MaxParallelism: c.MaxParallelism,
		Inputs:         c.Inputs,
		Outputs:        c.Outputs,
		Config:         c.Settings,
		HashSeed:       c.HashSeed,
	}
	if context.HashSeed == 0 {
		context.HashSeed = 0x7469_6465_6761_7465
	}
	if context.MaxParallelism == 0 {
		context.MaxParallelism = 128
	}
	if len(context.Inputs) == 0 {
		context.Inputs = []string{"input"}
	}
	if len(context.Outputs) == 0 {
		context.Outputs = []string{"output"}
	}
	subtask, parallelism := context.Subtask, context.Parallelism
	if subtask >= parallelism || parallelism > context.MaxParallelism {
		t.Fatalf("there is no subtask %d of %d with %d key groups",
			subtask, parallelism, context.MaxParallelism)
	}
	context.FirstKeyGroup, context.LastKeyGroup = keyGroups(&context)
	return context
}

// keyGroups returns the first and the last key group of a subtask, as the host deals them out.
func keyGroups(context *tidegate.Context) (first, last uint32) {
	subtask, parallelism := uint64(context.Subtask), uint64(context.Parallelism)
	total := uint64(context.MaxParallelism)
	first = uint32((subtask*total + parallelism - 1) / parallelism)
	last = uint32(((subtask+1)*total - 1) / parallelism)
	return first, last
}

func (h *Harness) restore(chunks []tidegate.StateChunk) error {
	var own []tidegate.StateChunk
	items := uint32(0)
	for _, chunk := range chunks {
		if chunk.HasKeyGroup && h.context.Owns(chunk.KeyGroup) {
			own = append(own, chunk)
		}
		if !chunk.HasKeyGroup {
			if items%h.context.Parallelism == h.context.Subtask {
				own = append(own, chunk)
			}
			items++
		}
	}
	var err error
	host.Run(&h.recorded, func() { err = h.operator.Restore(own) })
	return err
}

// Context returns the context in which the operator runs.
func (h *Harness) Context() tidegate.Context { return h.context }

// Owns reports whether a record with this key reaches this subtask over a `hash` edge.
func (h *Harness) Owns(key string) bool {
	return h.context.Owns(tidegate.KeyGroup([]byte(key), h.context.MaxParallelism))
}

// Process hands the operator a batch on an input, as the host does, and returns its error. An
// operator that failed is not to be used again.
func (h *Harness) Process(input uint32, records tidegate.Batch) error {
	return h.call(func() ([]tidegate.Emission, error) { return h.operator.Process(input, records) })
}

// Send hands the operator one record, without timestamp, on input 0.
func (h *Harness) Send(key, value string) {
	h.t.Helper()
	h.SendAt(tidegate.NoTimestamp, key, value)
}

// SendAt hands the operator one record with a timestamp, in milliseconds since the Unix epoch.
func (h *Harness) SendAt(timestamp int64, key, value string) {
	h.t.Helper()
	var records tidegate.Batch
	records.Append(timestamp, []byte(key), []byte(value))
	h.check(h.Process(0, records))
}

// Watermark advances event time: from now on a record older than the watermark is late.
func (h *Harness) Watermark(watermark int64) {
	h.t.Helper()
	h.check(h.advance(watermark))
}

func (h *Harness) advance(watermark int64) error {
	h.watermark = &watermark
	return h.call(func() ([]tidegate.Emission, error) {
		return h.operator.AdvanceWatermark(watermark)
	})
}

// Restart takes a snapshot and continues with a new instance, as after a failure: the new instance
// is restored, and receives the last watermark again, if any. Its emissions then are part of the
// output.
func (h *Harness) Restart() {
	h.t.Helper()
	chunks := h.Snapshot()
	h.check(h.openInstance())
	var err error
	host.Run(&h.recorded, func() { err = h.operator.Restore(chunks) })
	h.check(err)
	if h.watermark != nil {
		h.check(h.advance(*h.watermark))
	}
}

// Finish ends all inputs.
func (h *Harness) Finish() {
	h.t.Helper()
	h.watermark = nil
	h.check(h.call(h.operator.Finish))
}

// Snapshot takes a snapshot.
func (h *Harness) Snapshot() []tidegate.StateChunk {
	h.t.Helper()
	h.checkpoint++
	var chunks []tidegate.StateChunk
	var err error
	host.Run(&h.recorded, func() { chunks, err = h.operator.Snapshot(h.checkpoint) })
	h.check(err)
	return chunks
}

// CheckpointComplete notifies the operator that the last snapshot is durable in all of the job.
func (h *Harness) CheckpointComplete() {
	h.t.Helper()
	var err error
	host.Run(&h.recorded, func() { err = h.operator.CheckpointComplete(h.checkpoint) })
	h.check(err)
}

// TakeOutput takes the records that were emitted since the last call of TakeOutput or TakeText.
func (h *Harness) TakeOutput() []Emitted {
	taken := h.emitted
	h.emitted = nil
	return taken
}

// TakeText takes the same as TakeOutput, each record as `key=value`.
func (h *Harness) TakeText() []string {
	var texts []string
	for _, emitted := range h.TakeOutput() {
		texts = append(texts, emitted.Key+"="+emitted.Value)
	}
	return texts
}

// TakeLogs takes the messages that were logged since the last call, each behind its level and a
// colon.
func (h *Harness) TakeLogs() []string {
	var lines []string
	for _, line := range h.recorded.Logs {
		lines = append(lines, tidegate.Level(line.Level).String()+": "+line.Message)
	}
	h.recorded.Logs = nil
	return lines
}

// Counter returns the sum of the additions to a counter.
func (h *Harness) Counter(metric string) uint64 { return h.recorded.Counters[metric] }

// Keys returns the state of all keys of an operator that keeps an S for each.
func Keys[S any](harness *Harness) *tidegate.Keys[S] {
	return tidegate.KeysOf[S](harness.operator)
}

func (h *Harness) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("the operator failed: %v", err)
	}
}

func (h *Harness) call(call func() ([]tidegate.Emission, error)) error {
	var err error
	host.Run(&h.recorded, func() {
		var emissions []tidegate.Emission
		emissions, err = call()
		for _, emission := range emissions {
			h.collect(emission.Port, &emission.Records)
		}
	})
	return err
}

// collect copies the emitted records, since the operator reuses its memory.
func (h *Harness) collect(port uint32, records *tidegate.Batch) {
	for row, timestamp := range records.Timestamps {
		h.emitted = append(h.emitted, Emitted{
			Port:      port,
			Timestamp: timestamp,
			Key:       string(records.Keys.Row(row)),
			Value:     string(records.Values.Row(row)),
		})
	}
}
