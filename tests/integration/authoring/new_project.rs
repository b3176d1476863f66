//! A new project in each language: its files, its first build and scenario, without network, its
//! job, and the refusal to write over it.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tidegate_tests::{Finished, JobDirectory, tidegate, wait_until, workspace_root};

use super::{one_at_a_time, scratch, templates};

/// The files of a language that `tidegate new total --lang NAME` writes, and the flags of their
/// build.
struct Language {
    name: &'static str,
    files: &'static [&'static str],
    flags: &'static [&'static str],
}

const LANGUAGES: [Language; 7] = [
    Language {
        name: "rust",
        files: &["Cargo.toml", "src/lib.rs"],
        // Other operators in Rust share the crates that are compiled there.
        flags: &["--target-dir", "../../../guests"],
    },
    Language {
        name: "c",
        files: &["CMakeLists.txt", "src/operator.c", "tests/operator_test.c"],
        flags: &[],
    },
    Language {
        name: "cpp",
        files: &[
            "CMakeLists.txt",
            "src/operator.cpp",
            "src/total.hpp",
            "tests/operator_test.cpp",
        ],
        flags: &[],
    },
    Language {
        name: "go",
        files: &["go.mod", "operator.go", "operator_test.go"],
        flags: &["--offline"],
    },
    Language {
        name: "javascript",
        files: &["package.json", "src/operator.js", "test/operator.test.js"],
        flags: &[],
    },
    Language {
        name: "typescript",
        files: &[
            "package.json",
            "src/operator.ts",
            "test/operator.test.ts",
            "tsconfig.json",
        ],
        flags: &[],
    },
    Language {
        name: "python",
        files: &["pyproject.toml", "src/total.py", "tests/test_total.py"],
        flags: &["--offline"],
    },
];

impl Language {
    /// Returns the report of `new`: the files that it has written.
    fn listing(&self) -> String {
        let every = [
            ".gitignore",
            "README.md",
            "expected.txt",
            "input/sales.csv",
            "job.toml",
            "tests/scenario.toml",
        ];
        let mut files = [self.files, &every].concat();
        files.sort_unstable();
        let lines = files.iter().map(|file| format!("total/{file}\n"));
        lines.collect()
    }

    fn new_project(&self, folder: &Path) -> Finished {
        tidegate(folder, &["new", "total", "--lang", self.name])
    }

    /// Runs `tidegate` with a subcommand on the project.
    fn on_project(&self, folder: &Path, command: &str) -> Finished {
        tidegate(folder, &[&[command, "total"], self.flags].concat())
    }
}

/// Makes, builds and tests a project, and returns its folder.
fn builds_and_passes_at_once(name: &str) -> std::path::PathBuf {
    let language = LANGUAGES.iter().find(|language| language.name == name);
    let language = language.expect("the table has the language");
    let folder = scratch(&format!("new-project/{name}"));
    let new = language.new_project(&folder);
    assert_eq!(new.assert_succeeds().stdout, language.listing());
    if name == "rust" {
        // The lock file of the examples names versions that are already cached, so no network is
        // needed.
        let lock = workspace_root().join("examples/Cargo.lock");
        fs::copy(lock, folder.join("total/Cargo.lock")).expect("it can be copied");
        language.on_project(&folder, "build").assert_succeeds();
    }
    let test = language.on_project(&folder, "test");
    assert_eq!(
        test.assert_succeeds().stdout,
        "running 1 scenario(s)\ntest total/tests/scenario.toml ... ok\n\n\
         result: ok. 1 passed; 0 failed\n"
    );
    assert!(
        test.stderr.contains("built "),
        "it is built first: {test:#?}"
    );
    runs_until_it_is_stopped(&folder.join("total"));
    let again = language.new_project(&folder);
    again.assert_fails(2, &["`./total` already exists", "choose another name"]);
    folder.join("total")
}

/// Runs the project's job, kills it, adds a file, runs it again, and stops it with Ctrl-C.
fn runs_until_it_is_stopped(project: &Path) {
    let running = templates::prints_what_it_expects(project);
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None, "it was killed");
    let more = project.join("input/more.csv");
    fs::write(more, "fruit,count\napples,2\n").expect("can be written");
    let running = templates::start(project);
    let read = || fs::read_to_string(project.join(templates::PRINTED)).expect("it is text");
    wait_until("the total of both files", read, |text| {
        text.lines().any(|line| line == "apples\t9")
    });
    running.signal(Signal::INT);
    running.wait().assert_succeeds();
}

#[test]
fn a_new_project_in_rust_builds_and_passes_its_scenario_at_once() {
    builds_and_passes_at_once("rust");
}

#[test]
fn a_new_project_in_c_builds_and_passes_its_scenario_at_once() {
    builds_and_passes_at_once("c");
}

#[test]
fn a_new_project_in_cpp_builds_and_passes_its_scenario_at_once() {
    builds_and_passes_at_once("cpp");
}

#[test]
fn a_new_project_in_typescript_builds_and_passes_its_scenario_at_once() {
    builds_and_passes_at_once("typescript");
}

#[test]
fn a_new_project_in_go_builds_and_passes_its_scenario_at_once_without_network() {
    builds_and_passes_at_once("go");
}

#[test]
fn a_new_project_in_javascript_builds_and_passes_its_scenario_and_its_tests_at_once() {
    let project = builds_and_passes_at_once("javascript");
    let native = Command::new("npm")
        .current_dir(project)
        .args(["test"])
        .output()
        .expect("npm is there");
    let said = String::from_utf8_lossy(&native.stdout);
    assert!(native.status.success(), "{said}");
    assert!(said.contains("pass 2"), "{said}");
}

#[test]
fn a_new_project_in_python_builds_and_passes_its_scenario_at_once() {
    let _alone = one_at_a_time();
    let project = builds_and_passes_at_once("python");
    let left = fs::read_dir(project.join("src")).expect("it is there");
    assert_eq!(left.count(), 1, "nothing is written beside the sources");
}

#[test]
fn a_language_that_is_not_there_is_refused_with_those_that_are() {
    let directory = JobDirectory::new("");
    let refused = directory.tidegate(&["new", "total", "--lang", "cobol"]);
    refused.assert_fails(
        2,
        &[
            "invalid value 'cobol'",
            "[possible values: rust, c, cpp, python, go, javascript, typescript]",
        ],
    );
    assert_eq!(directory.listing(), "job.toml 0\n");
}

#[test]
fn without_a_language_the_languages_and_templates_are_listed() {
    let directory = JobDirectory::new("");
    let refused = directory.tidegate(&["new", "total"]);
    refused.assert_fails(
        2,
        &[
            "no language is given",
            "--lang with one of rust, c, cpp, python, go, javascript, typescript",
            "--template with one of map, keyed-state, two-inputs, raw",
            "--job-only",
        ],
    );
    assert_eq!(directory.listing(), "job.toml 0\n");
}

#[test]
fn a_job_without_an_operator_runs_at_once_and_takes_no_language() {
    let directory = JobDirectory::new("");
    let refused = directory.tidegate(&["new", "readings", "--job-only", "--lang", "c"]);
    refused.assert_fails(2, &["--job-only writes no operator", "--lang"]);
    let new = directory.tidegate(&["new", "readings", "--job-only"]);
    let files = [
        ".gitignore",
        "README.md",
        "expected.txt",
        "input/readings.csv",
        "job.toml",
    ];
    let listing: String = files.map(|file| format!("readings/{file}\n")).concat();
    assert_eq!(new.assert_succeeds().stdout, listing);
    assert!(
        new.stderr.contains("next: cd readings && tidegate run"),
        "{new:#?}"
    );
    let project = directory.path().join("readings");
    tidegate(&project, &["check"]).assert_succeeds();
    let running = templates::prints_what_it_expects(&project);
    running.signal(Signal::INT);
    running.wait().assert_succeeds();
}
