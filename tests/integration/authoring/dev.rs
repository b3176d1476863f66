//! `tidegate dev`, and the commands that build what a job names: `build JOB.toml`, `run --build`,
//! and the warnings of `check` and `run` about stale components.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tidegate_tests::{
    Finished, Running, guest, published_lines, tidegate, tidegate_command, wait_until,
};

use super::scratch;

/// The first half of a job whose operator is the project in its folder.
const JOB: &str = r#"version = 1
name = "totals"
checkpoint = { directory = "state", interval = "100ms" }

[operator.total]
component = "total.wasm"
inputs = [{ from = "sales", partition = "hash" }]

[sink.totals]
connector = "file"
inputs = [{ from = "total" }]
directory = "output"
format = "tsv"

[source.sales]
connector = "file"
path = "input/*.csv"
format = "csv"
key = { column = "fruit" }
value = { column = "count" }
"#;

/// The option that makes the job read new files, and so never end.
const ENDLESS: &str = "discover = \"50ms\"\n";

const EMIT: &str = "tg_emit(out, record->key, *total);";
const EMIT_TENFOLD: &str = "tg_emit(out, record->key, *total * 10);";

/// A project in C with its job.
struct Project {
    folder: PathBuf,
    /// The messages of `dev`.
    log: PathBuf,
    inputs: Cell<u32>,
}

impl Project {
    fn new(name: &str, job: &str) -> Self {
        let scratch = scratch(&format!("dev/{name}"));
        tidegate(&scratch, &["new", "total", "--lang", "c"]).assert_succeeds();
        let project = Self {
            folder: scratch.join("total"),
            log: scratch.join("log"),
            inputs: Cell::new(0),
        };
        project.write("job.toml", job);
        project
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).expect("it can be written");
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.folder.join(file)).expect("it is text");
        assert!(text.contains(from), "{file} has no `{from}`: {text}");
        self.write(file, &text.replace(from, to));
    }

    /// Changes the operator to emit ten times the total, and its scenario to expect that.
    fn make_tenfold(&self) {
        self.change("src/operator.c", EMIT, EMIT_TENFOLD);
        self.write("tests/scenario.toml", TENFOLD_SCENARIO);
    }

    /// Adds a file with one more apple, and waits for the total that the operator emits.
    fn add_apple(&self, total: &str) {
        let number = self.inputs.get();
        self.inputs.set(number + 1);
        let name = format!("more-{number}.csv");
        self.write(&name, "fruit,count\napples,1\n");
        let to = self.folder.join("input").join(&name);
        fs::rename(self.folder.join(&name), to).expect("it can be moved");
        self.wait_for_line(&format!("apples\t{total}"));
    }

    fn output(&self) -> Vec<String> {
        published_lines(&self.folder.join("output"))
    }

    fn wait_for_line(&self, line: &str) {
        let read = || (self.output(), self.log());
        wait_until(line, read, |(lines, _)| {
            lines.iter().any(|found| found == line)
        });
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = tidegate_command(&[], &self.folder, arguments);
        command.stderr(File::create(&self.log).expect("it can be created"));
        Running::spawn(command)
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("it is text")
    }

    /// Waits until `dev` has written a message so many times.
    fn wait_for(&self, message: &str, times: usize) {
        wait_until(message, || self.log(), |log| count(log, message) >= times);
    }

    fn tidegate(&self, arguments: &[&str]) -> Finished {
        tidegate(&self.folder, arguments)
    }
}

const TENFOLD_SCENARIO: &str = r#"version = 1
component = "../total.wasm"

[[step]]
records = [{ key = "apples", value = "3" }, { key = "apples", value = "4" }]
expect = [{ key = "apples", value = "30" }, { key = "apples", value = "70" }]
"#;

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

fn interrupt(running: Running) -> Finished {
    running.signal(Signal::INT);
    running.wait()
}

#[test]
fn a_change_continues_with_the_state_and_a_mistake_leaves_the_running_code_alone() {
    let project = Project::new("changes", &format!("{JOB}{ENDLESS}"));
    let running = project.start(&["dev"]);
    project.wait_for_line("apples\t7");
    assert_eq!(project.output(), ["apples\t3", "pears\t5", "apples\t7"]);

    // New code, with the state of the old one.
    project.make_tenfold();
    project.wait_for("totals: continues from checkpoint", 1);
    project.add_apple("80");

    // Mistakes. After each, the code that ran before still runs.
    let goes_on = "the running code continues";
    let before = count(&project.log(), goes_on);
    project.change("src/operator.c", EMIT_TENFOLD, "tg_emit(out");
    project.wait_for(goes_on, before + 1);
    project.wait_for("operator `total` was not built", 1);
    project.add_apple("90");

    project.change("src/operator.c", "tg_emit(out", EMIT);
    project.wait_for(goes_on, before + 2);
    project.wait_for("of 1 scenario(s) failed", 1);
    project.add_apple("100");

    project.change("src/operator.c", EMIT, EMIT_TENFOLD);
    project.wait_for("the code is the same", 1);
    project.change("job.toml", "inputs = [{ from = \"total\" }]", "inptus = []");
    project.wait_for(goes_on, before + 3);
    project.wait_for("sink `totals` has no `inputs`", 1);
    project.add_apple("110");

    // An edge that the checkpoints do not have is seen before the running code is stopped.
    project.change("job.toml", "inptus = []", "inputs = [{ from = \"sales\" }]");
    project.wait_for(goes_on, before + 4);
    project.add_apple("120");
    project.change(
        "job.toml",
        "{ from = \"sales\" }]\nd",
        "{ from = \"total\" }]\nd",
    );
    project.wait_for("the code is the same", 2);

    // `run` continues from the checkpoint that Ctrl-C leaves.
    let ended = interrupt(running);
    let log = project.log();
    assert_eq!(ended.code, Some(0), "{log}");
    assert_eq!(count(&log, "totals: continues from checkpoint"), 1, "{log}");
    assert_eq!(count(&log, "totals: stopped at checkpoint"), 2, "{log}");
    let running = project.start(&["run"]);
    project.add_apple("130");
    assert_eq!(interrupt(running).code, Some(0), "{}", project.log());
    let expected = ["3", "7", "80", "90", "100", "110", "120", "130"];
    let lines = project.output();
    let apples: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("apples\t"))
        .collect();
    assert_eq!(apples, expected, "each once, in order");
}

#[test]
fn own_output_and_a_change_of_a_comment_leave_the_job_alone() {
    let project = Project::new("comment", &format!("{JOB}{ENDLESS}"));
    let running = project.start(&["dev", "job.toml"]);
    for total in ["8", "9", "10"] {
        project.add_apple(total);
    }
    let log = project.log();
    assert_eq!(count(&log, "1 scenario(s) passed"), 1, "{log}");
    project.change("src/operator.c", "// Keeps", "// Still keeps");
    project.wait_for("the code is the same", 1);
    // Saved again as it was.
    project.change("src/operator.c", "// Still keeps", "// Still keeps");
    project.add_apple("11");
    let ended = interrupt(running);
    let log = project.log();
    assert_eq!(ended.code, Some(0), "{log}");
    assert_eq!(count(&log, "built "), 2, "{log}");
    assert_eq!(count(&log, "starts fresh"), 1, "{log}");
    assert_eq!(count(&log, "stopped at checkpoint"), 1, "{log}");
}

#[test]
fn a_job_whose_input_has_ended_runs_again_from_the_beginning_with_new_code() {
    let project = Project::new("ended", JOB);
    let running = project.start(&["dev"]);
    project.wait_for("the input has ended", 1);
    assert_eq!(project.output(), ["apples\t3", "pears\t5", "apples\t7"]);
    project.make_tenfold();
    project.wait_for("the input has ended", 2);
    assert_eq!(project.output(), ["apples\t30", "pears\t50", "apples\t70"]);
    let ended = interrupt(running);
    assert_eq!(ended.code, Some(0), "{}", project.log());

    // A later `dev` did not write that output, so it removes none of it.
    let running = project.start(&["dev"]);
    project.wait_for("the input has ended", 1);
    project.change("src/operator.c", EMIT_TENFOLD, EMIT);
    fs::remove_file(project.folder.join("tests/scenario.toml")).expect("it is there");
    project.wait_for("Empty the directory", 1);
    assert_eq!(project.output(), ["apples\t30", "pears\t50", "apples\t70"]);
    fs::remove_dir_all(project.folder.join("output")).expect("it is there");
    project.change(
        "src/operator.c",
        EMIT,
        "tg_emit(out, record->key, *total + 1);",
    );
    project.wait_for("the input has ended", 2);
    assert_eq!(project.output(), ["apples\t4", "pears\t6", "apples\t8"]);
    assert_eq!(interrupt(running).code, Some(0), "{}", project.log());
}

#[test]
fn a_job_that_does_not_run_yet_starts_when_its_mistake_is_gone() {
    let project = Project::new("mistake", &JOB.replace("version = 1", "version = one"));
    let running = project.start(&["dev"]);
    project.wait_for("no job runs; correct the mistake", 1);
    project.change("job.toml", "version = one", "version = 1");
    project.wait_for("the input has ended", 1);
    assert_eq!(interrupt(running).code, Some(0), "{}", project.log());
    project
        .tidegate(&["dev", "other.toml"])
        .assert_fails(2, &["other.toml"]);
}

#[test]
fn a_component_that_other_tools_replace_is_new_code() {
    let project = Project::new("replaced", &format!("{JOB}{ENDLESS}"));
    fs::remove_file(project.folder.join("CMakeLists.txt")).expect("it is there");
    let copy = |component: &str, to: &str| {
        let from = guest(component);
        fs::copy(from, project.folder.join(to)).expect("it can be copied");
    };
    copy("guest-sdk/c/examples/count", "total.wasm");
    let running = project.start(&["dev"]);
    project.wait_for_line("pears\t1");
    copy("examples/word-count/operators/count", "new.wasm");
    let to = project.folder.join("total.wasm");
    fs::rename(project.folder.join("new.wasm"), to).expect("it can be moved");
    project.wait_for("totals: continues from checkpoint", 1);
    project.add_apple("3");
    assert_eq!(interrupt(running).code, Some(0), "{}", project.log());
}

#[test]
fn the_components_of_a_job_are_built_and_named_when_they_are_older_than_their_sources() {
    let project = Project::new("stale", JOB);
    let job = JOB.replace("from = \"total\"", "from = \"other\"");
    let other = "\n[operator.other]\ncomponent = \"ready/count.wasm\"\n\
                 inputs = [{ from = \"total\", partition = \"hash\" }]\n";
    project.write("job.toml", &format!("{job}{other}"));
    fs::create_dir(project.folder.join("ready")).expect("it can be made");
    let ready = project.folder.join("ready/count.wasm");
    fs::copy(guest("guest-sdk/c/examples/count"), ready).expect("it can be copied");

    let built = project.tidegate(&["build", "job.toml"]);
    let component = project.folder.join("total.wasm");
    assert_eq!(
        built.assert_succeeds().stdout,
        format!("{}\n", component.display())
    );
    let left_alone = "operator `other`: ./ready/count.wasm has no project beside it";
    assert!(built.stderr.contains(left_alone), "{built:#?}");
    let older = "operator `total`: ./total.wasm is older than its sources";
    let checked = project.tidegate(&["check"]);
    assert!(
        !checked.assert_succeeds().stderr.contains(older),
        "{checked:#?}"
    );

    project.write("job.toml", JOB);
    project.make_tenfold();
    let checked = project.tidegate(&["check"]);
    let stderr = &checked.assert_succeeds().stderr;
    assert!(stderr.contains(older), "{checked:#?}");
    assert!(stderr.contains("last src/operator.c"), "{checked:#?}");
    let json = project.tidegate(&["check", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    let warning = json["warnings"][0].as_str();
    assert!(
        warning.is_some_and(|warning| warning.starts_with(older)),
        "{json}"
    );

    let ran = project.tidegate(&["run", "--build"]);
    assert!(!ran.assert_succeeds().stderr.contains(older), "{ran:#?}");
    assert!(ran.stderr.contains("built "), "{ran:#?}");
    assert_eq!(project.output(), ["apples\t30", "pears\t50", "apples\t70"]);
    let again = project.tidegate(&["run", "--build"]);
    assert!(
        !again.assert_succeeds().stderr.contains("built "),
        "{again:#?}"
    );

    project.change("src/operator.c", EMIT_TENFOLD, "tg_emit(out");
    let ran = project.tidegate(&["run"]);
    assert!(ran.assert_succeeds().stderr.contains(older), "{ran:#?}");
    for command in [&["run", "--build"][..], &["build", "job.toml"]] {
        let refused = project.tidegate(command);
        refused.assert_fails(1, &["operator `total` was not built", "CMakeLists.txt"]);
    }
}

#[test]
fn a_job_file_that_names_another_component_than_its_project_builds_is_refused() {
    let project = Project::new("other", &JOB.replace("total.wasm", "sum.wasm"));
    let refused = project.tidegate(&["build", "job.toml"]);
    refused.assert_fails(
        2,
        &["operator `total` was not built", "total.wasm", "sum.wasm"],
    );
    let refused = project.tidegate(&["build", "job.toml", "--out", "out"]);
    refused.assert_fails(2, &["--out and a job file exclude each other"]);
    let missing = project.tidegate(&["build", "none.toml"]);
    missing.assert_fails(2, &["none.toml"]);
    assert!(!Path::new("out").exists());
}
