// Tests of the operator, run natively in a harness.

package main

import (
	"slices"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

func TestSecondsHaveTwoDigits(t *testing.T) {
	harness := tidegatetest.Open(t, tidegate.OpenFunc(minutes), tidegatetest.Config{})
	harness.Send("ann", "75")
	harness.Send("bob", "9")
	harness.Send("ann", "3600")
	expected := []string{"ann=1:15", "bob=0:09", "ann=60:00"}
	if emitted := harness.TakeText(); !slices.Equal(emitted, expected) {
		t.Errorf("emitted %q, expected %q", emitted, expected)
	}
}

func TestAValueThatIsNoNumberIsRejected(t *testing.T) {
	harness := tidegatetest.Open(t, tidegate.OpenFunc(minutes), tidegatetest.Config{})
	var records tidegate.Batch
	records.Append(tidegate.NoTimestamp, []byte("ann"), []byte("an hour"))
	if err := harness.Process(0, records); err == nil {
		t.Error("the record was accepted")
	}
}
