// Keeps a running total of the values of each key, and emits it with every record.
package main

import (
	"math"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
)

// config holds the settings of the operator's `config` table in the job file: none yet.
type config struct{}

// total is the operator. What it remembers for each key, an int64, is part of every checkpoint.
type total struct{}

func openTotal(_ config, _ *tidegate.Context) (*total, error) {
	return &total{}, nil
}

// OnRecord adds one record to the total of its key.
func (t *total) OnRecord(record *tidegate.Record, total *int64, out *tidegate.Output) error {
	value, err := record.ValueInt()
	if err != nil {
		return err
	}
	*total = add(*total, value)
	out.EmitInt(record.Key(), *total)
	return nil
}

// add stays at the largest or smallest number instead of passing it.
func add(left, right int64) int64 {
	sum := left + right
	switch {
	case right > 0 && sum < left:
		return math.MaxInt64
	case right < 0 && sum > left:
		return math.MinInt64
	default:
		return sum
	}
}

func init() {
	tidegate.Register(tidegate.Open(openTotal))
}

// main is never called: the host calls the operator.
func main() {}
