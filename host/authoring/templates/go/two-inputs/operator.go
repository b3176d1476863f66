// Adds the customer's city to each order. An order waits until the city is known.
package main

import (
	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
)

// orders is the index of the orders among the `inputs` in the job file. The other input is the
// customers.
const orders = 0

// customer is the state of a customer, part of every checkpoint.
type customer struct {
	City *string // nil until it is known
	// Waiting has the items that were ordered before the city was known.
	Waiting []string
}

// deliver handles one record of either input.
func deliver(record *tidegate.Record, state *customer, out *tidegate.Output) error {
	text, err := record.ValueText()
	if err != nil {
		return err
	}
	switch {
	case record.Input() != orders:
		for _, item := range state.Waiting {
			out.EmitText(record.Key(), item+" to "+text)
		}
		state.City, state.Waiting = &text, nil
	case state.City == nil:
		state.Waiting = append(state.Waiting, text)
	default:
		out.EmitText(record.Key(), text+" to "+*state.City)
	}
	return nil
}

func init() {
	tidegate.Register(tidegate.OpenFunc(deliver))
}

// main is never called: the host calls the operator.
func main() {}
