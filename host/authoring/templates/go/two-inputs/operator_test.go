// Tests of the operator, run natively in a harness.

package main

import (
	"slices"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

const customers = 1

func TestAnOrderWaitsForTheCityAlsoOverAFailure(t *testing.T) {
	harness := tidegatetest.Open(t, tidegate.OpenFunc(deliver), tidegatetest.Config{})
	send := func(input uint32, value string) {
		var records tidegate.Batch
		records.Append(tidegate.NoTimestamp, []byte("ann"), []byte(value))
		if err := harness.Process(input, records); err != nil {
			t.Fatal(err)
		}
	}
	send(orders, "lamp")
	if emitted := harness.TakeText(); len(emitted) > 0 {
		t.Errorf("emitted %q, and the city is not known", emitted)
	}
	harness.Restart()
	send(customers, "Oslo")
	send(orders, "rug")
	expected := []string{"ann=lamp to Oslo", "ann=rug to Oslo"}
	if emitted := harness.TakeText(); !slices.Equal(emitted, expected) {
		t.Errorf("emitted %q, expected %q", emitted, expected)
	}
}
