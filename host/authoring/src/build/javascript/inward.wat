;; From the host to the engine. Lists of numbers become bytes, and bytes become lists of numbers: only
;; their lengths change.
(module
  ;; Not called: so that this component imports all that an operator may.
  (import "tidegate:operator/host@0.1.0" "log" (func (param i32 i32 i32)))
  (import "tidegate:operator/host@0.1.0" "count" (func (param i32 i32 i64)))
  (import "tidegate:operator/host@0.1.0" "key-groups" (func (param i32 i32 i32 i32 i32)))

  (import "tidegate:javascript/operator@0.1.0" "open"
    (func $open
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32)))
  (import "tidegate:javascript/operator@0.1.0" "process"
    (func $process (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "tidegate:javascript/operator@0.1.0" "advance-watermark"
    (func $advance_watermark (param i32 i32 i32)))
  (import "tidegate:javascript/operator@0.1.0" "snapshot" (func $snapshot (param i64 i32)))
  (import "tidegate:javascript/operator@0.1.0" "restore" (func $restore (param i32 i32 i32)))
  (import "tidegate:javascript/operator@0.1.0" "checkpoint-complete"
    (func $checkpoint_complete (param i64 i32)))
  (import "tidegate:javascript/operator@0.1.0" "finish" (func $finish (param i32)))

  (func (export "tidegate:operator/operator@0.1.0#open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (param $hash_seed i64)
    (result i32)
    (call $open
      (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
      (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9)
      (local.get 10) (local.get 11) (local.get 12) (local.get 13) (local.get 14)
      (i64.shr_u (local.get $hash_seed) (i64.const 12))
      (i32.const 8))
    (i32.const 8))

  (func (export "tidegate:operator/operator@0.1.0#process")
    (param $input i32)
    (param $times i32) (param $time_count i32)
    (param $keys i32) (param $key_offsets i32) (param $key_data i32) (param $key_bytes i32)
    (param $values i32) (param $value_offsets i32) (param $value_data i32) (param $value_bytes i32)
    (result i32)
    (call $process
      (local.get $input)
      (local.get $times) (i32.shl (local.get $time_count) (i32.const 3))
      (local.get $keys) (i32.shl (local.get $key_offsets) (i32.const 2))
      (local.get $key_data) (local.get $key_bytes)
      (local.get $values) (i32.shl (local.get $value_offsets) (i32.const 2))
      (local.get $value_data) (local.get $value_bytes)
      (i32.const 8))
    (call $emitted))

  (func (export "tidegate:operator/operator@0.1.0#advance-watermark")
    (param $watermark i64) (result i32)
    (call $advance_watermark
      (i32.wrap_i64 (local.get $watermark))
      (i32.wrap_i64 (i64.shr_s (local.get $watermark) (i64.const 32)))
      (i32.const 8))
    (call $emitted))

  (func (export "tidegate:operator/operator@0.1.0#snapshot") (param $checkpoint i64) (result i32)
    (call $snapshot (local.get $checkpoint) (i32.const 8))
    (i32.const 8))

  (func (export "tidegate:operator/operator@0.1.0#restore")
    (param $chunks i32) (param $count i32) (result i32)
    (call $restore (local.get $chunks) (local.get $count) (i32.const 8))
    (i32.const 8))

  (func (export "tidegate:operator/operator@0.1.0#checkpoint-complete")
    (param $checkpoint i64) (result i32)
    (call $checkpoint_complete (local.get $checkpoint) (i32.const 8))
    (i32.const 8))

  (func (export "tidegate:operator/operator@0.1.0#finish") (result i32)
    (call $finish (i32.const 8))
    (call $emitted))

  (func (export "cabi_post_tidegate:operator/operator@0.1.0#open") (param i32)
    (call $reset))
  (func (export "cabi_post_tidegate:operator/operator@0.1.0#process") (param i32)
    (call $reset))
  (func (export "cabi_post_tidegate:operator/operator@0.1.0#advance-watermark") (param i32)
    (call $reset))
  (func (export "cabi_post_tidegate:operator/operator@0.1.0#snapshot") (param i32)
    (call $reset))
  (func (export "cabi_post_tidegate:operator/operator@0.1.0#restore") (param i32)
    (call $reset))
  (func (export "cabi_post_tidegate:operator/operator@0.1.0#checkpoint-complete") (param i32)
    (call $reset))
  (func (export "cabi_post_tidegate:operator/operator@0.1.0#finish") (param i32)
    (call $reset))

  ;; The emissions that the engine has put at 8, with the lengths of their lists of numbers. An
  ;; emission has 44 bytes: its port, then address and length of five lists.
  (func $emitted (result i32)
    (local $emission i32)
    (local $end i32)
    (if (i32.eqz (i32.load8_u (i32.const 8)))
      (then
        (local.set $emission (i32.load (i32.const 12)))
        (local.set $end
          (i32.add
            (local.get $emission)
            (i32.mul (i32.load (i32.const 16)) (i32.const 44))))
        (block $done
          (loop $next
            (br_if $done (i32.ge_u (local.get $emission) (local.get $end)))
            (call $divide (i32.add (local.get $emission) (i32.const 8)) (i32.const 3))
            (call $divide (i32.add (local.get $emission) (i32.const 16)) (i32.const 2))
            (call $divide (i32.add (local.get $emission) (i32.const 32)) (i32.const 2))
            (local.set $emission (i32.add (local.get $emission) (i32.const 44)))
            (br $next)))))
    (i32.const 8))

  (func $divide (param $length i32) (param $shift i32)
    (i32.store
      (local.get $length)
      (i32.shr_u (i32.load (local.get $length)) (local.get $shift))))

;; (memory)
)
