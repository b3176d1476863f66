// The counter of word-count, run natively in a harness.

package main

import (
	"slices"
	"strings"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

func open(t *testing.T, config tidegatetest.Config) *tidegatetest.Harness {
	t.Helper()
	return tidegatetest.Open(t, tidegate.Open(openCount), config)
}

func expect(t *testing.T, count *tidegatetest.Harness, expected ...string) {
	t.Helper()
	if emitted := count.TakeText(); !slices.Equal(emitted, expected) {
		t.Errorf("emitted %q, expected %q", emitted, expected)
	}
}

func TestUpdatesCarryTheCountSoFar(t *testing.T) {
	count := open(t, tidegatetest.Config{})
	count.Send("tide", "")
	count.Send("gate", "")
	count.Send("tide", "")
	count.Finish()
	expect(t, count, "tide=1", "gate=1", "tide=2")
}

func TestFinalCountsComeOnceAndSorted(t *testing.T) {
	count := open(t, tidegatetest.Config{Settings: `{"emit":"final"}`})
	count.Send("tide", "")
	count.Send("gate", "")
	count.Send("tide", "")
	expect(t, count)
	count.Finish()
	expect(t, count, "gate=1", "tide=2")
}

func TestACountGoesOnAfterAFailure(t *testing.T) {
	count := open(t, tidegatetest.Config{})
	count.Send("tide", "")
	count.Send("tide", "")
	restored := open(t, tidegatetest.Config{Restore: count.Snapshot()})
	restored.Send("tide", "")
	expect(t, restored, "tide=3")
}

func TestAMisspeltSettingIsRefused(t *testing.T) {
	config := tidegatetest.Config{Settings: `{"emits":"final"}`}
	_, err := tidegatetest.TryOpen(t, tidegate.Open(openCount), config)
	if err == nil || !strings.Contains(err.Error(), "unknown field `emits`") {
		t.Errorf("it says %v", err)
	}
}
