;; Stands in for `wasi_snapshot_preview1` in a component whose language wants WASI: its clock stands
;; still, its randomness is the same in every instance, it has no arguments, environment, files or
;; sockets. So an operator stays deterministic, and imports nothing but `tidegate:operator/host`.
;;
;; `wit-component` keeps the functions that the module imports, and joins them to it: the memory is
;; the module's own. Error numbers are those of preview 1: 8 is EBADF, 52 is ENOSYS.
(module
  (import "env" "memory" (memory 0))
  (import "tidegate:operator/host@0.1.0" "log" (func $log (param i32 i32 i32)))

  ;; Logs what is UTF-8 of a text, and passes over the bytes that are not, which would end the
  ;; instance.
  (func $log_text (param $level i32) (param $at i32) (param $length i32)
    (local $good i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (local.set $good (call $utf8 (local.get $at) (local.get $length)))
        (if (local.get $good)
          (then
            (call $log (local.get $level) (local.get $at) (local.get $good)))
          (else
            (local.set $good (i32.const 1))))
        (local.set $at (i32.add (local.get $at) (local.get $good)))
        (local.set $length (i32.sub (local.get $length) (local.get $good)))
        (br $next))))

  ;; How many of the first bytes are whole characters of UTF-8 (Unicode 15, table 3-7).
  (func $utf8 (param $at i32) (param $length i32) (result i32)
    (local $index i32) (local $byte i32) (local $more i32) (local $low i32) (local $high i32)
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $index) (local.get $length)))
        (local.set $byte (i32.load8_u (i32.add (local.get $at) (local.get $index))))
        (local.set $low (i32.const 0x80))
        (local.set $high (i32.const 0xbf))
        ;; How many bytes follow the first.
        (local.set $more (i32.const 0))
        (if (i32.ge_u (local.get $byte) (i32.const 0x80))
          (then
            (br_if $end (i32.lt_u (local.get $byte) (i32.const 0xc2)))
            (br_if $end (i32.gt_u (local.get $byte) (i32.const 0xf4)))
            (local.set $more
              (i32.add (i32.const 1)
                (i32.add
                  (i32.ge_u (local.get $byte) (i32.const 0xe0))
                  (i32.ge_u (local.get $byte) (i32.const 0xf0)))))
            (if (i32.eq (local.get $byte) (i32.const 0xe0))
              (then (local.set $low (i32.const 0xa0))))
            (if (i32.eq (local.get $byte) (i32.const 0xed))
              (then (local.set $high (i32.const 0x9f))))
            (if (i32.eq (local.get $byte) (i32.const 0xf0))
              (then (local.set $low (i32.const 0x90))))
            (if (i32.eq (local.get $byte) (i32.const 0xf4))
              (then (local.set $high (i32.const 0x8f))))
            (br_if $end
              (i32.ge_u (local.get $more) (i32.sub (local.get $length) (local.get $index))))
            (br_if $end
              (i32.eqz
                (call $follow
                  (i32.add (local.get $at) (local.get $index))
                  (local.get $more) (local.get $low) (local.get $high))))))
        (local.set $index
          (i32.add (local.get $index) (i32.add (local.get $more) (i32.const 1))))
        (br $next)))
    (local.get $index))

  ;; True if the bytes behind the one at $at continue its character; the first is in a range.
  (func $follow (param $at i32) (param $more i32) (param $low i32) (param $high i32) (result i32)
    (local $byte i32)
    (loop $next
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.lt_u (local.get $byte) (local.get $low)) (then (return (i32.const 0))))
      (if (i32.gt_u (local.get $byte) (local.get $high)) (then (return (i32.const 0))))
      (local.set $low (i32.const 0x80))
      (local.set $high (i32.const 0xbf))
      (local.set $more (i32.sub (local.get $more) (i32.const 1)))
      (br_if $next (local.get $more)))
    (i32.const 1))

  (global $seed (mut i64) (i64.const 0x7469646567617465))

  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))

  (func (export "args_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))

  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  (func (export "environ_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))

  ;; One millisecond, of a clock that stands still.
  (func (export "clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1000000))
    (i32.const 0))

  ;; 2000-01-01T00:00:00Z, always: code that takes 0 for "not set" keeps working.
  (func (export "clock_time_get")
    (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (i64.store (local.get $time) (i64.const 946684800000000000))
    (i32.const 0))

  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_close") (param i32) (result i32) (i32.const 8))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 8))

  ;; The standard streams are character devices that can be written.
  (func (export "fd_fdstat_get") (param $fd i32) (param $stat i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $stat) (i64.const 2))
    (i64.store offset=8 (local.get $stat) (i64.const 0x40))
    (i64.store offset=16 (local.get $stat) (i64.const 0))
    (i32.const 0))

  (func (export "fd_fdstat_set_flags") (param $fd i32) (param $flags i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i32.const 0))

  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))

  ;; Standard input is at its end.
  (func (export "fd_read")
    (param $fd i32) (param $buffers i32) (param $count i32) (param $read i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))

  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_tell") (param i32 i32) (result i32) (i32.const 8))

  ;; Memory that the module never uses, for text that a runtime writes in pieces. Whoever compiled the
  ;; module says where it is, in place of these two numbers.
  (global $room_at i32 (i32.const 0))
  (global $room i32 (i32.const 0))

  ;; How much of it is taken.
  (global $held (mut i32) (i32.const 0))

  ;; How many paragraphs of its last words a runtime still has: why it aborts, and two stacks. The
  ;; host keeps about so much, and what comes first matters most.
  (global $paragraphs (mut i32) (i32.const 3))

  ;; True once a runtime has begun to say why it aborts.
  (global $aborting (mut i32) (i32.const 0))

  ;; Takes a piece of text, as much as there is room for, and logs what is there at the end of a line,
  ;; or of a paragraph once the runtime aborts.
  (func $hold (param $at i32) (param $length i32)
    (local $fits i32)
    (if (i32.eqz (local.get $length)) (then (return)))
    (if (i32.eqz (global.get $paragraphs)) (then (return)))
    (if
      (i32.and
        (global.get $aborting)
        (i32.and (call $ends_line) (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0a))))
      (then
        (call $log_held)
        (global.set $paragraphs (i32.sub (global.get $paragraphs) (i32.const 1)))))
    (local.set $fits (i32.sub (global.get $room) (global.get $held)))
    (if (i32.lt_u (local.get $length) (local.get $fits))
      (then (local.set $fits (local.get $length))))
    (memory.copy
      (i32.add (global.get $room_at) (global.get $held)) (local.get $at) (local.get $fits))
    (global.set $held (i32.add (global.get $held) (local.get $fits)))
    (if (call $aborts) (then (global.set $aborting (i32.const 1))))
    (if (global.get $aborting) (then (return)))
    (if (i32.or (i32.eq (global.get $held) (global.get $room)) (call $ends_line))
      (then (call $log_held))))

  (func $ends_line (result i32)
    (if (i32.eqz (global.get $held)) (then (return (i32.const 0))))
    (i32.eq
      (i32.load8_u (i32.sub (i32.add (global.get $room_at) (global.get $held)) (i32.const 1)))
      (i32.const 0x0a)))

  ;; True if the text begins with `fatal error: `, `panic: `, or `runtime: `, of which four bytes say
  ;; enough.
  (func $aborts (result i32)
    (local $begin i32)
    (if (i32.lt_u (global.get $held) (i32.const 4)) (then (return (i32.const 0))))
    (local.set $begin (i32.load (global.get $room_at)))
    (i32.or
      (i32.eq (local.get $begin) (i32.const 0x61746166))
      (i32.or
        (i32.eq (local.get $begin) (i32.const 0x696e6170))
        (i32.eq (local.get $begin) (i32.const 0x746e7572)))))

  (func $log_held
    (call $log_text (i32.const 4) (global.get $room_at) (global.get $held))
    (global.set $held (i32.const 0)))

  ;; Standard output and error go to the job's log, each buffer a message: `info` and `error`. What
  ;; a language's runtime says before it aborts is so a part of the host's error.
  (func (export "fd_write")
    (param $fd i32) (param $buffers i32) (param $count i32) (param $written i32) (result i32)
    (local $total i32) (local $length i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 8))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $length (i32.load offset=4 (local.get $buffers)))
        (if (i32.and (i32.eq (local.get $fd) (i32.const 2)) (i32.ne (global.get $room) (i32.const 0)))
          (then
            (call $hold (i32.load (local.get $buffers)) (local.get $length)))
          (else
            (call $log_text
              (i32.mul (local.get $fd) (i32.const 2))
              (i32.load (local.get $buffers))
              (local.get $length))))
        (local.set $total (i32.add (local.get $total) (local.get $length)))
        (local.set $buffers (i32.add (local.get $buffers) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))

  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32)
    (i32.const 8))

  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 8))
  ;; Nothing can be waited for. A runtime that writes in pieces sleeps a little before it says why it
  ;; aborts: that passes at once. One that sleeps in earnest looks at its clock, sees that no time went
  ;; by, and sleeps again, until it is told that it can't.
  (global $naps (mut i32) (i32.const 1000))

  (func (export "poll_oneoff")
    (param $wanted i32) (param $events i32) (param $count i32) (param $happened i32) (result i32)
    (if (i32.or (i32.eqz (global.get $room)) (i32.ne (local.get $count) (i32.const 1)))
      (then (return (i32.const 52))))
    (if (i32.eqz (global.get $aborting))
      (then
        (if (i32.eqz (global.get $naps)) (then (return (i32.const 52))))
        (global.set $naps (i32.sub (global.get $naps) (i32.const 1)))))
    ;; The event of a clock has no fields but the first, which is the one of its subscription.
    (i64.store (local.get $events) (i64.load (local.get $wanted)))
    (i64.store offset=8 (local.get $events) (i64.const 0))
    (i32.store (local.get $happened) (i32.const 1))
    (i32.const 0))

  ;; Nothing goes on after an exit.
  (func (export "proc_exit") (param i32)
    (if (global.get $held) (then (call $log_held)))
    unreachable)

  (func (export "proc_raise") (param i32) (result i32) (i32.const 52))

  ;; The same bytes in every instance: SplitMix64 from a fixed seed.
  (func (export "random_get") (param $at i32) (param $length i32) (result i32)
    (local $word i64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $length)))
        (global.set $seed (i64.add (global.get $seed) (i64.const 0x9e3779b97f4a7c15)))
        (local.set $word (global.get $seed))
        (local.set $word
          (i64.mul
            (i64.xor (local.get $word) (i64.shr_u (local.get $word) (i64.const 30)))
            (i64.const 0xbf58476d1ce4e5b9)))
        (local.set $word
          (i64.mul
            (i64.xor (local.get $word) (i64.shr_u (local.get $word) (i64.const 27)))
            (i64.const 0x94d049bb133111eb)))
        (i64.store8
          (local.get $at)
          (i64.xor (local.get $word) (i64.shr_u (local.get $word) (i64.const 31))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 8)))
