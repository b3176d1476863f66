//go:build !wasip1

package tidegate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

func expect(t *testing.T, got []string, expected ...string) {
	t.Helper()
	if !slices.Equal(got, expected) {
		t.Errorf("%q, expected %q", got, expected)
	}
}

func emitted(port uint32, timestamp int64, key, value string) tidegatetest.Emitted {
	return tidegatetest.Emitted{Port: port, Timestamp: timestamp, Key: key, Value: value}
}

func refused(t *testing.T, open tidegate.Opener, config tidegatetest.Config, because string) {
	t.Helper()
	_, err := tidegatetest.TryOpen(t, open, config)
	if err == nil || !strings.Contains(err.Error(), because) {
		t.Errorf("it says %v, expected %s", err, because)
	}
}

// window is the state of windows: counts by window, which close with the watermark.
type window struct {
	Counts map[int64]uint64
	Last   *string
}

type windows struct {
	size     int64
	complete uint64
	open     uint64
}

type windowConfig struct {
	SizeMS int64 `json:"size-ms"`
	Labels []string
}

func openWindows(config windowConfig, _ *tidegate.Context) (*windows, error) {
	if config.SizeMS <= 0 {
		return nil, errors.New("`size-ms` is above 0")
	}
	return &windows{size: config.SizeMS}, nil
}

func (w *windows) OnRecord(record *tidegate.Record, state *window, out *tidegate.Output) error {
	at, ok := record.Timestamp()
	if !ok {
		return record.Invalid("no timestamp")
	}
	if state.Counts == nil {
		state.Counts = make(map[int64]uint64)
	}
	last := string(record.Value())
	state.Last = &last
	state.Counts[at/w.size*w.size]++
	w.open++
	tidegate.Count("records", 1)
	return nil
}

func (w *windows) OnWatermark(
	watermark int64, keys *tidegate.Keys[window], out *tidegate.Output,
) error {
	for key, state := range keys.All() {
		for start, count := range state.Counts {
			if start+w.size <= watermark {
				out.At(start+w.size-1).EmitUint(key, count)
				delete(state.Counts, start)
			}
		}
	}
	return nil
}

func (w *windows) OnFinish(keys *tidegate.Keys[window], out *tidegate.Output) error {
	hasLast := func(_ []byte, state *window) bool { return state.Last != nil }
	for key, state := range keys.Extract(hasLast) {
		out.To(1).EmitText(key, *state.Last)
	}
	tidegate.Log(tidegate.LevelInfo, fmt.Sprint(keys.Len(), " keys are left"))
	return nil
}

func (w *windows) OnCheckpointComplete(checkpoint uint64) error {
	w.complete = checkpoint
	return nil
}

func (w *windows) IsVacant(state *window) bool { return len(state.Counts) == 0 }

func (w *windows) OperatorState(items *tidegate.Items) error { return tidegate.Push(items, w.open) }

func (w *windows) RestoreOperatorState(items *tidegate.RestoredItems) error {
	opened, err := tidegate.ReadItems[uint64](items)
	for _, count := range opened {
		w.open += count
	}
	return err
}

func TestAnOperatorWithEverythingThatThereIs(t *testing.T) {
	var opened *windows
	open := tidegate.Open(func(config windowConfig, context *tidegate.Context) (*windows, error) {
		made, err := openWindows(config, context)
		opened = made
		return made, err
	})
	config := tidegatetest.Config{
		Settings: `{"size-ms": 10, "labels": ["x"]}`,
		Outputs:  []string{"counts", "last"},
	}
	harness := tidegatetest.Open(t, open, config)
	for _, at := range []int64{1, 2, 12} {
		harness.SendAt(at, "b", fmt.Sprint("at ", at))
	}
	harness.SendAt(3, "a", "at 3")
	harness.Watermark(10)
	expected := []tidegatetest.Emitted{emitted(0, 9, "a", "1"), emitted(0, 9, "b", "2")}
	if output := harness.TakeOutput(); !slices.Equal(output, expected) {
		t.Errorf("%v", output)
	}
	if keys := tidegatetest.Keys[window](harness); keys.Len() != 1 || keys.Get([]byte("a")) != nil {
		t.Errorf("%d keys, but `a` has no window any more", keys.Len())
	}
	snapshot := harness.Snapshot()
	harness.CheckpointComplete()
	if opened.complete != 1 {
		t.Errorf("checkpoint %d is complete", opened.complete)
	}

	config.Restore = snapshot
	restored := tidegatetest.Open(t, open, config)
	restored.Finish()
	emitted := restored.TakeOutput()
	if len(emitted) != 1 || emitted[0].Port != 1 || emitted[0].Value != "at 12" {
		t.Errorf("%v", emitted)
	}
	expect(t, restored.TakeLogs(), "info: 0 keys are left")
	if opened.open != 4 || harness.Counter("records") != 4 {
		t.Errorf("%d records were counted, %d by the host", opened.open, harness.Counter("records"))
	}
}

func countOpener() tidegate.Opener {
	return tidegate.OpenFunc(func(record *tidegate.Record, count *uint64, out *tidegate.Output) error {
		*count++
		out.EmitUint(record.Key(), *count)
		return nil
	})
}

func TestStateFollowsItsKeysToAnotherParallelism(t *testing.T) {
	var snapshots []tidegate.StateChunk
	words := []string{"ebb", "flow", "tide", "gate", "moor", "pier", "quay", ""}
	for subtask := range uint32(2) {
		config := tidegatetest.Config{Subtask: subtask, Parallelism: 2}
		count := tidegatetest.Open(t, countOpener(), config)
		for _, word := range words {
			if count.Owns(word) {
				count.Send(word, "")
			}
		}
		snapshots = append(snapshots, count.Snapshot()...)
	}
	seen := 0
	for subtask := range uint32(5) {
		config := tidegatetest.Config{Subtask: subtask, Parallelism: 5, Restore: snapshots}
		count := tidegatetest.Open(t, countOpener(), config)
		for _, word := range words {
			if count.Owns(word) {
				count.Send(word, "")
				expect(t, count.TakeText(), word+"=2")
				seen++
			}
		}
	}
	if seen != len(words) {
		t.Errorf("%d words were owned", seen)
	}
}

func TestAKeyOfAnotherSubtaskIsRefused(t *testing.T) {
	count := tidegatetest.Open(t, countOpener(), tidegatetest.Config{Subtask: 1, Parallelism: 2})
	var records tidegate.Batch
	records.Append(tidegate.NoTimestamp, []byte("a\n"), nil)
	err := count.Process(0, records)
	if err == nil || !strings.Contains(err.Error(), `the key "a\n" belongs to key group`) ||
		!strings.Contains(err.Error(), "owns 64..=127; every input") {
		t.Errorf("it says %v", err)
	}
}

type stats struct {
	Count uint64
	Last  int64
}

type versionTwo struct{}

func (versionTwo) OnRecord(record *tidegate.Record, state *stats, out *tidegate.Output) error {
	state.Count++
	out.EmitUint(record.Key(), state.Count)
	return nil
}

func (versionTwo) StateVersion() uint32 { return 2 }

func (versionTwo) Migrate(version uint32, bytes []byte) (stats, error) {
	if version != 1 {
		return stats{}, tidegate.UnknownVersion(version)
	}
	count, err := tidegate.ReadState[uint64](bytes)
	return stats{Count: count}, err
}

func TestStateOfAnOlderVersionIsMigrated(t *testing.T) {
	count := tidegatetest.Open(t, countOpener(), tidegatetest.Config{})
	count.Send("tide", "")
	open := tidegate.Open(func(struct{}, *tidegate.Context) (versionTwo, error) {
		return versionTwo{}, nil
	})
	second := tidegatetest.Open(t, open, tidegatetest.Config{Restore: count.Snapshot()})
	second.Send("tide", "")
	expect(t, second.TakeText(), "tide=2")
	chunks := second.Snapshot()
	refused(t, countOpener(), tidegatetest.Config{Restore: chunks},
		"it has version 2, and this operator reads version 1")
	chunks[0].SchemaVersion = 3
	refused(t, open, tidegatetest.Config{Restore: chunks}, "does not read version 3")
}

func TestChunksThatAreNotTheOperatorsAreRefused(t *testing.T) {
	count := tidegatetest.Open(t, countOpener(), tidegatetest.Config{})
	count.Send("tide", "")
	keyed := count.Snapshot()[0]
	item := tidegate.StateChunk{Name: "items", SchemaVersion: 1, Bytes: []byte("TGI\x01\x07")}
	other := keyed
	other.Name = "other"
	newer := item
	newer.SchemaVersion = 2
	doNothing := func(*tidegate.Record, *struct{}, *tidegate.Output) error { return nil }
	stateless := tidegate.OpenFunc(doNothing)
	restore := func(chunks ...tidegate.StateChunk) tidegatetest.Config {
		return tidegatetest.Config{Restore: chunks}
	}
	refused(t, countOpener(), restore(other), "a chunk `other`, which this operator did not write")
	refused(t, countOpener(), restore(keyed, keyed), "it is there twice")
	refused(t, countOpener(), restore(item), "1 items of operator state, and this operator keeps none")
	refused(t, countOpener(), restore(item, newer), "have different versions")
	refused(t, stateless, restore(keyed), "keyed state, and this operator keeps none")
}

func TestSettingsAreCheckedWhenTheOperatorIsOpened(t *testing.T) {
	open := tidegate.Open(openWindows)
	for settings, because := range map[string]string{
		`{"size": 1}`: "the operator's config: unknown field `size`, " +
			"expected one of `size-ms`, `Labels`",
		`{"size-ms": "1"}`: "the operator's config: `size-ms`: expected a whole number",
		`{"size-ms": 0}`:   "`size-ms` is above 0",
		``:                 "`size-ms` is above 0",
		`[]`:               "the operator's config: expected a table",
	} {
		refused(t, open, tidegatetest.Config{Settings: settings}, because)
	}
	refused(t, countOpener(), tidegatetest.Config{Settings: `{"x": 1}`},
		"unknown field `x`, there are no fields")
}

type misspelt struct{ versionTwo }

func (misspelt) OnFinish(*tidegate.Keys[uint64], *tidegate.Output) error { return nil }

func TestAMethodThatWouldNeverBeCalledIsRefused(t *testing.T) {
	open := tidegate.Open(func(struct{}, *tidegate.Context) (misspelt, error) {
		return misspelt{}, nil
	})
	refused(t, open, tidegatetest.Config{},
		"its OnFinish is not that of a Finisher with this state type")
}

func stateOf[S any]() tidegate.Opener {
	return tidegate.OpenFunc(func(*tidegate.Record, *S, *tidegate.Output) error { return nil })
}

type tree struct{ Branches []tree }

func TestATypeThatCanNotBeStateIsRefusedByName(t *testing.T) {
	type hidden struct{ count int }
	for because, open := range map[string]tidegate.Opener{
		"hidden.count can't be state: the field is not exported": stateOf[hidden](),
		"struct { F func() }.F can't be state: it is a func":     stateOf[struct{ F func() }](),
		"contains itself": stateOf[tree](),
		"map[float64]int (its keys) can't be state: a key is": stateOf[map[float64]int](),
		"[]interface {}[] can't be state: it is a interface":  stateOf[[]any](),
		"*struct { A complex128 }.A can't be state: it is a complex128": stateOf[*struct {
			A complex128
		}](),
	} {
		refused(t, open, tidegatetest.Config{}, because)
	}
}

func TestTextInStateIsUTF8(t *testing.T) {
	open := tidegate.OpenFunc(func(record *tidegate.Record, state *string, _ *tidegate.Output) error {
		*state = string(record.Value())
		return nil
	})
	opened, err := open(&tidegate.Context{MaxParallelism: 1})
	if err != nil {
		t.Fatal(err)
	}
	var records tidegate.Batch
	records.Append(0, nil, []byte("\xff"))
	if _, err := opened.Process(0, records); err != nil {
		t.Fatal(err)
	}
	_, err = opened.Snapshot(1)
	const problem = "the state can't be written: a string is not UTF-8"
	if err == nil || !strings.Contains(err.Error(), problem) {
		t.Errorf("it says %v", err)
	}
}

func TestEachPortKeepsItsOwnOrder(t *testing.T) {
	open := tidegate.OpenFunc(func(record *tidegate.Record, _ *struct{}, out *tidegate.Output) error {
		out.To(2).EmitLe64(record.Key(), 1)
		out.Emit(record.Key(), record.Value())
		out.To(2).At(5).EmitInt(record.Key(), -2)
		out.At(tidegate.NoTimestamp).EmitText(record.Key(), "text")
		return nil
	})
	harness := tidegatetest.Open(t, open, tidegatetest.Config{Outputs: []string{"a", "b", "c"}})
	harness.SendAt(3, "k", "v")
	expected := []tidegatetest.Emitted{
		emitted(0, 3, "k", "v"), emitted(0, tidegate.NoTimestamp, "k", "text"),
		emitted(2, 3, "k", "\x01\x00\x00\x00\x00\x00\x00\x00"), emitted(2, 5, "k", "-2"),
	}
	if output := harness.TakeOutput(); !slices.Equal(output, expected) {
		t.Errorf("%v", output)
	}
}
