//go:build !wasip1

package tidegate_test

import (
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

// onTime passes on records in time. Its watermark is no state: a restored instance receives it
// again.
type onTime struct {
	watermark *int64
}

func (o *onTime) OnRecord(record *tidegate.Record, passed *uint64, out *tidegate.Output) error {
	if at, ok := record.Timestamp(); ok && o.watermark != nil && at < *o.watermark {
		return nil
	}
	*passed++
	out.EmitUint(record.Key(), *passed)
	return nil
}

func (o *onTime) OnWatermark(watermark int64, _ *tidegate.Keys[uint64], _ *tidegate.Output) error {
	o.watermark = &watermark
	return nil
}

func openOnTime(_ struct{}, _ *tidegate.Context) (*onTime, error) { return &onTime{}, nil }

func TestARecordThatIsLateBeforeARestartIsLateAfterIt(t *testing.T) {
	harness := tidegatetest.Open(t, tidegate.Open(openOnTime), tidegatetest.Config{})
	harness.Restart()
	harness.SendAt(5, "a", "")
	harness.Watermark(10)
	harness.Restart()
	harness.SendAt(9, "a", "")
	harness.SendAt(10, "a", "")
	expect(t, harness.TakeText(), "a=1", "a=2")
}

func TestAnInstanceOfAnotherParallelismIsToldTheWatermarkAfterItsState(t *testing.T) {
	one := tidegatetest.Open(t, tidegate.Open(openOnTime), tidegatetest.Config{})
	one.SendAt(5, "a", "")
	one.Watermark(10)
	watermark := int64(10)
	for subtask := range uint32(2) {
		two := tidegatetest.Open(t, tidegate.Open(openOnTime), tidegatetest.Config{
			Subtask: subtask, Parallelism: 2, Restore: one.Snapshot(), Watermark: &watermark,
		})
		if two.Owns("a") {
			two.SendAt(9, "a", "")
			two.SendAt(10, "a", "")
			expect(t, two.TakeText(), "a=2")
		}
	}
}
