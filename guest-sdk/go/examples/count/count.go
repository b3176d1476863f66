// Count counts how often each key was seen.
//
// Config `emit`: "updates" (the default) sends the new count with each record, "final" sends one
// count for each key when the input has ended.
package main

import (
	"errors"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
)

type config struct {
	Emit string `json:"emit"`
}

type count struct {
	emitsUpdates bool
}

func openCount(config config, _ *tidegate.Context) (*count, error) {
	switch config.Emit {
	case "", "updates":
		return &count{emitsUpdates: true}, nil
	case "final":
		return &count{emitsUpdates: false}, nil
	default:
		return nil, errors.New("`emit` is \"updates\" or \"final\", not \"" + config.Emit + "\"")
	}
}

// OnRecord counts one record.
func (c *count) OnRecord(
	record *tidegate.Record, count *uint64, out *tidegate.Output,
) error {
	*count++
	if c.emitsUpdates {
		out.EmitUint(record.Key(), *count)
	}
	return nil
}

// OnFinish sends the counts that were held back.
func (c *count) OnFinish(keys *tidegate.Keys[uint64], out *tidegate.Output) error {
	if !c.emitsUpdates {
		for key, count := range keys.All() {
			out.EmitUint(key, *count)
		}
	}
	return nil
}

func init() {
	tidegate.Register(tidegate.Open(openCount))
}

func main() {}
