//! The templates of `tidegate new`: their build, scenario and job, and the output that the job
//! prints.
//!
//! The template for keyed state is the default, so `new_project` tests it, in each language. Here
//! the one with two inputs is built in each language, and all others in C, whose compiler is the
//! fastest. The native tests of every template in every language run with those of the SDKs.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tidegate_tests::{Running, tidegate, tidegate_command, wait_until, workspace_root};

use super::{one_at_a_time, scratch};

/// The file with the output of a project's job, in the project.
pub(super) const PRINTED: &str = "printed";

/// Starts the project's job; its output goes to [`PRINTED`].
pub(super) fn start(project: &Path) -> Running {
    let mut command = tidegate_command(&[], project, &["run"]);
    let printed = fs::File::create(project.join(PRINTED)).expect("it can be created");
    command.stdout(printed);
    Running::spawn(command)
}

/// Starts the project's job, and waits until it has printed the lines of `expected.txt`. Lines of
/// two inputs come in any order.
pub(super) fn prints_what_it_expects(project: &Path) -> Running {
    let lines = |name: &str| {
        let text = fs::read_to_string(project.join(name)).expect("it is text");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let expected = lines("expected.txt");
    assert!(!expected.is_empty());
    let running = start(project);
    let all_lines = || lines(PRINTED);
    wait_until("all lines", all_lines, |printed| {
        printed.len() >= expected.len()
    });
    assert_eq!(lines(PRINTED), expected);
    running
}

/// Writes a project that uses the SDK of the sources, and returns it.
fn new_project(language: &str, template: &str) -> PathBuf {
    let folder = scratch(&format!("new-project/{language}-{template}"));
    let sources = if language == "cpp" { "c" } else { language };
    let sources = sources.replace("typescript", "javascript");
    let sdk = workspace_root().join("guest-sdk").join(sources);
    let sdk = sdk.to_string_lossy();
    let new = ["new", template, "--lang", language, "--template", template];
    tidegate(&folder, &[&new[..], &["--sdk", &sdk]].concat()).assert_succeeds();
    folder.join(template)
}

/// Builds and tests a project.
fn passes_its_scenario(project: &Path, flags: &[&str]) {
    let test = tidegate(project, &[&["test"], flags].concat());
    assert_eq!(
        test.assert_succeeds().stdout,
        "running 1 scenario(s)\ntest ./tests/scenario.toml ... ok\n\n\
         result: ok. 1 passed; 0 failed\n"
    );
}

/// Runs the project's job. All jobs but that of the raw template run until they are stopped.
fn runs(project: &Path) {
    if project.ends_with("raw") {
        let expected = fs::read_to_string(project.join("expected.txt")).expect("it is text");
        assert_eq!(
            tidegate(project, &["run"]).assert_succeeds().stdout,
            expected
        );
        return;
    }
    let running = prints_what_it_expects(project);
    running.signal(Signal::INT);
    running.wait().assert_succeeds();
}

/// Writes, builds, tests and runs templates.
fn pass_and_run(language: &str, templates: &[&str]) {
    for template in templates {
        let project = new_project(language, template);
        passes_its_scenario(&project, &["--offline"]);
        runs(&project);
    }
}

#[test]
fn the_templates_in_c_pass_and_run() {
    pass_and_run("c", &["map", "two-inputs", "raw"]);
}

#[test]
fn the_templates_in_cpp_pass_and_run() {
    pass_and_run("cpp", &["two-inputs", "raw"]);
}

#[test]
fn the_template_with_two_inputs_in_go_passes_and_runs() {
    pass_and_run("go", &["two-inputs"]);
}

#[test]
fn the_template_with_two_inputs_in_javascript_passes_and_runs() {
    pass_and_run("javascript", &["two-inputs"]);
}

#[test]
fn the_template_with_two_inputs_in_typescript_passes_and_runs() {
    pass_and_run("typescript", &["two-inputs"]);
}

#[test]
fn the_template_with_two_inputs_in_rust_passes_and_runs() {
    let project = new_project("rust", "two-inputs");
    // The lock file of the examples names versions that are already cached.
    let locked = workspace_root().join("examples/Cargo.lock");
    fs::copy(locked, project.join("Cargo.lock")).expect("it can be copied");
    passes_its_scenario(&project, &["--target-dir", "../../../../guests"]);
    runs(&project);
}

#[test]
fn the_template_with_two_inputs_in_python_passes_and_runs() {
    let _alone = one_at_a_time();
    let project = new_project("python", "two-inputs");
    passes_its_scenario(&project, &["--offline"]);
    runs(&project);
}

#[test]
fn types_are_checked_if_the_project_has_typescript() {
    let project = new_project("typescript", "keyed-state");
    let build = || tidegate(&project, &["build", "--offline", "--json"]);
    let built = build();
    let json = &built.assert_succeeds().stdout;
    assert!(json.contains(r#""language": "typescript""#), "{json}");
    let source = project.join("src/operator.ts");
    let text = fs::read_to_string(&source).expect("it was written");
    fs::write(
        &source,
        format!("{text}\nexport const seven: number = \"7\";\n"),
    )
    .expect("writable");
    build().assert_succeeds();
    let compiler = workspace_root().join("guest-sdk/javascript/node_modules/.bin/tsc");
    let bin = project.join("node_modules/.bin");
    fs::create_dir_all(&bin).expect("a folder can be made");
    std::os::unix::fs::symlink(compiler, bin.join("tsc")).expect("a link can be made");
    build().assert_fails(
        1,
        &["src/operator.ts(13,14): error TS2322", "was not built"],
    );
    fs::write(&source, text).expect("it can be written");
    build().assert_succeeds();
}

#[test]
fn a_component_in_cpp_says_so() {
    let project = new_project("cpp", "keyed-state");
    let built = tidegate(&project, &["build", "--json"]);
    let json = &built.assert_succeeds().stdout;
    assert!(json.contains(r#""language": "cpp""#), "{json}");
    let source = project.join("src/operator.cpp");
    fs::write(source, "#include \"total.hpp\"\n").expect("it can be written");
    let bare = tidegate(&project, &["build"]);
    bare.assert_fails(1, &["undefined symbol: tg_exported_by_TG_EXPORT"]);
}
