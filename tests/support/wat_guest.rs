//! A guest in WebAssembly text: a test writes only the body of the export that matters. A guest for
//! one hostile behaviour is smaller than a crate, and does things that no compiler would write.
//!
//! Every other export succeeds and does nothing. Memory up to 1024 is for the test; then come the
//! return area and, at 1100, a list element to return. The test's text is at 2048, and `$allocate`
//! hands out memory beyond 64 KiB.

use std::fmt::Display;

use crate::packages::Packages;

/// A guest to be built.
#[derive(Clone, Debug)]
pub struct WatGuest {
    packages: Packages,
    version: &'static str,
    memory: String,
    items: String,
    /// The name of an export, and its body.
    bodies: Vec<(String, String)>,
}

impl WatGuest {
    /// Returns a guest whose exports all succeed and return nothing.
    #[must_use]
    pub fn idle() -> Self {
        Self {
            packages: Packages::contract(),
            version: "0.1.0",
            memory: "2".to_owned(),
            items: String::new(),
            bodies: Vec::new(),
        }
    }

    /// Returns a guest that emits its input unchanged, counts records, and keeps that count as
    /// state.
    #[must_use]
    pub fn echo() -> Self {
        Self::idle()
            .export("process", ECHO_PROCESS)
            .export("snapshot", ECHO_SNAPSHOT)
            .export("restore", ECHO_RESTORE)
            .item("(global $records (mut i64) (i64.const 0))")
            .item("(data (i32.const 2048) \"records\")")
    }

    /// Sets the body of an export: instructions that leave the address of the result. `export` is
    /// its name, with or without the backticks that messages show it in.
    #[must_use]
    pub fn export(mut self, export: impl Display, body: &str) -> Self {
        let name = export.to_string().trim_matches('`').to_owned();
        let is_export = EXPORTS.iter().any(|(known, _)| *known == name);
        assert!(is_export, "an operator exports no `{name}`");
        self.bodies.push((name, body.to_owned()));
        self
    }

    /// Adds an item to the module: a function, data, table, memory or import.
    #[must_use]
    pub fn item(mut self, item: &str) -> Self {
        self.items.push_str(item);
        self.items.push('\n');
        self
    }

    /// Sets the initial pages of the main memory.
    #[must_use]
    pub fn pages(mut self, pages: u32) -> Self {
        self.memory = pages.to_string();
        self
    }

    /// Builds against other packages.
    #[must_use]
    pub fn packages(mut self, packages: Packages) -> Self {
        self.packages = packages;
        self
    }

    /// Builds against another version of the contract.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.packages = Packages::contract_with("@0.1.0", &format!("@{version}"));
        self.version = version;
        self
    }

    /// Returns the component in its binary form.
    #[must_use]
    pub fn component(&self) -> Vec<u8> {
        self.packages.component(&self.module())
    }

    /// Returns the core module as text. Imports come first, as the format requires.
    #[must_use]
    pub fn module(&self) -> String {
        let Self {
            version, memory, ..
        } = self;
        let (imports, items): (Vec<&str>, Vec<&str>) = self
            .items
            .lines()
            .partition(|item| item.starts_with("(import"));
        let (imports, items) = (imports.join("\n"), items.join("\n"));
        let exports: Vec<String> = EXPORTS.iter().map(|export| self.function(export)).collect();
        let exports = exports.join("\n");
        format!(
            "(module {imports} {items} (memory (export \"memory\") {memory}) {LIBRARY} {exports})"
        )
        .replace("VERSION", version)
    }

    fn function(&self, (name, parameters): &(&str, &str)) -> String {
        let given = self.bodies.iter().rev().find(|(of, _)| of == name);
        let body = given.map_or("(call $done)", |(_, body)| body.as_str());
        format!(
            "(func $export.{name} (export \"tidegate:operator/operator@VERSION#{name}\") \
             {parameters} (result i32) {body})"
        )
    }
}

/// The import of the host's `log`, for guests that call it.
pub const LOG: &str =
    r#"(import "tidegate:operator/host@VERSION" "log" (func $log (param i32 i32 i32)))"#;
/// The import of the host's `count`.
pub const COUNT: &str =
    r#"(import "tidegate:operator/host@VERSION" "count" (func $count (param i32 i32 i64)))"#;
/// The import of the host's `key-groups`.
pub const KEY_GROUPS: &str = "(import \"tidegate:operator/host@VERSION\" \"key-groups\" \
     (func $key_groups (param i32 i32 i32 i32 i32)))";

const EXPORTS: [(&str, &str); 7] = [
    (
        "open",
        "(param $job i32) (param $job_len i32) (param $operator i32) (param $operator_len i32)
         (param $subtask i32) (param $parallelism i32) (param $max i32) (param $first i32)
         (param $last i32) (param $inputs i32) (param $inputs_len i32) (param $outputs i32)
         (param $outputs_len i32) (param $config i32) (param $config_len i32)
         (param $hash_seed i64)",
    ),
    (
        "process",
        "(param $input i32) (param $times i32) (param $rows i32)
         (param $key_offsets i32) (param $key_offsets_len i32)
         (param $keys i32) (param $keys_len i32)
         (param $value_offsets i32) (param $value_offsets_len i32)
         (param $values i32) (param $values_len i32)",
    ),
    ("advance-watermark", "(param $watermark i64)"),
    ("snapshot", "(param $checkpoint i64)"),
    ("restore", "(param $chunks i32) (param $chunks_len i32)"),
    ("checkpoint-complete", "(param $checkpoint i64)"),
    ("finish", ""),
];

/// The items of every guest. `$done` returns nothing, `$one_emission` the list of the one emission
/// at 1100, and `$one_chunk` the list of the one state chunk there.
const LIBRARY: &str = r#"
    (global $next (mut i32) (i32.const 65536))
    (func $allocate (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get $size)))
        (block $enough
            (loop $more
                (br_if $enough
                    (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
                (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
                (br $more)))
        (local.get $at))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (call $allocate (local.get 3)))
    (func $done (result i32)
        (memory.fill (i32.const 1024) (i32.const 0) (i32.const 24))
        (i32.const 1024))
    (func $one (param $at i32) (result i32)
        (i32.store (i32.const 1024) (i32.const 0))
        (i32.store (i32.const 1028) (local.get $at))
        (i32.store (i32.const 1032) (i32.const 1))
        (i32.const 1024))
    (func $one_emission (result i32) (call $one (i32.const 1100)))
    (func $one_chunk (result i32) (call $one (i32.const 1100)))
    (func $pair (param $at i32) (param $address i32) (param $len i32)
        (i32.store (local.get $at) (local.get $address))
        (i32.store offset=4 (local.get $at) (local.get $len)))
    (func $fail (param $variant i32) (param $text i32) (param $len i32) (result i32)
        (i32.store (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (local.get $variant))
        (call $pair (i32.const 1032) (local.get $text) (local.get $len))
        (i32.const 1024))
    (func $fail_record (param $row i32) (param $text i32) (param $len i32) (result i32)
        (i32.store (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (i32.const 0))
        (i32.store (i32.const 1032) (local.get $row))
        (call $pair (i32.const 1036) (local.get $text) (local.get $len))
        (i32.const 1024))
"#;

/// The body of `process` of [`WatGuest::echo`].
pub const ECHO_PROCESS: &str = "
    (global.set $records (i64.add (global.get $records) (i64.extend_i32_u (local.get $rows))))
    (i32.store (i32.const 1100) (i32.const 0))
    (call $pair (i32.const 1104) (local.get $times) (local.get $rows))
    (call $pair (i32.const 1112) (local.get $key_offsets) (local.get $key_offsets_len))
    (call $pair (i32.const 1120) (local.get $keys) (local.get $keys_len))
    (call $pair (i32.const 1128) (local.get $value_offsets) (local.get $value_offsets_len))
    (call $pair (i32.const 1136) (local.get $values) (local.get $values_len))
    (call $one_emission)";

const ECHO_SNAPSHOT: &str = "
    (i64.store (i32.const 0) (global.get $records))
    (call $pair (i32.const 1100) (i32.const 2048) (i32.const 7))
    (i32.store (i32.const 1108) (i32.const 3))
    (i32.store (i32.const 1112) (i32.const 1))
    (i32.store (i32.const 1116) (i32.const 64))
    (call $pair (i32.const 1120) (i32.const 0) (i32.const 8))
    (call $one_chunk)";

const ECHO_RESTORE: &str = "
    (global.set $records (i64.load (i32.load offset=20 (local.get $chunks))))
    (call $done)";
