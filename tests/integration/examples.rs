//! The examples: the real binary runs the commands of each README, whose output the README shows
//! and `expected.txt` holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tidegate_tests::{Running, binary, guest, tidegate, tidegate_command, workspace_root};

/// A limit far above the time that an example takes.
const LIMIT: Duration = Duration::from_secs(300);

/// The character that a script prints between the output of two blocks. No example prints it.
const END_OF_BLOCK: char = '\u{c}';

/// Commands of a README, and their output if the README shows it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block {
    commands: String,
    expected: Option<String>,
}

/// Returns the blocks that begin with `sh`, each with the `text` block that follows it.
fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for fenced in readme.split("\n```").skip(1).step_by(2) {
        let (language, lines) = fenced.split_once('\n').unwrap_or((fenced, ""));
        let text = format!("{lines}\n");
        match (language, blocks.last_mut()) {
            ("sh", _) => blocks.push(Block {
                commands: text,
                expected: None,
            }),
            ("text", Some(block)) => block.expected = Some(text),
            other => panic!("a block {other:?} that is neither commands nor their output"),
        }
    }
    blocks
}

/// Returns one script of all blocks, without the builds, which `make guests` has done.
fn script(blocks: &[Block]) -> String {
    let mut script = String::from("set -euo pipefail\n");
    for block in blocks {
        for line in block.commands.lines() {
            if !line.starts_with("tidegate build ") {
                script += &format!("{line}\n");
            }
        }
        script += "printf '\\f'\n";
    }
    script
}

fn examples() -> PathBuf {
    workspace_root().join("examples")
}

/// Makes a folder with a copy of an example, so that the output of the example does not lie in the
/// project. Its operators, and the other examples, are links.
fn copy_of(example: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    for other in folders(&examples()) {
        let link = root.path().join(&other);
        if other == example {
            fs::create_dir(link).expect("a directory can be made");
        } else {
            std::os::unix::fs::symlink(examples().join(other), link).expect("a link can be made");
        }
    }
    let (from, to) = (examples().join(example), root.path().join(example));
    for entry in fs::read_dir(&from).expect("the example can be listed") {
        let from = entry.expect("a directory entry can be read").path();
        let to = to.join(from.file_name().expect("an entry has a name"));
        if from.is_file() {
            fs::copy(from, to).expect("a file can be copied");
        } else if from.ends_with("operators") || from.ends_with("input") {
            std::os::unix::fs::symlink(from, to).expect("a link can be made");
        }
    }
    root
}

/// Returns the names of the folders in a folder, sorted.
fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("a directory entry can be read").path());
    let name = |path: PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let mut names: Vec<String> = paths.filter(|p| p.is_dir()).filter_map(name).collect();
    names.retain(|name| name != "target");
    names.sort();
    names
}

/// Returns the paths of the TOML files in a folder.
fn toml_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let paths = entries.map(|entry| entry.expect("a directory entry can be read").path());
    paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    })
}

/// Returns the folders of the operators that the job files of an example name, relative to the
/// project.
fn components_of(example: &str) -> Vec<String> {
    let mut folders = Vec::new();
    for path in toml_files(&examples().join(example)) {
        let job = fs::read_to_string(path).expect("a job file is UTF-8");
        for line in job.lines() {
            let component = line.strip_prefix("component = \"").unwrap_or_default();
            let folder = component.rsplit_once('/').map(|(folder, _)| folder);
            folders.extend(folder.map(|folder| match folder.strip_prefix("../") {
                Some(of_another) => format!("examples/{of_another}"),
                None => format!("examples/{example}/{folder}"),
            }));
        }
    }
    folders
}

/// True if an example is a program for this machine, with tests of its own.
fn is_program(example: &str) -> bool {
    examples().join(example).join("Cargo.toml").is_file()
}

/// Builds the components that an example needs, if they are missing.
fn build_what_is_missing(example: &str) {
    for component in components_of(example) {
        assert!(guest(&component).is_file(), "it was built");
    }
}

/// Runs the commands of an example's README in a copy of it, and compares their output. Returns the
/// copy.
fn run(example: &str) -> TempDir {
    build_what_is_missing(example);
    let root = copy_of(example);
    let folder = root.path().join(example);
    let read = |name| fs::read_to_string(folder.join(name)).expect("the example has the file");
    let blocks = blocks(&read("README.md"));
    let shown = blocks.iter().filter_map(|block| block.expected.as_deref());
    let shown: String = shown.collect();
    assert!(!shown.is_empty(), "the README of {example} shows no output");
    let expected = read("expected.txt");
    assert_eq!(shown, expected, "README and expected.txt of {example}");
    let mut command = tidegate_command(&["bash", "-c", &script(&blocks)], &folder, &[]);
    let binary = binary();
    let directory = binary.parent().expect("the binary lies in a directory");
    let path = std::env::var("PATH").expect("there is a PATH");
    command.env("PATH", format!("{}:{path}", directory.display()));
    let finished = Running::spawn(command).wait_within(LIMIT);
    let printed: Vec<&str> = finished
        .assert_succeeds()
        .stdout
        .split(END_OF_BLOCK)
        .collect();
    assert_eq!(printed.len(), blocks.len() + 1, "{finished:#?}");
    for (block, printed) in blocks.iter().zip(printed) {
        if let Some(expected) = &block.expected {
            assert_eq!(printed, expected, "{}{}", block.commands, finished.stderr);
        }
    }
    root
}

/// Defines a test for each example, which runs its README.
macro_rules! run_as_they_say {
    ($($test:ident: $example:literal,)*) => {
        const RUN_AS_THEY_SAY: &[&str] = &[$($example),*];
        $(
            #[test]
            fn $test() {
                run($example);
            }
        )*
    };
}

run_as_they_say! {
    parity_sum_runs_as_its_readme_says: "parity-sum",
    word_count_runs_as_its_readme_says: "word-count",
    shell_pipe_runs_as_its_readme_says: "shell-pipe",
    several_outputs_runs_as_its_readme_says: "several-outputs",
    dead_letters_runs_as_its_readme_says: "dead-letters",
    broadcast_runs_as_its_readme_says: "broadcast",
    raw_batches_runs_as_its_readme_says: "raw-batches",
    polyglot_runs_as_its_readme_says: "polyglot",
}

/// Examples with a test of their own below.
const RUN_AND_LOOKED_INTO: [&str; 2] = ["rescaling", "upgrade"];

#[test]
fn rescaling_runs_as_its_readme_says_and_changes_the_parallelism_on_the_way() {
    let root = run("rescaling");
    let folder = root.path().join("rescaling");
    let savepoint = inspect(&folder, &the_savepoint(&folder));
    assert_is_on_the_way(&savepoint, "1..20001");
    assert_eq!(parallelism_of_sum(&savepoint), 2);
    assert_eq!(parallelism_of_sum(&inspect(&folder, "state")), 3);
}

#[test]
fn upgrade_runs_as_its_readme_says_and_migrates_the_state() {
    let root = run("upgrade");
    let folder = root.path().join("upgrade");
    let savepoint = inspect(&folder, &the_savepoint(&folder));
    assert_is_on_the_way(&savepoint, "1..20001");
    assert_eq!(versions_of_state(&savepoint), [1]);
    assert_eq!(versions_of_state(&inspect(&folder, "state")), [2]);
}

/// Returns the path of the only savepoint.
fn the_savepoint(folder: &Path) -> String {
    let names = folders(&folder.join("savepoints"));
    let [name] = names.as_slice() else {
        panic!("not one savepoint: {names:?}");
    };
    format!("savepoints/{name}")
}

/// Returns the newest checkpoint of a directory.
fn inspect(folder: &Path, checkpoints: &str) -> Value {
    let inspected = tidegate(folder, &["checkpoint", "inspect", checkpoints, "--json"]);
    serde_json::from_str(&inspected.assert_succeeds().stdout).expect("it prints JSON")
}

/// Asserts that the job had read a part of its input, but not all.
fn assert_is_on_the_way(checkpoint: &Value, whole_input: &str) {
    let splits = &checkpoint["subtasks"][0]["splits"];
    let left = splits[0]["name"].as_str();
    assert!(
        left.is_some_and(|left| left != whole_input),
        "{checkpoint:#}"
    );
}

fn parallelism_of_sum(checkpoint: &Value) -> usize {
    let subtasks = checkpoint["subtasks"].as_array();
    let names = subtasks.into_iter().flatten();
    let names = names.filter_map(|subtask| subtask["subtask"].as_str());
    names.filter(|name| name.starts_with("sum[")).count()
}

fn versions_of_state(checkpoint: &Value) -> Vec<u64> {
    let subtasks = checkpoint["subtasks"].as_array();
    let states = subtasks.into_iter().flatten();
    let names = states.filter_map(|subtask| subtask["state"]["names"].as_array());
    let versions = names.flatten().map(|name| name["schema_version"].as_u64());
    versions.map(|v| v.expect("it is a number")).collect()
}

#[test]
fn every_example_is_run_and_in_the_index() {
    let index = fs::read_to_string(examples().join("README.md")).expect("there is an index");
    for example in folders(&examples()) {
        let link = format!("({example}/README.md)");
        assert!(index.contains(&link), "no {link} in examples/README.md");
        let is_run = RUN_AS_THEY_SAY.contains(&&*example)
            || RUN_AND_LOOKED_INTO.contains(&&*example)
            || (is_program(&example) && examples().join(&example).join("tests").is_dir());
        assert!(is_run, "no test runs examples/{example}");
    }
}

#[test]
fn every_job_file_of_the_examples_is_valid() {
    let for_tidegate = |example: &String| !is_program(example);
    for example in folders(&examples()).into_iter().filter(for_tidegate) {
        build_what_is_missing(&example);
        let folder = examples().join(&example);
        for job in toml_files(&folder) {
            let job = job.to_string_lossy();
            tidegate(&folder, &["check", &job]).assert_succeeds();
        }
    }
}

#[test]
fn every_operator_of_the_examples_passes_its_scenarios() {
    // `polyglot.rs` runs the commands of polyglot, whose components take long to compile.
    let in_rust = |example: &String| example != "polyglot";
    for example in folders(&examples()).into_iter().filter(in_rust) {
        let operators = examples().join(&example).join("operators");
        if !operators.is_dir() {
            continue;
        }
        for operator in folders(&operators) {
            let component = guest(&format!("examples/{example}/operators/{operator}"));
            assert!(component.is_file(), "it was built");
            let scenarios = toml_files(&operators.join(&operator).join("tests")).count();
            assert!(scenarios > 0, "{operator} has no scenario");
            let tested = tidegate(&operators, &["test", &operator, "--no-build"]);
            let stdout = &tested.assert_succeeds().stdout;
            let result = format!("result: ok. {scenarios} passed; 0 failed\n");
            assert!(stdout.ends_with(&result), "{tested:#?}");
        }
    }
}

#[test]
fn the_components_of_an_example_may_be_those_of_another() {
    assert_eq!(
        components_of("polyglot").last().map(String::as_str),
        Some("examples/word-count/operators/count")
    );
    assert_eq!(
        components_of("broadcast"),
        ["examples/broadcast/operators/search"]
    );
}

#[test]
fn a_readme_is_read_block_by_block() {
    let readme =
        "# x\n\n```sh\ntidegate build .\na\n```\n\n```sh\nb\n```\n\nso:\n\n```text\nc\n```\n";
    let read = blocks(readme);
    let block = |commands: &str, expected: Option<&str>| Block {
        commands: commands.to_owned(),
        expected: expected.map(str::to_owned),
    };
    assert_eq!(
        read,
        [
            block("tidegate build .\na\n", None),
            block("b\n", Some("c\n"))
        ]
    );
    assert_eq!(
        script(&read),
        "set -euo pipefail\na\nprintf '\\f'\nb\nprintf '\\f'\n"
    );
}
