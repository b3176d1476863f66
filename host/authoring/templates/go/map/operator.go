// Turns the seconds of each record into minutes and seconds.
package main

import (
	"fmt"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
)

// minutes converts one record. The state is a struct{}: this operator remembers nothing.
func minutes(record *tidegate.Record, _ *struct{}, out *tidegate.Output) error {
	seconds, err := tidegate.ValueAs[uint32](record)
	if err != nil {
		return err
	}
	out.EmitText(record.Key(), fmt.Sprintf("%d:%02d", seconds/60, seconds%60))
	return nil
}

func init() {
	tidegate.Register(tidegate.OpenFunc(minutes))
}

// main is never called: the host calls the operator.
func main() {}
