//! Operators in JavaScript and TypeScript: faults inside an operator, and the messages of
//! `tidegate build` when it fails.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_tests::{Finished, JobDirectory, guest, tidegate, workspace_root};

const SDK: &str = "guest-sdk/javascript";

/// Runs a scenario with this component of the SDK.
fn scenario(component: &str, steps: &str) -> Finished {
    scenario_with(component, steps, &[])
}

/// Runs a scenario with further flags.
fn scenario_with(component: &str, steps: &str, flags: &[&str]) -> Finished {
    let component = guest(&format!("{SDK}/{component}"));
    let directory = JobDirectory::new("");
    let component = component.display();
    let text = format!("version = 1\ncomponent = \"{component}\"\n{steps}");
    directory.write("scenario.toml", text);
    directory.tidegate(&[&["test", "scenario.toml"], flags].concat())
}

/// Processes a fine record, and then one that fails as its value says.
fn fault(how: &str) -> Finished {
    let (component, steps) = faulty(how);
    scenario(component, &steps)
}

/// Returns the guest, and the steps of a scenario in which its second record fails.
fn faulty(how: &str) -> (&'static str, String) {
    let fine = r#"{ key = "a", value = "fine" }"#;
    let steps = format!("[[step]]\nrecords = [{fine}, {{ key = \"a\", value = \"{how}\" }}]\n");
    ("test/guests/faults", steps)
}

/// Returns a package with this manifest and module, which finds the SDK as a package in the sources
/// does.
fn package(manifest: &str, module: &str) -> (tempfile::TempDir, PathBuf) {
    let scratch = workspace_root().join("target/tests");
    fs::create_dir_all(&scratch).expect("a folder can be made");
    let folder = tempfile::tempdir_in(scratch).expect("a temporary directory can be made");
    let modules = folder.path().join("node_modules/@tidegate");
    fs::create_dir_all(&modules).expect("a folder can be made");
    std::os::unix::fs::symlink(workspace_root().join(SDK), modules.join("sdk"))
        .expect("a link can be made");
    fs::write(folder.path().join("package.json"), manifest).expect("it can be written");
    fs::write(folder.path().join("operator.js"), module).expect("it can be written");
    let path = folder.path().to_owned();
    (folder, path)
}

const MANIFEST: &str = r#"{ "name": "mine", "type": "module", "main": "operator.js" }"#;

fn build(folder: &Path) -> Finished {
    tidegate(folder, &["build", ".", "--offline"])
}

#[test]
fn the_counter_passes_the_scenarios_of_the_one_in_rust() {
    let root = workspace_root();
    let [ours, theirs] = [
        "guest-sdk/javascript/examples/count/tests",
        "examples/word-count/operators/count/tests",
    ]
    .map(|folder| {
        let files = fs::read_dir(root.join(folder)).expect("it is there");
        let mut files: Vec<_> = files
            .map(|file| {
                let file = file.expect("it can be listed");
                let text = fs::read_to_string(file.path()).expect("it can be read");
                (file.file_name(), text)
            })
            .collect();
        files.sort();
        files
    });
    assert_eq!(ours, theirs, "they are the same files");
    let tested = tidegate(&root.join(SDK), &["test", "examples/count", "--no-build"]);
    let stdout = &tested.assert_succeeds().stdout;
    assert!(
        stdout.ends_with("result: ok. 3 passed; 0 failed\n"),
        "{tested:#?}"
    );
}

#[test]
fn the_engine_reads_and_writes_values_as_the_vectors_say() {
    let passed = scenario(
        "test/guests/vectors",
        r#"[[step]]
records = [{ key = "written" }, { key = "also-read" }, { key = "refused" }]
expect = [
    { key = "written", value = "all" },
    { key = "also-read", value = "all" },
    { key = "refused", value = "all" },
]
"#,
    );
    passed.assert_succeeds();
}

#[test]
fn an_uncaught_error_traps_with_its_type_message_and_stack() {
    for (how, fragments) in [
        (
            "type-error",
            [
                "`process` trapped",
                "uncaught TypeError: cannot read property 'length' of undefined",
                "\n    at goWrong (src/faults.ts:",
                "\n    at onRecord (src/faults.ts:",
            ],
        ),
        (
            "range-error",
            [
                "`process` trapped",
                "uncaught RangeError: too far",
                "\n    at goWrong (src/faults.ts:",
                "\n    at onRecord (src/faults.ts:",
            ],
        ),
        ("text", ["`process` trapped", "uncaught: only text", "", ""]),
        (
            "clock",
            [
                "`process` trapped",
                "the clock is not there: an operator depends on nothing but its input",
                "at goWrong",
                "",
            ],
        ),
        (
            "random",
            [
                "`process` trapped",
                "Math.random is not there",
                "at goWrong",
                "",
            ],
        ),
        (
            "half",
            [
                "`process` trapped",
                "the number 0.5 can't be emitted",
                "",
                "",
            ],
        ),
        (
            "memory",
            [
                "`process` needed more memory than its limit of 256 MiB",
                "uncaught InternalError: out of memory",
                "",
                "",
            ],
        ),
    ] {
        let failed = fault(how);
        failed.assert_fails(7, &[]);
        for fragment in fragments {
            assert!(failed.stdout.contains(fragment), "{how}: {failed:#?}");
        }
    }
}

#[test]
fn a_fault_has_the_lines_of_the_sources_and_shows_other_frames_on_request_only() {
    let source = fs::read_to_string(
        workspace_root().join("guest-sdk/javascript/test/guests/faults/src/faults.ts"),
    );
    let source = source.expect("it can be read");
    let line = |part| {
        1 + source
            .lines()
            .take_while(|line| !line.contains(part))
            .count()
    };
    let (thrown, called) = (line("new RangeError"), line("    goWrong(how, "));
    assert!(thrown < called, "both are there");
    let own = fault("range-error");
    let expected = format!(
        "`process` trapped: uncaught RangeError: too far\n    \
         at goWrong (src/faults.ts:{thrown}:",
    );
    assert!(own.stdout.contains(&expected), "{own:#?}");
    let caller = format!("\n    at onRecord (src/faults.ts:{called}:");
    assert!(own.stdout.contains(&caller), "{own:#?}");
    let others = ["@tidegate/sdk/src/", "at function "];
    for frame in others.iter().chain(&["tidegate::guest: uncaught"]) {
        let shown = own.stdout.contains(frame) || own.stderr.contains(frame);
        assert!(!shown, "{frame}: {own:#?}");
    }
    let (component, steps) = faulty("range-error");
    let full = scenario_with(component, &steps, &["--backtrace", "full"]);
    for frame in others {
        assert!(full.stdout.contains(frame), "{frame}: {full:#?}");
    }
}

#[test]
fn what_an_operator_declares_is_a_failure_and_no_trap() {
    for (how, fragment) in [
        ("failure", "`process` failed: declared"),
        (
            "invalid",
            "record 1 of the step, { key = \"a\", value = \"invalid\" }: operator `faults`, \
             subtask 0: `process` can't process a record: not this one",
        ),
        (
            "port",
            "a record was emitted to output port 7, but the operator has 1",
        ),
    ] {
        let failed = fault(how);
        failed.assert_fails(7, &[]);
        assert!(failed.stdout.contains(fragment), "{how}: {failed:#?}");
        assert!(!failed.stdout.contains("trapped"), "{how}: {failed:#?}");
    }
}

#[test]
fn text_timestamps_and_large_numbers_cross_the_boundary_exactly() {
    let passed = scenario(
        "test/guests/faults",
        r#"[[step]]
records = [
    { key = "潮", value = "surrogate", timestamp = 9223372036854775807 },
    { key = { hex = "ff00" }, value = "", timestamp = -9223372036854775807 },
]
expect = [
    { key = "\uFFFD", value = "\uFFFD 潮", timestamp = 9223372036854775807 },
    { key = "潮", value = "1", timestamp = 9223372036854775807 },
    { key = "surrogate", value = { hex = "0100000000000000" }, timestamp = 9007199254740991 },
    { key = { hex = "ff00" }, value = "1", timestamp = -9223372036854775807 },
    { key = "", value = { hex = "0100000000000000" }, timestamp = 9007199254740991 },
]

[[step]]
restart = true

[[step]]
records = [{ key = "潮", value = "ebb" }]
expect = [
    { key = "潮", value = "2" },
    { key = "ebb", value = { hex = "0200000000000000" }, timestamp = 9007199254740991 },
]
"#,
    );
    passed.assert_succeeds();
}

#[test]
fn a_module_that_does_not_compile_shows_the_words_of_the_compiler() {
    let (_folder, path) = package(MANIFEST, "export default operator(;\n");
    let failed = build(&path);
    failed.assert_fails(
        1,
        &["Unexpected \";\"", "operator.js:1:24", "was not built"],
    );
}

#[test]
fn a_module_without_an_operator_is_told_what_makes_one() {
    let (_folder, path) = package(MANIFEST, "export default 7;\n");
    let failed = build(&path);
    failed.assert_fails(1, &["the default export is no operator"]);
}

#[test]
fn what_runs_when_the_component_is_built_can_not_ask_for_the_time() {
    let module = "import { operator } from \"@tidegate/sdk\";\n\
                  const built = Date.now();\n\
                  export default operator({ onRecord: () => built });\n";
    let (_folder, path) = package(MANIFEST, module);
    build(&path).assert_fails(1, &["the clock is not there"]);
}

#[test]
fn a_missing_tool_is_named_with_the_command_that_installs_it() {
    let (_folder, path) = package(MANIFEST, "");
    // An SDK without its tools.
    let sdk = path.join("node_modules/@tidegate/sdk");
    fs::remove_file(&sdk).expect("it is a link");
    fs::create_dir(&sdk).expect("a folder can be made");
    fs::write(sdk.join("package.json"), "{}").expect("it can be written");
    build(&path).assert_fails(
        1,
        &[
            "esbuild was not found",
            "run `tidegate doctor javascript --fix`",
        ],
    );
    let modules = path.join("node_modules");
    fs::create_dir_all(modules.join(".bin")).expect("a folder can be made");
    for (tool, version) in [("esbuild", "0.28.2"), ("componentize-qjs", "0.1.0")] {
        let bin = modules.join(tool).join("bin");
        fs::create_dir_all(&bin).expect("a folder can be made");
        fs::write(bin.join(tool), "").expect("it can be written");
        let manifest = format!("{{ \"version\": \"{version}\" }}");
        fs::write(modules.join(tool).join("package.json"), manifest).expect("it can be written");
        std::os::unix::fs::symlink(bin.join(tool), modules.join(".bin").join(tool))
            .expect("a link can be made");
    }
    build(&path).assert_fails(
        1,
        &[
            "the project has componentize-qjs 0.1.0, and needs 0.4.5",
            "npm install --save-dev --save-exact componentize-qjs@0.4.5 esbuild@0.28.2",
        ],
    );
}
