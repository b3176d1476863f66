;; An operator without any language, to ask the stand-in for WASI what runtimes ask it. `open` traps
;; if an answer is not the expected one; `finish` says something on standard error and aborts.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))

  ;; One buffer of two bytes that end in the middle of a character, and one with "panic: \u{6f6e}".
  (data (i32.const 512) "\10\02\00\00\03\00\00\00\20\02\00\00\0a\00\00\00")
  (data (i32.const 528) "\80\e6\bd")
  (data (i32.const 544) "panic: \e6\bd\ae")

  (func $equal (param $got i32) (param $expected i32)
    (if (i32.ne (local.get $got) (local.get $expected)) (then unreachable)))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  (func (export "tidegate:operator/operator@0.1.0#open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    ;; No arguments.
    (i32.store (i32.const 256) (i32.const 7))
    (call $equal (call $args_sizes_get (i32.const 256) (i32.const 260)) (i32.const 0))
    (call $equal (i32.load (i32.const 256)) (i32.const 0))
    ;; A clock that stands still.
    (call $equal (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 256)) (i32.const 0))
    (call $equal (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 264)) (i32.const 0))
    (call $equal
      (i64.ne (i64.load (i32.const 256)) (i64.load (i32.const 264)))
      (i32.const 0))
    (call $equal (i64.eqz (i64.load (i32.const 256))) (i32.const 0))
    ;; Randomness that is the same in every instance: SplitMix64 of the seed, the low bytes.
    (call $equal (call $random_get (i32.const 256) (i32.const 4)) (i32.const 0))
    (call $equal (i32.load (i32.const 256)) (i32.const 0xa36101f6))
    ;; No files.
    (call $equal (call $fd_prestat_get (i32.const 3) (i32.const 256)) (i32.const 8))
    (call $equal
      (call $path_open
        (i32.const 3) (i32.const 0) (i32.const 544) (i32.const 5) (i32.const 0)
        (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 256))
      (i32.const 8))
    ;; Nothing to read, nothing to wait for.
    (i32.store (i32.const 256) (i32.const 7))
    (call $equal
      (call $fd_read (i32.const 0) (i32.const 512) (i32.const 1) (i32.const 256))
      (i32.const 0))
    (call $equal (i32.load (i32.const 256)) (i32.const 0))
    (call $equal
      (call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 256))
      (i32.const 52))
    ;; Another file can't be written.
    (call $equal
      (call $fd_write (i32.const 3) (i32.const 512) (i32.const 2) (i32.const 256))
      (i32.const 8))
    (i32.const 1024))

  (func (export "tidegate:operator/operator@0.1.0#finish") (result i32)
    (call $equal
      (call $fd_write (i32.const 2) (i32.const 512) (i32.const 2) (i32.const 256))
      (i32.const 0))
    ;; All of it counts as written, also what is no character.
    (call $equal (i32.load (i32.const 256)) (i32.const 13))
    (call $proc_exit (i32.const 2))
    (i32.const 1024))

  (func (export "tidegate:operator/operator@0.1.0#process")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 1024))
  (func (export "tidegate:operator/operator@0.1.0#advance-watermark") (param i64) (result i32)
    (i32.const 1024))
  (func (export "tidegate:operator/operator@0.1.0#snapshot") (param i64) (result i32)
    (i32.const 1024))
  (func (export "tidegate:operator/operator@0.1.0#restore") (param i32 i32) (result i32)
    (i32.const 1024))
  (func (export "tidegate:operator/operator@0.1.0#checkpoint-complete") (param i64) (result i32)
    (i32.const 1024)))
