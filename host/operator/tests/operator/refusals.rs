//! Files that can't be operators are refused by name, before any of their code runs.

use tidegate_operator::{Component, Direction, Limits, Refusal, RefusalCause};

use crate::support::ENGINE;
use crate::support::guest::Guest;
use crate::support::wit::Packages;

fn refusal(bytes: &[u8]) -> Refusal {
    Component::load(&ENGINE, "ops/x.wasm", bytes).expect_err("it is refused")
}

fn cause(bytes: &[u8]) -> RefusalCause {
    let Refusal { path, cause } = refusal(bytes);
    assert_eq!(path, "ops/x.wasm");
    cause
}

#[test]
fn files_that_are_no_component_are_refused_with_what_they_are() {
    let core = wat::parse_str("(module)").expect("it is a module");
    let cases: [(&[u8], &str); 10] = [
        (b"", "this file is empty; a component is expected"),
        (
            &core,
            "this is a core WebAssembly module; make a component of it with `tidegate build`",
        ),
        (
            b"\n(component)",
            "this is WebAssembly in its text format; make a binary of it with `wasm-tools parse`",
        ),
        (
            b"just text",
            "this is text; a WebAssembly component is expected",
        ),
        (
            b"<!doctype html><title>404</title>",
            "this is an HTML page; the download may have failed; a WebAssembly component is \
             expected",
        ),
        (
            b"from tidegate import operator\n",
            "this is Python source; a WebAssembly component is expected",
        ),
        (
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
            "this is a gzip file; unpack it first; a WebAssembly component is expected",
        ),
        (
            b"\x7fELF\x02\x01\x01\x00",
            "this is an ELF file: a native program or library; a WebAssembly component is \
             expected",
        ),
        (
            b"\xde\xad\xbe\xef\x00\x01\x02\x03\x04",
            "this is not WebAssembly: it begins with the bytes de ad be ef 00 01 02 03, but a \
             component begins with `00 61 73 6d`",
        ),
        (
            b"\0asm\x07\0\0\0",
            "this is WebAssembly of an unknown version, 07 00 00 00",
        ),
    ];
    for (bytes, message) in cases {
        assert_eq!(refusal(bytes).to_string(), format!("ops/x.wasm: {message}"));
    }
}

#[test]
fn a_file_above_the_size_cap_is_refused_before_it_is_parsed() {
    let limit = Limits::COMPONENT_BYTES;
    let bytes = limit + 1;
    let mut file = Guest::echo().component();
    file.resize(usize::try_from(bytes).expect("it fits"), 0);
    let too_large = RefusalCause::TooLarge { bytes, limit };
    assert_eq!(cause(&file), too_large);
    file.pop();
    assert!(matches!(cause(&file), RefusalCause::Invalid { .. }));
}

#[test]
fn precompiled_code_is_refused_whole_or_truncated() {
    let engine = wasmtime::Engine::default();
    let component = engine.precompile_component(&Guest::echo().component());
    let module = engine.precompile_module(&wat::parse_str("(module)").expect("a module"));
    for precompiled in [component, module] {
        let precompiled = precompiled.expect("it compiles");
        let refused = RefusalCause::Precompiled;
        assert_eq!(cause(&precompiled), refused);
        let truncated = &precompiled[..precompiled.len() / 2];
        assert!(matches!(
            cause(truncated),
            RefusalCause::Precompiled | RefusalCause::NotWasm { .. }
        ));
    }
}

#[test]
fn a_component_that_is_cut_off_or_damaged_never_makes_the_compiler_panic() {
    let whole = Guest::echo().component();
    let load = |bytes: &[u8]| {
        let refusal = Component::load(&ENGINE, "x.wasm", bytes).err();
        if let Some(RefusalCause::CompilerPanicked { message }) =
            refusal.map(|refusal| refusal.cause)
        {
            panic!("{message}");
        }
    };
    // Without its last custom sections it is still a component, so not every cut is refused.
    for length in (0..whole.len()).step_by(3) {
        load(&whole[..length]);
    }
    for position in (0..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        load(&damaged);
    }
}

#[test]
fn another_world_is_refused_with_what_was_expected() {
    let world = "package test:other; interface run { run: func(); } world other { export run; }";
    let module = "(module (func (export \"test:other/run#run\")))";
    let bytes = Packages::contract().and(world).component(module);
    let refused = refusal(&bytes);
    let exports = vec!["test:other/run".to_owned()];
    assert_eq!(refused.cause, RefusalCause::MissingExport { exports });
    assert_eq!(
        refused.to_string(),
        "ops/x.wasm: this component is not an operator: it does not export \
         `tidegate:operator/operator@0.1.0` (it exports `test:other/run`); build it for the world \
         `tidegate:operator/stream-operator@0.1.0`, with SDK 0.1"
    );
}

#[test]
fn an_empty_component_is_refused() {
    let bytes = wat::parse_str("(component)").expect("it is a component");
    assert_eq!(
        refusal(&bytes).to_string(),
        "ops/x.wasm: this component is not an operator: it does not export \
         `tidegate:operator/operator@0.1.0` (it exports nothing); build it for the world \
         `tidegate:operator/stream-operator@0.1.0`, with SDK 0.1"
    );
}

#[test]
fn another_version_of_the_contract_is_refused_with_both_versions() {
    for version in ["0.0.9", "0.1.1", "0.2.0", "1.0.0"] {
        let refused = cause(&Guest::echo().version(version).component());
        let other = RefusalCause::OtherVersion {
            verb: Direction::Exports,
            found: format!("tidegate:operator/operator@{version}"),
            expected: "tidegate:operator/operator@0.1.0",
        };
        assert_eq!(refused, other);
    }
}

#[test]
fn another_version_of_the_hosts_interface_is_refused_with_both_versions() {
    let host = "package tidegate:operator@0.2.0; interface host { log: func(level: u32); }";
    let world = "package test:newer;
        world newer { include tidegate:operator/stream-operator@0.1.0;
                      import tidegate:operator/host@0.2.0; }";
    let guest = Guest::echo()
        .packages(Packages::contract().and(host).and(world))
        .item(r#"(import "tidegate:operator/host@0.2.0" "log" (func (param i32)))"#);
    assert_eq!(
        refusal(&guest.component()).to_string(),
        "ops/x.wasm: this component was built for another version of the contract: it imports \
         `tidegate:operator/host@0.2.0`, but this host has `tidegate:operator/host@0.1.0`; rebuild \
         it with SDK 0.1"
    );
}

#[test]
fn every_import_that_is_not_granted_is_named() {
    let wasi = [
        ("clocks", "wall-clock"),
        ("filesystem", "preopens"),
        ("random", "random"),
        ("sockets", "tcp"),
        ("cli", "environment"),
    ];
    let name = |(package, interface): &(&str, &str)| format!("wasi:{package}/{interface}@0.2.6");
    let mut packages = Packages::contract();
    let mut guest = Guest::echo();
    for (package, interface) in &wasi {
        packages = packages.and(&format!(
            "package wasi:{package}@0.2.6; interface {interface} {{ call: func() -> u32; }}"
        ));
        let import = name(&(package, interface));
        guest = guest.item(&format!(
            "(import \"{import}\" \"call\" (func (result i32)))"
        ));
    }
    let imports: Vec<String> = wasi
        .iter()
        .map(|pair| format!("import {};", name(pair)))
        .collect();
    let world = format!(
        "package test:wasi; world reaches-out {{
           include tidegate:operator/stream-operator@0.1.0; {} }}",
        imports.join(" ")
    );
    let refused = refusal(&guest.packages(packages.and(&world)).component());
    let RefusalCause::UngrantedImports { mut imports } = refused.cause.clone() else {
        panic!("{refused}");
    };
    imports.sort();
    let mut expected: Vec<String> = wasi.iter().map(name).collect();
    expected.sort();
    assert_eq!(imports, expected);
    assert!(refused.to_string().starts_with(
        "ops/x.wasm: this component has imports that the host does not grant: `wasi:"
    ));
    let remedy = "build it with `tidegate build`, which leaves WASI out";
    assert!(refused.to_string().ends_with(remedy), "{refused}");
}

#[test]
fn a_host_function_that_this_host_does_not_have_is_named() {
    let packages =
        Packages::contract_with("key-groups: func", "now: func() -> u64;\n key-groups: func");
    let guest = Guest::echo()
        .packages(packages)
        .item(r#"(import "tidegate:operator/host@0.1.0" "now" (func (result i64)))"#);
    assert_eq!(
        cause(&guest.component()),
        RefusalCause::UnknownHostFunctions {
            functions: vec!["now".to_owned()]
        }
    );
}

#[test]
fn a_host_function_of_another_type_is_refused() {
    let packages = Packages::contract_with("delta: u64", "delta: u32");
    let guest = Guest::echo()
        .packages(packages)
        .item(r#"(import "tidegate:operator/host@0.1.0" "count" (func (param i32 i32 i32)))"#);
    let refused = refusal(&guest.component());
    assert!(
        matches!(refused.cause, RefusalCause::WrongImport { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("count"), "{refused}");
}

#[test]
fn an_export_of_another_type_is_refused() {
    let packages = Packages::contract_with(
        "advance-watermark: func(watermark: timestamp)",
        "advance-watermark: func(watermark: f64)",
    );
    let bytes = packages.component(
        &Guest::echo()
            .module()
            .replace("(param $watermark i64)", "(param $watermark f64)"),
    );
    assert_eq!(
        refusal(&bytes).to_string(),
        "ops/x.wasm: `advance-watermark` of `tidegate:operator/operator@0.1.0` has the wrong \
         type: expected `s64` found `f64`; rebuild it with SDK \
         0.1"
    );
}

#[test]
fn a_missing_function_is_named() {
    let packages = Packages::contract_with("finish: func", "end: func");
    let bytes = packages.component(&Guest::echo().module().replace("#finish", "#end"));
    assert_eq!(
        refusal(&bytes).to_string(),
        "ops/x.wasm: its export `tidegate:operator/operator@0.1.0` has no function `finish` (it \
         has `open`, `process`, `advance-watermark`, `snapshot`, `restore`, `checkpoint-complete`, \
         `end`); rebuild the component with SDK 0.1"
    );
}

#[test]
fn features_that_are_switched_off_are_refused() {
    let features = [
        "(memory 1 1 shared)",
        "(memory i64 1)",
        "(tag (param i32))",
        "(type (struct (field i32)))",
        "(func (param i32 i32) (result v128) \
         (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))",
    ];
    let valid = Guest::echo();
    for feature in features {
        let module = wat::parse_str(valid.clone().item(feature).module()).expect("it parses");
        // The encoder would refuse some of these itself, so the test puts the module into a bare
        // component.
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::RawSection {
            id: 1,
            data: &module,
        });
        let refused = refusal(&component.finish());
        assert!(
            matches!(refused.cause, RefusalCause::Invalid { .. }),
            "{feature}: {refused}"
        );
    }
}
