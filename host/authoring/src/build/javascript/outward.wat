;; From the engine to the host. Every function hands on what it is given; key groups become bytes.
;; But hashes of keys are computed here: the engine's own maps have a hash that everybody can foresee,
;; and it would be slow at another one.
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

  ;; The hash of each key, as guest-sdk/rust/src/state/hash.rs says it, and why.
  (func (export "tidegate:javascript/host@0.1.0#hash-keys")
    (param $seed i64)
    (param $offsets i32) (param $offset_bytes i32) (param $data i32) (param $bytes i32) (result i32)
    (local $secrets i32) (local $hash i32) (local $end i32)
    (local.set $secrets (call $draw (local.get $seed)))
    ;; A key is read in words. What is allocated here lies behind the last one.
    (local.set $hash
      (call $allocate (i32.const 0) (i32.const 0) (i32.const 8)
        (i32.add (local.get $offset_bytes) (i32.const 8))))
    (i32.store (i32.const 8) (local.get $hash))
    (i32.store (i32.const 12) (i32.sub (local.get $offset_bytes) (i32.const 4)))
    (local.set $end (i32.add (local.get $offsets) (i32.sub (local.get $offset_bytes) (i32.const 4))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $offsets) (local.get $end)))
        (i32.store (local.get $hash)
          (call $hash
            (local.get $secrets)
            (i32.add (local.get $data) (i32.load (local.get $offsets)))
            (i32.sub (i32.load offset=4 (local.get $offsets)) (i32.load (local.get $offsets)))))
        (local.set $offsets (i32.add (local.get $offsets) (i32.const 4)))
        (local.set $hash (i32.add (local.get $hash) (i32.const 4)))
        (br $next)))
    (i32.const 8))

  (func (export "cabi_post_tidegate:javascript/host@0.1.0#hash-keys") (param i32)
    (call $reset))

  ;; Where the secrets are that follow from a seed: `first` at 0, `length` at 8, `last` at 16, `fold`
  ;; at 24, two for the tail at 32, and at 48 two for each of eight lanes.
  (func $draw (param $seed i64) (result i32)
    (local $secrets i32) (local $at i32) (local $mixed i64)
    (local.set $secrets
      (call $allocate (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 176)))
    (local.set $at (local.get $secrets))
    (loop $next
      (local.set $seed (i64.add (local.get $seed) (i64.const 0x9e3779b97f4a7c15)))
      (local.set $mixed
        (i64.mul
          (i64.xor (local.get $seed) (i64.shr_u (local.get $seed) (i64.const 30)))
          (i64.const 0xbf58476d1ce4e5b9)))
      (local.set $mixed
        (i64.mul
          (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 27)))
          (i64.const 0x94d049bb133111eb)))
      (i64.store (local.get $at)
        (i64.xor (local.get $mixed) (i64.shr_u (local.get $mixed) (i64.const 31))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next
        (i32.lt_u (i32.sub (local.get $at) (local.get $secrets)) (i32.const 176))))
    (i64.store (local.get $secrets) (i64.or (i64.load (local.get $secrets)) (i64.const 1)))
    (i64.store offset=16 (local.get $secrets)
      (i64.or (i64.load offset=16 (local.get $secrets)) (i64.const 1)))
    (local.get $secrets))

  (func $hash (param $secrets i32) (param $key i32) (param $length i32) (result i32)
    (local $sum i64) (local $words i32) (local $lane i32) (local $beyond i64)
    (local.set $sum
      (i64.mul (i64.extend_i32_u (local.get $length)) (i64.load offset=8 (local.get $secrets))))
    (if (i32.le_u (local.get $length) (i32.const 8))
      (then
        (if (local.get $length)
          (then
            ;; Bits of the word that are not the key's.
            (local.set $beyond
              (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $length) (i32.const 3)))))
            (local.set $sum
              (i64.add
                (local.get $sum)
                (i64.mul
                  (i64.shr_u
                    (i64.shl (i64.load (local.get $key)) (local.get $beyond))
                    (local.get $beyond))
                  (i64.load (local.get $secrets)))))))
        (return (call $finish (local.get $secrets) (local.get $sum)))))
    (local.set $words (i32.shr_u (local.get $length) (i32.const 3)))
    (local.set $length (i32.add (local.get $key) (local.get $length)))
    (loop $block
      (local.set $lane (i32.add (local.get $secrets) (i32.const 48)))
      (block $full
        (loop $next
          (br_if $full (i32.eqz (local.get $words)))
          (br_if $full
            (i32.eq (i32.sub (local.get $lane) (local.get $secrets)) (i32.const 176)))
          (local.set $sum
            (i64.add (local.get $sum) (call $product (local.get $key) (local.get $lane))))
          (local.set $key (i32.add (local.get $key) (i32.const 8)))
          (local.set $lane (i32.add (local.get $lane) (i32.const 16)))
          (local.set $words (i32.sub (local.get $words) (i32.const 1)))
          (br $next)))
      (local.set $sum
        (i64.mul
          (i64.shr_u (local.get $sum) (i64.const 32))
          (i64.load offset=24 (local.get $secrets))))
      (br_if $block (local.get $words)))
    ;; The last eight bytes, some of them or all once more.
    (call $finish
      (local.get $secrets)
      (i64.add
        (local.get $sum)
        (call $product
          (i32.sub (local.get $length) (i32.const 8))
          (i32.add (local.get $secrets) (i32.const 32))))))

  (func $finish (param $secrets i32) (param $sum i64) (result i32)
    (i32.wrap_i64
      (i64.shr_u
        (i64.mul
          (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 32)))
          (i64.load offset=16 (local.get $secrets)))
        (i64.const 32))))

  (func $product (param $at i32) (param $lane i32) (result i64)
    (local $word i64)
    (local.set $word (i64.load (local.get $at)))
    (i64.mul
      (i64.add
        (i64.load (local.get $lane))
        (i64.and (local.get $word) (i64.const 0xffffffff)))
      (i64.add
        (i64.load offset=8 (local.get $lane))
        (i64.shr_u (local.get $word) (i64.const 32)))))

;; (memory)
)
