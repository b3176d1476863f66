//! Operators in C against the real host: the counter beside the one in Rust, and the messages when
//! C code goes wrong.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::{Finished, JobDirectory, tidegate, workspace_root};

/// Returns a folder of this test that stays between runs, so that compilers continue from there.
fn kept(name: &str) -> PathBuf {
    let folder = workspace_root().join("target/tests/sdk-c").join(name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Builds a project from the sources, in a folder of its own, and returns its component.
fn built(project: &str, component: &str, folder: &str) -> PathBuf {
    let folder = kept(folder);
    let project = workspace_root().join(project);
    let wasm = folder.join(format!("{component}.wasm"));
    let project = project.to_string_lossy();
    let out = wasm.to_string_lossy();
    let flags = ["--out", &*out, "--target-dir", "artifacts"];
    let build = tidegate(&folder, &[&["build", &*project], &flags[..]].concat());
    let said = &build.assert_succeeds().stderr;
    let imports = "imports tidegate:operator/types@0.1.0, tidegate:operator/host@0.1.0, ";
    assert!(said.contains(imports), "{build:#?}");
    wasm
}

#[test]
fn the_counters_in_c_and_cpp_pass_the_scenarios_of_the_one_in_rust() {
    let in_c = built("guest-sdk/c/examples/count", "count", "count");
    assert_counts(&in_c);
    let in_cpp = built("guest-sdk/c/tests/guest-cpp", "words", "words");
    assert_counts(&in_cpp);
}

fn assert_counts(component: &Path) {
    let scenarios = workspace_root().join("examples/word-count/operators/count/tests");
    let directory = JobDirectory::new("");
    fs::create_dir(directory.path().join("scenarios")).expect("a folder can be made");
    let path = component.to_string_lossy();
    for entry in fs::read_dir(scenarios).expect("they are there") {
        let entry = entry.expect("it can be listed").path();
        let text = fs::read_to_string(&entry).expect("it can be read");
        let name = entry.file_name().expect("a file has a name");
        let name = Path::new("scenarios").join(name);
        directory.write(
            &name.to_string_lossy(),
            text.replace("../count.wasm", &path),
        );
    }
    let tested = directory.tidegate(&["test", "scenarios"]);
    let stdout = &tested.assert_succeeds().stdout;
    assert!(
        stdout.ends_with("result: ok. 3 passed; 0 failed\n"),
        "{tested:#?}"
    );
}

#[test]
fn a_project_that_was_moved_with_what_was_built_builds_again() {
    let directory = JobDirectory::new("");
    let sdk = workspace_root().join("guest-sdk/c");
    let sdk = sdk.to_string_lossy();
    directory
        .tidegate(&["new", "total", "--lang", "c", "--sdk", &*sdk])
        .assert_succeeds();
    directory.tidegate(&["build", "total"]).assert_succeeds();
    let moved = directory.path().join("moved");
    fs::rename(directory.path().join("total"), moved).expect("it can be moved");
    directory.tidegate(&["build", "moved"]).assert_succeeds();
}

fn misbehave(component: &Path, behaviour: &str, expectation: &str) -> Finished {
    let directory = JobDirectory::new("");
    directory.write(
        "scenario.toml",
        format!(
            "version = 1\ncomponent = \"{}\"\n[[step]]\nrecords = [{{ value = \"{behaviour}\" }}]\n\
             {expectation}\n",
            component.display()
        ),
    );
    directory.tidegate(&["test", "scenario.toml"])
}

#[test]
fn what_c_code_says_before_it_traps_reaches_the_hosts_error() {
    let component = built("guest-sdk/c/tests/guest", "misbehaving", "traps");
    for (behaviour, says) in [
        (
            "assert",
            "misbehaving.c:17: assertion failed: zero == 1 (in go_wrong)",
        ),
        ("panic", "misbehaving.c:19: the 7 panic"),
        ("abort", "abort() was called: the last words"),
        ("exit", "exit(3) was called"),
        ("divide", "integer divide by zero"),
        ("memory", "out of memory: 1073741824 bytes were asked for"),
    ] {
        let expectation = format!("expect-failure = \"{says}\"");
        misbehave(&component, behaviour, &expectation).assert_succeeds();
    }
}

#[test]
fn the_c_library_has_no_outside() {
    let component = built("guest-sdk/c/tests/guest", "misbehaving", "outside");
    let echoed = "expect = [{ value = \"print\" }]";
    misbehave(&component, "print", echoed).assert_succeeds();
    let no_time = "expect = [{ key = \"clock\", value = \"0\" }]";
    misbehave(&component, "clock", no_time).assert_succeeds();
}

#[test]
fn a_project_that_does_not_compile_shows_the_compilers_words() {
    let directory = JobDirectory::new("");
    let sdk = workspace_root().join("guest-sdk/c/cmake");
    let project = format!(
        "cmake_minimum_required(VERSION 3.20)\nproject(bad LANGUAGES C)\n\
         find_package(tidegate REQUIRED PATHS [=[{}]=] NO_DEFAULT_PATH)\n",
        sdk.display()
    );
    directory.write("CMakeLists.txt", &project);
    let none = directory.tidegate(&["build", "."]);
    none.assert_fails(
        2,
        &["has no component", "`tidegate_operator(NAME SOURCE...)`"],
    );
    let with_operator = format!("{project}tidegate_operator(bad bad.c)\n");
    directory.write("CMakeLists.txt", &with_operator);
    directory.write("bad.c", "#include <tidegate.h>\nthis is not C\n");
    let bad = directory.tidegate(&["build", "."]);
    bad.assert_fails(
        1,
        &["bad.c:2:1: error:", "was not built: see the errors above"],
    );
    directory.write("bad.c", "#include <tidegate.h>\n");
    let bare = directory.tidegate(&["build", "."]);
    // The message is the linker's, so the symbol's name contains the remedy.
    bare.assert_fails(1, &["undefined symbol: tg_exported_by_TG_EXPORT"]);
}
