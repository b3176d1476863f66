  ;; What a call is handed and gives lives until it has been read; then all of it is dropped at once.
  (memory (export "memory") 1)
  ;; Up to here there is room for what a call returns.
  (global $top (mut i32) (i32.const 64))

  (func $reset
    (global.set $top (i32.const 64)))

  ;; Every piece begins at a multiple of 8, so that it can be read as numbers of any size.
  (func $allocate (export "cabi_realloc")
    (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (local $end i64)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (local.set $end
      (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $size))))
    (if (i64.gt_u (local.get $end) (i64.const 0xffffffff)) (then unreachable))
    (call $grow (local.get $end))
    (global.set $top (i32.wrap_i64 (local.get $end)))
    (if (local.get $old_size)
      (then (memory.copy (local.get $at) (local.get $old) (local.get $old_size))))
    (local.get $at))

  (func $grow (param $end i64)
    (local $missing i64)
    (local.set $missing
      (i64.sub
        (i64.shr_u (i64.add (local.get $end) (i64.const 0xffff)) (i64.const 16))
        (i64.extend_i32_u (memory.size))))
    (if (i64.gt_s (local.get $missing) (i64.const 0))
      (then
        (if (i32.eq (memory.grow (i32.wrap_i64 (local.get $missing))) (i32.const -1))
          (then unreachable)))))
