//! Bad input causes a clear error that names file and line or operator, the right exit code, and no
//! written file.

use serde_json::Value;
use tidegate_tests::{Finished, JobDirectory, guest};

/// Returns a valid job, for tests to break.
fn job_text() -> String {
    format!(
        r#"version = 1
name = "good"
[checkpoint]
directory = "state"
[source.integers]
connector = "generator"
to = 1000
[operator.count]
component = "{}"
inputs = [{{ from = "integers", partition = "hash" }}]
[sink.out]
connector = "file"
inputs = [{{ from = "count" }}]
directory = "output"
format = "tsv"
"#,
        guest("examples/word-count/operators/count").display()
    )
}

/// Asserts that the job fails if `from` is replaced by `to`, and leaves no trace.
#[track_caller]
fn assert_refused(from: &str, to: &str, fragments: &[&str]) -> Finished {
    let text = job_text();
    assert!(text.contains(from), "`{from}` is not in the job file");
    let job = JobDirectory::new(&text.replacen(from, to, 1));
    assert_leaves_no_trace(&job, 2, fragments)
}

#[track_caller]
fn assert_leaves_no_trace(job: &JobDirectory, code: i32, fragments: &[&str]) -> Finished {
    let before = job.listing();
    let checked = job.tidegate(&["check", "job.toml"]);
    checked.assert_fails(code, fragments);
    let finished = job.tidegate(&["run", "job.toml"]);
    finished.assert_fails(code, fragments);
    assert_eq!(job.listing(), before, "something was written");
    finished
}

/// Returns a job whose component is a file with these contents.
fn job_with_component(contents: &[u8]) -> JobDirectory {
    let text = job_text();
    let component = guest("examples/word-count/operators/count");
    let job = JobDirectory::new(&text.replace(&*component.to_string_lossy(), "guest.wasm"));
    job.write("guest.wasm", contents);
    job
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    assert_refused("to = 1000", "too = 1000", &["job.toml:7", "too"]);
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    assert_refused("to = 1000", "to = \"many\"", &["job.toml:7"]);
}

#[test]
fn an_unknown_connector_is_named_with_those_there_are() {
    let expected = ["job.toml:6", "genrator", "generator"];
    assert_refused("\"generator\"", "\"genrator\"", &expected);
}

#[test]
fn an_unknown_node_is_named_with_its_line() {
    assert_refused(
        "from = \"count\"",
        "from = \"counts\"",
        &["job.toml:13", "counts"],
    );
}

#[test]
fn a_cycle_is_printed() {
    assert_refused(
        "from = \"integers\"",
        "from = \"count\"",
        &["cycle", "count -> count"],
    );
}

#[test]
fn a_newer_format_is_refused() {
    assert_refused("version = 1", "version = 2", &["job.toml:1", "2"]);
}

#[test]
fn text_that_is_not_toml_is_refused_with_its_line() {
    assert_refused("[source.integers]", "[source.integers", &["job.toml:5"]);
}

#[test]
fn a_missing_component_is_named() {
    let component = guest("examples/word-count/operators/count");
    let expected = ["job.toml:9", "missing.wasm"];
    assert_refused(&component.to_string_lossy(), "missing.wasm", &expected);
}

/// Returns the text of a job whose operator has this config.
fn job_with_config(config: &str) -> JobDirectory {
    let sum = guest("examples/parity-sum/operators/sum");
    let count = guest("examples/word-count/operators/count");
    let text = job_text().replace(&*count.to_string_lossy(), &sum.to_string_lossy());
    let inputs = "inputs = [{ from = \"integers\"";
    JobDirectory::new(&text.replace(inputs, &format!("{config}\n{inputs}")))
}

/// Asserts that `check` and `run` report the same rejection of the operator, at its place.
#[track_caller]
fn assert_config_refused(job: &JobDirectory, fragments: &[&str]) {
    let before = job.listing();
    let checked = job.tidegate(&["check", "job.toml"]);
    checked.assert_fails(2, fragments);
    assert_eq!(job.listing(), before, "`check` has written something");
    let finished = job.tidegate(&["run", "job.toml", "--quiet"]);
    finished.assert_fails(2, fragments);
    assert!(finished.stderr.ends_with(&checked.stderr), "{finished:?}");
}

#[test]
fn a_misspelt_key_of_an_operator_s_config_is_named_with_its_line() {
    let job = job_with_config("config = { encoding = \"text\", emits = \"final\" }");
    assert_config_refused(&job, &["job.toml:10:31", "unknown field `emits`", "`emit`"]);
}

#[test]
fn a_wrong_value_in_an_operator_s_config_is_named_with_its_line() {
    let job = job_with_config("config.emit = \"finl\"");
    let expected = [
        "job.toml:10:8",
        "`emit`",
        "unknown variant `finl`",
        "`final`",
    ];
    assert_config_refused(&job, &expected);
    let job = job_with_config("config.emit = 3");
    assert_config_refused(&job, &["job.toml:10:8", "`emit`", "invalid type"]);
}

#[test]
fn an_input_that_is_not_there_yet_is_a_warning_of_check_and_a_refusal_of_run() {
    let source = "connector = \"generator\"\nto = 1000";
    let files = "connector = \"file\"\npath = \"input/*.txt\"";
    let job = JobDirectory::new(&job_text().replace(source, files));
    std::fs::create_dir(job.path().join("input")).expect("it is new");
    job.write("input/a.csv", b"one\n");
    let checked = job.tidegate(&["check", "job.toml"]);
    checked.assert_succeeds();
    let warning = "warning: source `integers`: ";
    assert!(checked.stderr.contains(warning), "{}", checked.stderr);
    assert!(checked.stderr.contains("input/*.txt"), "{}", checked.stderr);
    let answer = job.tidegate(&["check", "job.toml", "--json"]);
    let answer: Value = serde_json::from_str(&answer.stdout).expect("it prints JSON");
    let warning = answer["warnings"][0].as_str().unwrap_or_default();
    assert!(warning.starts_with("source `integers`: "), "{answer}");
    let finished = job.tidegate(&["run", "job.toml"]);
    finished.assert_fails(2, &["integers", "input/*.txt"]);
    job.write("input/a.txt", b"one\n");
    let checked = job.tidegate(&["check", "job.toml"]);
    assert!(!checked.stderr.contains("warning"), "{}", checked.stderr);
}

#[test]
fn a_core_module_is_called_that() {
    let core = wat::parse_str("(module)").expect("the text is a module");
    assert_leaves_no_trace(
        &job_with_component(&core),
        8,
        &["job.toml:9", "core", "component"],
    );
}

#[test]
fn text_is_called_that() {
    assert_leaves_no_trace(
        &job_with_component(b"(component)"),
        8,
        &["job.toml:9", "text"],
    );
}

#[test]
fn something_else_is_called_what_it_is() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
    assert_leaves_no_trace(&job_with_component(&gzip), 8, &["job.toml:9", "gzip"]);
}

#[test]
fn a_component_of_another_world_is_told_what_it_lacks() {
    let other = wat::parse_str("(component)").expect("the text is a component");
    let expected = ["job.toml:9", "tidegate:operator/operator@0.1.0"];
    assert_leaves_no_trace(&job_with_component(&other), 8, &expected);
}

#[test]
fn an_older_world_is_told_both_versions() {
    let older = r#"(component
        (instance $operator)
        (export "tidegate:operator/operator@0.0.9" (instance $operator)))"#;
    let older = wat::parse_str(older).expect("the text is a component");
    let expected = ["job.toml:9", "0.0.9", "0.1.0"];
    assert_leaves_no_trace(&job_with_component(&older), 8, &expected);
}

#[test]
fn imports_that_are_not_granted_are_listed() {
    let wasi = operator_with_imports(
        "package wasi:clocks@0.2.0;
         interface monotonic-clock { now: func() -> u64; }
         interface wall-clock { now: func() -> u64; }",
        &[
            "wasi:clocks/monotonic-clock@0.2.0",
            "wasi:clocks/wall-clock@0.2.0",
        ],
    );
    let expected = [
        "job.toml:9",
        "wasi:clocks/monotonic-clock@0.2.0",
        "wasi:clocks/wall-clock@0.2.0",
    ];
    assert_leaves_no_trace(&job_with_component(&wasi), 8, &expected);
}

/// Returns an operator whose functions trap, and which imports interfaces of `package` besides the
/// host's.
fn operator_with_imports(package: &str, imports: &[&str]) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    resolve
        .push_str("imports.wit", package)
        .expect("the package is WIT");
    let contract = tidegate_tests::workspace_root().join("wit");
    resolve.push_dir(contract).expect("the contract is WIT");
    let imports: String = imports
        .iter()
        .map(|name| format!("import {name};\n"))
        .collect();
    let world = format!(
        "package test:guest;
         world guest {{ {imports} include tidegate:operator/stream-operator@0.1.0; }}"
    );
    let test = resolve
        .push_str("guest.wit", &world)
        .expect("the world is WIT");
    let world = resolve
        .select_world(&[test], Some("guest"))
        .expect("there is the world");
    let abi = wit_parser::ManglingAndAbi::Legacy(wit_parser::LiftLowerAbi::Sync);
    let mut module = wit_component::dummy_module(&resolve, world, abi);
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding)
        .expect("a module can be given its world");
    let encoder = wit_component::ComponentEncoder::default().module(&module);
    let mut encoder = encoder.expect("the module fits its world");
    encoder.encode().expect("the module becomes a component")
}

#[test]
fn a_foreign_file_in_the_output_directory_is_left_alone() {
    let job = JobDirectory::new(&job_text());
    std::fs::create_dir(job.path().join("output")).expect("a directory can be made");
    job.write("output/mine.txt", "precious");
    let before = job.listing();
    job.tidegate(&["run", "job.toml"])
        .assert_fails(2, &["output", "mine.txt"]);
    assert_eq!(job.listing(), before, "something was written");
}

#[test]
fn output_of_an_older_run_is_not_added_to() {
    let job = JobDirectory::new(&job_text());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    std::fs::remove_dir_all(job.path().join("state")).expect("a directory can be removed");
    let before = job.listing();
    job.tidegate(&["run", "job.toml"])
        .assert_fails(2, &["output"]);
    assert_eq!(job.listing(), before, "something was written");
}

#[test]
fn fresh_is_refused_while_the_sinks_hold_output_of_the_job() {
    let job = JobDirectory::new(&job_text());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let before = job.listing();
    job.tidegate(&["run", "job.toml", "--fresh"])
        .assert_fails(2, &["output"]);
    assert_eq!(job.listing(), before, "something was written");
}

#[test]
fn a_checkpoint_of_another_job_is_refused() {
    let job = JobDirectory::new(&job_text());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    job.write(
        "job.toml",
        job_text().replace("name = \"good\"", "name = \"other\""),
    );
    let before = job.listing();
    job.tidegate(&["run", "job.toml"])
        .assert_fails(3, &["`good`", "`other`"]);
    assert_eq!(job.listing(), before, "something was written");
}

#[test]
fn a_corrupt_manifest_is_named_and_an_older_checkpoint_is_the_users_choice() {
    let sink = "connector = \"file\"\ninputs = [{ from = \"count\" }]\n\
                directory = \"output\"\nformat = \"tsv\"";
    let discard = "connector = \"discard\"\ninputs = [{ from = \"count\" }]";
    let job = JobDirectory::new(&job_text().replace(sink, discard));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    corrupt(&job.path().join("state/checkpoints/1"));
    let refused = job.tidegate(&["run", "job.toml"]);
    refused.assert_fails(3, &["checkpoints/1", "--from"]);
    job.tidegate(&["checkpoint", "verify", "state"])
        .assert_fails(7, &[]);
    let from_older = ["run", "job.toml", "--from", "state/checkpoints/0"];
    let restarted = job.tidegate(&from_older);
    let said = &restarted.assert_succeeds().stderr;
    assert!(said.contains("1,000 records"), "{said}");
    // Retention has removed the old checkpoint meanwhile.
    job.tidegate(&from_older)
        .assert_fails(3, &["run the job without --from to continue"]);
    let again = job.tidegate(&["run", "job.toml"]);
    assert!(again.assert_succeeds().stderr.contains("finished"));
}

/// Changes one bit in the middle of a file.
fn corrupt(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).expect("the file can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).expect("the file can be written");
}

#[test]
fn a_second_run_is_told_who_holds_the_directory() {
    let text = job_text().replace("to = 1000", "rate = 1000");
    let job = JobDirectory::new(&text);
    let running = job.start(&["run", "job.toml"]);
    let holder = running.id().to_string();
    while job.tidegate(&["status", "job.toml"]).code != Some(0) {}
    job.tidegate(&["run", "job.toml"])
        .assert_fails(4, &[&holder]);
}
