// Tests of the operator, run natively in a harness.

package main

import (
	"slices"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

func TestEachKeyHasATotalOfItsOwn(t *testing.T) {
	total := tidegatetest.Open(t, tidegate.Open(openTotal), tidegatetest.Config{})
	total.Send("apples", "3")
	total.Send("pears", "5")
	total.Send("apples", "4")
	expected := []string{"apples=3", "pears=5", "apples=7"}
	if emitted := total.TakeText(); !slices.Equal(emitted, expected) {
		t.Errorf("emitted %q, expected %q", emitted, expected)
	}
}

func TestATotalGoesOnAfterAFailure(t *testing.T) {
	total := tidegatetest.Open(t, tidegate.Open(openTotal), tidegatetest.Config{})
	total.Send("apples", "3")
	restored := tidegatetest.Open(t, tidegate.Open(openTotal), tidegatetest.Config{
		Restore: total.Snapshot(),
	})
	restored.Send("apples", "4")
	if emitted := restored.TakeText(); !slices.Equal(emitted, []string{"apples=7"}) {
		t.Errorf("emitted %q", emitted)
	}
}
