// Calls to the host: the log and the operator's own counters.

package tidegate

import (
	"strings"

	"github.com/tidegate/tidegate/guest-sdk/go/internal/host"
)

// Level is the severity of a message. The job's settings decide which messages are shown.
type Level uint32

// The levels, from the lowest severity to the highest.
const (
	LevelTrace Level = iota
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
)

// String returns the level's name.
func (l Level) String() string {
	names := [...]string{"trace", "debug", "info", "warn", "error"}
	if int(l) < len(names) {
		return names[l]
	}
	return "Level(" + decimal(uint32(l)) + ")"
}

// Log writes one message to the job's log, under the operator's and the subtask's name. The host
// cuts a long message, drops messages above the operator's log rate, and logs how many.
func Log(level Level, message string) {
	host.Log(uint32(min(level, LevelError)), strings.ToValidUTF8(message, "\ufffd"))
}

// Count adds to a counter that the job's metrics show under the operator's name. A counter starts
// at 0 with each attempt and is no part of the state: records that are processed again after a
// failure count again.
func Count(metric string, delta uint64) {
	host.Count(strings.ToValidUTF8(metric, "\ufffd"), delta)
}
