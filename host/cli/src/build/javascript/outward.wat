;; From the engine to the host. Every function hands on what it is given; key groups become bytes.
(module
  (import "tidegate:operator/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "tidegate:operator/host@0.1.0" "count" (func $count (param i32 i32 i64)))
  (import "tidegate:operator/host@0.1.0" "key-groups"
    (func $key_groups (param i32 i32 i32 i32 i32)))

  (func (export "tidegate:javascript/host@0.1.0#log") (param i32 i32 i32)
    (call $log (local.get 0) (local.get 1) (local.get 2))
    (call $reset))

  (func (export "tidegate:javascript/host@0.1.0#count") (param i32 i32 i64)
    (call $count (local.get 0) (local.get 1) (local.get 2))
    (call $reset))

  (func (export "tidegate:javascript/host@0.1.0#key-groups")
    (param $offsets i32) (param $offset_bytes i32) (param $data i32) (param $bytes i32) (result i32)
    (call $key_groups
      (local.get $offsets) (i32.shr_u (local.get $offset_bytes) (i32.const 2))
      (local.get $data) (local.get $bytes)
      (i32.const 8))
    (i32.store (i32.const 12) (i32.shl (i32.load (i32.const 12)) (i32.const 2)))
    (i32.const 8))

  (func (export "cabi_post_tidegate:javascript/host@0.1.0#key-groups") (param i32)
    (call $reset))

;; (memory)
)
