// Faulty does what the value of each record asks for, and most of that is wrong. It is for the
// tests of the host.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	tidegate "github.com/tidegate/tidegate/guest-sdk/go"
)

type limitError struct{ limit int }

func (e *limitError) Error() string { return fmt.Sprint("the limit is ", e.limit) }

func pick(list []int, index int) int { return list[index] }

func recurse(depth int) int {
	if depth == 0 {
		return 0
	}
	return recurse(depth-1) + 1
}

var behaviours = map[string]func(record *tidegate.Record, out *tidegate.Output) error{
	"index": func(record *tidegate.Record, out *tidegate.Output) error {
		out.EmitInt(record.Key(), int64(pick([]int{1, 2}, len(record.Value()))))
		return nil
	},
	"nil map": func(*tidegate.Record, *tidegate.Output) error {
		var table map[string]int
		table["a"] = 1
		return nil
	},
	"error": func(*tidegate.Record, *tidegate.Output) error { panic(&limitError{3}) },
	"wrapped": func(record *tidegate.Record, _ *tidegate.Output) error {
		_, err := record.ValueInt()
		return fmt.Errorf("while reading: %w", err)
	},
	"other": func(*tidegate.Record, *tidegate.Output) error { return errors.New("other words") },
	"port": func(record *tidegate.Record, out *tidegate.Output) error {
		out.To(7).Emit(record.Key(), nil)
		return nil
	},
	"goroutine": func(record *tidegate.Record, out *tidegate.Output) error {
		sum := make(chan int64)
		go func() { sum <- 7 }()
		out.EmitInt(record.Key(), <-sum)
		return nil
	},
	"panic in a goroutine": func(*tidegate.Record, *tidegate.Output) error {
		go func() { panic("nobody catches it") }()
		<-make(chan int)
		return nil
	},
	"deadlock": func(*tidegate.Record, *tidegate.Output) error {
		<-make(chan int)
		return nil
	},
	"sleep": func(*tidegate.Record, *tidegate.Output) error {
		time.Sleep(time.Millisecond)
		return nil
	},
	"print": func(record *tidegate.Record, out *tidegate.Output) error {
		fmt.Println("to standard output")
		println("in", 2, "pieces")
		_, err := os.ReadFile("/etc/passwd")
		out.EmitText(record.Key(), err.Error())
		return nil
	},
	"now": func(record *tidegate.Record, out *tidegate.Output) error {
		out.EmitText(record.Key(), time.Now().UTC().Format(time.RFC3339))
		return nil
	},
	"deep": func(record *tidegate.Record, out *tidegate.Output) error {
		out.EmitInt(record.Key(), int64(recurse(2000)))
		return nil
	},
	"too deep": func(record *tidegate.Record, out *tidegate.Output) error {
		out.EmitInt(record.Key(), int64(recurse(10_000_000)))
		return nil
	},
	"memory": func(*tidegate.Record, *tidegate.Output) error {
		var all [][]byte
		for {
			all = append(all, make([]byte, 1<<20))
		}
	},
}

func onRecord(record *tidegate.Record, _ *struct{}, out *tidegate.Output) error {
	behave := behaviours[string(record.Value())]
	if behave == nil {
		return record.Invalid("no such behaviour")
	}
	return behave(record, out)
}

func init() {
	tidegate.Register(tidegate.OpenFunc(onRecord))
}

func main() {}
