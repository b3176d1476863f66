//! Components that are not operators of this host: `check`, `run` and `test` report what is missing
//! or wrong, what the component has instead, and with which tools to rebuild it.

use tidegate_tests::{JobDirectory, Packages, WatGuest, tidegate};

const JOB: &str = r#"version = 1
name = "bad"
[checkpoint]
directory = "state"
[source.integers]
connector = "generator"
to = 10
[operator.guest]
component = "guest.wasm"
inputs = [{ from = "integers" }]
[sink.out]
connector = "discard"
inputs = [{ from = "guest" }]
"#;

const SCENARIO: &str = "version = 1\ncomponent = \"guest.wasm\"\n[[step]]\nfinish = true\n";

/// Asserts that every command refuses it with exit code 8, and that the line that names it contains
/// all of `fragments`.
#[track_caller]
fn assert_refused(component: &[u8], fragments: &[&str]) {
    let job = JobDirectory::new(JOB);
    job.write("guest.wasm", component);
    job.write("scenario.toml", SCENARIO);
    let before = job.listing();
    for (arguments, place) in [
        (["check", "job.toml"], "job.toml:9"),
        (["run", "job.toml"], "job.toml:9"),
        (["test", "scenario.toml"], "scenario.toml:2"),
    ] {
        let mut expected = vec![place, "guest.wasm: "];
        expected.extend(fragments);
        tidegate(job.path(), &arguments).assert_fails(8, &expected);
    }
    assert_eq!(job.listing(), before, "something was written");
}

#[test]
fn a_component_of_another_world_is_told_the_world_and_the_sdk() {
    let world = "package test:other; interface run { run: func(); } world other { export run; }";
    let module = "(module (func (export \"test:other/run#run\")))";
    let component = Packages::contract().and(world).component(module);
    let expected = [
        "it does not export `tidegate:operator/operator@0.1.0` (it exports `test:other/run`); \
         build it for the world `tidegate:operator/stream-operator@0.1.0`, with SDK 0.1",
    ];
    assert_refused(&component, &expected);
}

#[test]
fn components_of_an_older_and_a_newer_contract_are_told_both_versions() {
    for version in ["0.0.9", "0.1.1", "0.2.0"] {
        let component = WatGuest::echo().version(version).component();
        let expected = format!(
            "it exports `tidegate:operator/operator@{version}`, but this host has \
             `tidegate:operator/operator@0.1.0`; rebuild it with SDK 0.1"
        );
        assert_refused(&component, &[&expected]);
    }
}

#[test]
fn a_component_without_a_function_is_told_which() {
    let packages = Packages::contract_with("finish: func", "end: func");
    let module = WatGuest::echo().module().replace("#finish", "#end");
    let expected = [
        "`tidegate:operator/operator@0.1.0` has no function `finish` (it has `open`, `process`, \
         `advance-watermark`, `snapshot`, `restore`, `checkpoint-complete`, `end`); rebuild the \
         component with SDK 0.1",
    ];
    assert_refused(&packages.component(&module), &expected);
}

#[test]
fn a_function_of_another_type_is_told_both_types() {
    let packages = Packages::contract_with(
        "advance-watermark: func(watermark: timestamp)",
        "advance-watermark: func(watermark: f64)",
    );
    let module = WatGuest::echo().module();
    let module = module.replace("(param $watermark i64)", "(param $watermark f64)");
    let expected = [
        "`advance-watermark` of `tidegate:operator/operator@0.1.0` has the wrong type: expected \
         `s64` found `f64`; rebuild it with SDK 0.1",
    ];
    assert_refused(&packages.component(&module), &expected);
}

#[test]
fn a_field_of_another_type_is_told_with_its_function() {
    let packages = Packages::contract_with("schema-version: u32", "schema-version: u64");
    let component = packages.component(&WatGuest::idle().module());
    let expected = [
        "`snapshot` of `tidegate:operator/operator@0.1.0` has the wrong type: ",
        "rebuild it with SDK 0.1",
    ];
    assert_refused(&component, &expected);
}

#[test]
fn an_import_that_is_not_granted_is_told_with_the_way_out() {
    let clock = "package wasi:clocks@0.2.6; interface wall-clock { now: func() -> u32; }";
    let world = "package test:wasi; world w { include tidegate:operator/stream-operator@0.1.0;
                 import wasi:clocks/wall-clock@0.2.6; }";
    let guest = WatGuest::echo()
        .packages(Packages::contract().and(clock).and(world))
        .item(r#"(import "wasi:clocks/wall-clock@0.2.6" "now" (func (result i32)))"#);
    let expected = [
        "imports that the host does not grant: `wasi:clocks/wall-clock@0.2.6`",
        "build it with `tidegate build`, which leaves WASI out",
    ];
    assert_refused(&guest.component(), &expected);
}

#[test]
fn a_host_function_that_there_is_not_is_named() {
    let packages =
        Packages::contract_with("key-groups: func", "now: func() -> u64;\n key-groups: func");
    let guest = WatGuest::echo()
        .packages(packages)
        .item(r#"(import "tidegate:operator/host@0.1.0" "now" (func (result i64)))"#);
    let expected = ["does not have: `now`; rebuild it with SDK 0.1"];
    assert_refused(&guest.component(), &expected);
}
