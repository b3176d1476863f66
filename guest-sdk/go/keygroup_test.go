//go:build !wasip1

package tidegate_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
	"github.com/tidegate/tidegate/guest-sdk/go/tidegatetest"
)

// keyGroupVectors are the vectors of guest-sdk/vectors, which all SDKs must reproduce.
type keyGroupVectors struct {
	Keys []struct {
		Key            string
		MaxParallelism uint32 `json:"max-parallelism"`
		KeyGroup       uint32 `json:"key-group"`
	}
	Ranges []struct {
		MaxParallelism uint32 `json:"max-parallelism"`
		Parallelism    uint32
		Ranges         [][2]uint32
	}
}

func readKeyGroupVectors(t *testing.T) (vectors keyGroupVectors) {
	t.Helper()
	text, err := os.ReadFile("../vectors/key-groups.json")
	if err == nil {
		err = json.Unmarshal(text, &vectors)
	}
	if err != nil {
		t.Fatal(err)
	}
	return vectors
}

func TestKeyGroupsAreThoseOfTheVectors(t *testing.T) {
	vectors := readKeyGroupVectors(t)
	for _, vector := range vectors.Keys {
		key, err := hex.DecodeString(vector.Key)
		if err != nil {
			t.Fatal(err)
		}
		group := tidegate.KeyGroup(key, vector.MaxParallelism)
		if group != vector.KeyGroup {
			t.Errorf("%s of %d: %d", vector.Key, vector.MaxParallelism, group)
		}
	}
	if len(vectors.Keys) == 0 {
		t.Error("there are none")
	}
}

func TestSubtasksOfTheHarnessOwnTheKeyGroupsOfTheVectors(t *testing.T) {
	open := tidegate.OpenFunc(func(*tidegate.Record, *uint64, *tidegate.Output) error { return nil })
	vectors := readKeyGroupVectors(t)
	for _, vector := range vectors.Ranges {
		var ranges [][2]uint32
		for subtask := range vector.Parallelism {
			context := tidegatetest.Open(t, open, tidegatetest.Config{
				Subtask:        subtask,
				Parallelism:    vector.Parallelism,
				MaxParallelism: vector.MaxParallelism,
			}).Context()
			ranges = append(ranges, [2]uint32{context.FirstKeyGroup, context.LastKeyGroup})
		}
		if !slices.Equal(ranges, vector.Ranges) {
			t.Errorf("%d of %d: %v", vector.Parallelism, vector.MaxParallelism, ranges)
		}
	}
	if len(vectors.Ranges) == 0 {
		t.Error("there are none")
	}
}
