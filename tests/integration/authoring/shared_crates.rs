//! Projects in Rust share compiled crates, and nothing of their own.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::{Finished, Running, tidegate, workspace_root};

use super::scratch;

/// The folder for the compiled crates of all tests.
const SHARED: [&str; 2] = ["--target-dir", "../../../guests"];

/// Makes a project `total` that adds a number to each total, and returns the folder above it.
fn project(name: &str, added: u32) -> PathBuf {
    let folder = scratch(name);
    tidegate(&folder, &["new", "total", "--lang", "rust"]).assert_succeeds();
    // The lock file of the examples names versions that are already cached.
    let locked = workspace_root().join("examples/Cargo.lock");
    fs::copy(locked, folder.join("total/Cargo.lock")).expect("it can be copied");
    let source = folder.join("total/src/lib.rs");
    let text = fs::read_to_string(&source).expect("it is there");
    let changed = text.replace("*total);", &format!("*total + {added});"));
    assert_ne!(changed, text, "the template emits the total");
    fs::write(source, changed).expect("it can be written");
    folder
}

fn build(folder: &Path) -> Running {
    Running::start(folder, &[&["build", "total"], &SHARED[..]].concat())
}

fn component(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("total/total.wasm")).expect("it was built")
}

fn compiled(build: &Finished, name: &str) -> bool {
    build
        .assert_succeeds()
        .stderr
        .contains(&format!("Compiling {name} "))
}

#[test]
fn projects_of_one_name_that_are_built_at_once_have_their_own_components() {
    let folders = [
        project("shared-crates/a", 1000),
        project("shared-crates/b", 2000),
    ];
    let together = folders.each_ref().map(|folder| build(folder));
    for finished in together.map(Running::wait) {
        finished.assert_succeeds();
    }
    let first = folders.each_ref().map(|folder| component(folder));
    assert_ne!(first[0], first[1], "their sources differ");
    for folder in &folders {
        let again = build(folder).wait();
        assert!(!compiled(&again, "total"), "nothing changed: {again:#?}");
    }
    let second = folders.each_ref().map(|folder| component(folder));
    assert!(first == second, "each is still of its own sources");
}

#[test]
fn a_second_project_compiles_no_crate_of_a_registry() {
    build(&project("shared-crates/first", 1))
        .wait()
        .assert_succeeds();
    let second = build(&project("shared-crates/second", 2)).wait();
    assert!(compiled(&second, "total"), "its own crate: {second:#?}");
    assert!(
        compiled(&second, "tidegate-sdk"),
        "its own SDK: {second:#?}"
    );
    for shared in ["serde", "postcard", "wit-bindgen", "std", "core"] {
        assert!(
            !compiled(&second, shared),
            "{shared} is shared: {second:#?}"
        );
    }
}
