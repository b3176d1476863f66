// Tests of the operator, run natively in a harness.

package main

import (
	"slices"
	"testing"

	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

func TestTheRecordsBeforeAFailureAreCounted(t *testing.T) {
	harness := tidegatetest.Open(t, openShout, tidegatetest.Config{})
	harness.Send("a", "The tide")
	harness.Restart()
	harness.Send("b", "gate 2")
	harness.Finish()
	expected := []string{"a=THE TIDE", "b=GATE 2", "=2 records in all"}
	if emitted := harness.TakeText(); !slices.Equal(emitted, expected) {
		t.Errorf("emitted %q, expected %q", emitted, expected)
	}
}
