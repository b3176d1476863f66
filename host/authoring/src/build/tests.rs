//! The parts of a build that need no compiler.

use tidegate_job_file::Components;
use tidegate_operator::Engine;

use super::*;
use crate::scenario::{self, LoadedScenario, ScenarioFile};

/// Returns an empty module.
fn module(name: &str) -> Compiled {
    Compiled {
        name: name.to_owned(),
        language: Language::Rust,
        folder: Path::new("/crates").join(name),
        wasm: Wasm::Module(b"\0asm\x01\0\0\0".to_vec()),
        sources: None,
        toolchain: String::new(),
        tools: Vec::new(),
    }
}

#[test]
fn a_component_goes_beside_its_crate_by_default() {
    let paths = output_paths(None, &[module("split"), module("count")]);
    let paths = paths.expect("nothing is written");
    assert_eq!(
        paths,
        [
            Path::new("/crates/split/split.wasm"),
            Path::new("/crates/count/count.wasm")
        ]
    );
}

#[test]
fn one_component_can_be_given_a_file_name() {
    let paths = output_paths(Some(Path::new("out/mine.wasm")), &[module("count")]);
    assert_eq!(
        paths.expect("nothing is written"),
        [Path::new("out/mine.wasm")]
    );
}

#[test]
fn two_components_do_not_fit_in_one_file() {
    let out = Path::new("out/mine.wasm");
    let refused = output_paths(Some(out), &[module("split"), module("count")]);
    assert!(matches!(
        refused,
        Err(BuildError::OneFileForMany { components: 2, .. })
    ));
}

#[test]
fn two_components_of_one_name_do_not_fit_in_one_directory() {
    let refused = output_paths(Some(Path::new("out")), &[module("count"), module("count")]);
    let error = refused.expect_err("one would replace the other");
    assert!(error.to_string().contains("`count`"), "{error}");
}

#[test]
fn a_module_that_is_no_operator_is_refused() {
    let error = component::encode(&module("nothing")).expect_err("it exports nothing");
    assert!(matches!(error, BuildError::NotAnOperator { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_module_is_refused() {
    for wasm in [Wasm::Module, Wasm::BareModule, Wasm::Component] {
        let compiled = Compiled {
            wasm: wasm(b"not wasm".to_vec()),
            ..module("nothing")
        };
        let error = component::encode(&compiled).expect_err("it is no module");
        assert!(matches!(error, BuildError::NotAComponent { .. }), "{error}");
    }
}

fn refused(text: &str) -> String {
    let compiled = Compiled {
        wasm: Wasm::Component(wat::parse_str(text).expect("it is right")),
        ..module("guest")
    };
    let error = component::encode(&compiled).expect_err("it is no operator of this host");
    error.to_string()
}

#[test]
fn an_operator_of_another_version_is_refused_with_both_and_the_sdk() {
    let text = r#"(component
        (instance $operator)
        (export "tidegate:operator/operator@0.2.0" (instance $operator)))"#;
    assert_eq!(
        refused(text),
        "`guest` exports `tidegate:operator/operator@0.2.0`, but this tidegate needs \
         `tidegate:operator/operator@0.1.0`: rebuild it with SDK 0.1"
    );
}

#[test]
fn an_operator_without_some_functions_is_refused_with_their_names() {
    let text = r#"(component
        (core module $core (func (export "finish")))
        (core instance $core (instantiate $core))
        (func $finish (canon lift (core func $core "finish")))
        (instance $operator (export "finish" (func $finish)))
        (export "tidegate:operator/operator@0.1.0" (instance $operator)))"#;
    assert_eq!(
        refused(text),
        "the operator of `guest` has no `open`, `process`, `advance-watermark`, `snapshot`, \
         `restore`, `checkpoint-complete`: rebuild it with SDK 0.1"
    );
}

#[test]
fn a_component_that_wants_more_than_it_is_given_is_refused() {
    let text = r#"(component
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance))
        (instance $operator)
        (export "tidegate:operator/operator@0.1.0" (instance $operator)))"#;
    let compiled = Compiled {
        wasm: Wasm::Component(wat::parse_str(text).expect("it is right")),
        ..module("clock")
    };
    let error = component::encode(&compiled).expect_err("there is no clock");
    let said = error.to_string();
    assert!(said.contains("`clock`"), "{said}");
    assert!(said.contains("wasi:clocks/monotonic-clock@0.2.0"), "{said}");
}

/// Returns an operator without any language, which calls WASI in `open` and aborts in `finish`.
fn wasi_guest(directory: &Path) -> LoadedScenario {
    let core = wat::parse_str(include_str!("tests/wasi.wat")).expect("it is right");
    let compiled = Compiled {
        wasm: Wasm::BareModule(core),
        ..module("wasi")
    };
    let component = component::encode(&compiled).expect("it is an operator");
    assert_eq!(
        component.imports,
        [
            "tidegate:operator/types@0.1.0",
            "tidegate:operator/host@0.1.0"
        ]
    );
    fs::write(directory.join("wasi.wasm"), component.bytes).expect("it can be written");
    let scenario = directory.join("scenario.toml");
    let text = "version = 1\ncomponent = \"wasi.wasm\"\n[[step]]\nfinish = true\n";
    fs::write(&scenario, text).expect("it can be written");
    let engine = Engine::new().expect("there is one");
    let mut components = Components::new(engine, None);
    let read = ScenarioFile::read(&scenario).expect("it is there");
    read.load(&mut components).expect("it is an operator")
}

#[test]
fn wasi_is_answered_without_wasi_and_what_a_runtime_prints_is_heard() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let failed = scenario::run(&wasi_guest(directory.path())).expect_err("it aborts");
    assert!(failed.message.contains("panic: \u{6f6e}"), "{failed:#?}");
    assert!(
        failed.message.contains("finish"),
        "not in `open`: {failed:#?}"
    );
}

#[test]
fn the_interface_that_is_given_to_compilers_is_the_one_of_the_host() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    wit::write(directory.path()).expect("it can be written");
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(directory.path()).expect("it is whole");
    let world = resolve.select_world(&[package], Some(wit::WORLD));
    let (own, own_world) = wit::resolve();
    let world = world.expect("it has the world");
    assert_eq!(
        own.worlds[own_world].exports.len(),
        resolve.worlds[world].exports.len()
    );
    let listed = fs::read_dir("../../wit")
        .expect("the interface is there")
        .flatten();
    let is_wit = |file: &fs::DirEntry| file.path().extension().is_some_and(|e| e == "wit");
    let written = fs::read_dir(directory.path()).expect("it was written");
    assert_eq!(
        listed.filter(is_wit).count(),
        written.count(),
        "a file is left out"
    );
}

#[test]
fn a_component_replaces_the_one_before_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("count.wasm");
    write_whole(&path, b"old").expect("the directory can be written");
    write_whole(&path, b"new").expect("the directory can be written");
    assert_eq!(fs::read(&path).expect("it is there"), b"new");
    let files = fs::read_dir(directory.path()).expect("it is there").count();
    assert_eq!(files, 1, "no partial file is left");
}
