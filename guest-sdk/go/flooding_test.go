//go:build !wasip1

package tidegate_test

import (
	"fmt"
	"reflect"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

// forgetting counts, takes out keys with a count of one, and forgets keys with a count of four.
type forgetting struct{}

func (forgetting) OnRecord(record *tidegate.Record, count *uint64, out *tidegate.Output) error {
	*count++
	out.EmitUint(record.Key(), *count)
	return nil
}

func (forgetting) IsVacant(count *uint64) bool { return *count == 4 }

func (forgetting) OnWatermark(_ int64, keys *tidegate.Keys[uint64], out *tidegate.Output) error {
	for key, count := range keys.Extract(func(_ []byte, count *uint64) bool { return *count == 1 }) {
		out.EmitUint(key, *count)
	}
	for _, count := range keys.All() {
		*count++
	}
	return nil
}

func (forgetting) OnFinish(keys *tidegate.Keys[uint64], out *tidegate.Output) error {
	for key, count := range keys.All() {
		out.EmitUint(key, *count)
	}
	return nil
}

// observed returns the emissions of an instance, and its snapshot before it finishes.
func observed(
	t *testing.T, config tidegatetest.Config,
) ([]tidegatetest.Emitted, []tidegate.StateChunk) {
	t.Helper()
	open := tidegate.Open(func(struct{}, *tidegate.Context) (forgetting, error) {
		return forgetting{}, nil
	})
	harness := tidegatetest.Open(t, open, config)
	for number := range 3000 {
		harness.Send(fmt.Sprint("key ", number*7919%701), "")
	}
	harness.Watermark(1)
	for number := range 500 {
		harness.Send(fmt.Sprint(number*104729%499), "")
	}
	snapshot := harness.Snapshot()
	harness.Finish()
	return harness.TakeOutput(), snapshot
}

func TestNothingThatIsObservedDependsOnTheHashSeed(t *testing.T) {
	output, snapshot := observed(t, tidegatetest.Config{HashSeed: 1})
	if len(output) < 3500 {
		t.Fatalf("%d records", len(output))
	}
	other, again := observed(t, tidegatetest.Config{HashSeed: 2})
	if !reflect.DeepEqual(other, output) || !reflect.DeepEqual(again, snapshot) {
		t.Error("another seed gives something else")
	}
	third, _ := observed(t, tidegatetest.Config{HashSeed: 3, Restore: snapshot})
	fourth, _ := observed(t, tidegatetest.Config{HashSeed: 4, Restore: snapshot})
	if !reflect.DeepEqual(third, fourth) {
		t.Error("another seed gives something else after a restore")
	}
}
