//go:build wasip1

// Package host is the interface `tidegate:operator/host`; natively, it is a stand-in for tests.
package host

import "unsafe"

// Log writes a message, which is UTF-8, to the job's log.
func Log(level uint32, message string) {
	log(level, unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)))
}

// Count adds to a counter, whose name is UTF-8.
func Count(metric string, delta uint64) {
	count(unsafe.Pointer(unsafe.StringData(metric)), uint32(len(metric)), delta)
}

// Trap ends the instance.
func Trap() {
	exit(1)
}

//go:wasmimport tidegate:operator/host@0.1.0 log
//go:noescape
func log(level uint32, message unsafe.Pointer, length uint32)

//go:wasmimport tidegate:operator/host@0.1.0 count
//go:noescape
func count(metric unsafe.Pointer, length uint32, delta uint64)

// The component's stand-in for WASI traps here.
//
//go:wasmimport wasi_snapshot_preview1 proc_exit
//go:noescape
func exit(code uint32)
