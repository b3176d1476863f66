//go:build !wasip1

// Package host is the interface `tidegate:operator/host`; natively, it is a stand-in for tests.
package host

import "sync"

// Recorder keeps an operator's calls to the host while it runs natively.
type Recorder struct {
	Logs     []Line
	Counters map[string]uint64
}

// Line is one message.
type Line struct {
	Level   uint32
	Message string
}

// Operators call the host through free functions, so they run one at a time: each call holds the
// lock, and names its recorder.
var (
	running sync.Mutex
	current *Recorder
)

// Run calls a function of an operator, and records its calls to the host.
func Run(recorder *Recorder, call func()) {
	running.Lock()
	defer running.Unlock()
	current = recorder
	defer func() { current = nil }()
	call()
}

// Log records a message in a call of Run.
func Log(level uint32, message string) {
	if current != nil {
		current.Logs = append(current.Logs, Line{Level: level, Message: message})
	}
}

// Count records an addition to a counter in a call of Run.
func Count(metric string, delta uint64) {
	if current == nil {
		return
	}
	if current.Counters == nil {
		current.Counters = make(map[string]uint64)
	}
	sum := current.Counters[metric] + delta
	if sum < delta {
		sum = 1<<64 - 1
	}
	current.Counters[metric] = sum
}
