//! The rules of the house style that a machine can check, after the `tidy.zig` of `TigerBeetle`.
//! There are no exceptions: a file that can't keep a rule is split, not excused.

mod floors;
mod imports;
mod languages;
mod markdown;
mod names;
mod patches;
mod project;
mod words;

use tidegate_tests::workspace_root;

use project::{Findings, assert_tidy, project_files};

const FILE_LINES: usize = 500;
const LINE_CHARS: usize = 100;

/// Files that decide and do nothing: events and time come in, actions come out.
const PURE: [&str; 19] = [
    "host/runtime/src/graph/",
    "host/runtime/src/stream/",
    "host/runtime/src/recovery/",
    "host/runtime/src/channel/inbox.rs",
    "host/runtime/src/channel/inbox/",
    "host/connector/src/source/place.rs",
    "host/runtime/src/protocol/",
    "host/runtime/src/chain/dead_letter.rs",
    "host/runtime/src/chain/recycle_policy.rs",
    "host/runtime/src/chain/router.rs",
    "host/runtime/src/drill/comparison.rs",
    "host/runtime/src/isolation/",
    "host/runtime/src/drill/drill_schedule.rs",
    "host/checkpoint/src/job_graph/",
    "host/checkpoint/src/manifest.rs",
    "host/checkpoint/src/manifest_diff.rs",
    "host/operator/src/backtrace/",
    "host/operator/src/batch/",
    "host/key-groups/src/",
];

/// Names that a pure file may not use, and their replacements.
const IMPURE: [(&str, &str); 11] = [
    ("tokio::", "a driver"),
    ("async fn", "a driver"),
    (".await", "a driver"),
    ("std::fs", "a store"),
    ("cap_std", "a store"),
    ("wasmtime", "the operator crate"),
    ("Instant::now", "a time that comes in as an argument"),
    ("SystemTime", "a time that comes in as an argument"),
    ("Atomic", "a number that comes in as an argument"),
    ("Mutex<", "a value that one owner has"),
    ("SubtaskMetrics", "a figure that comes in as an argument"),
];

/// Code that accesses a file system through `tidegate-file-system`, so that a simulation can fail
/// it.
const BEHIND_THE_SEAM: [&str; 5] = [
    "host/key-groups/src/",
    "host/connector/src/",
    "host/checkpoint/src/",
    "host/runtime/src/",
    "host/connectors/src/",
];

/// Exceptions: the system's figures in `/proc`, and the files that a user gives to a source, which
/// has its own seam in `input_root.rs`.
const OWN_FILES: [&str; 2] = [
    "host/runtime/src/room/system.rs",
    "host/connectors/src/file_source/",
];

/// An error that a lock of `tidegate-file-system` returns; it opens nothing.
const LOCK_ERROR: &str = "std::fs::TryLockError";

/// The crate that only one of our crates may name.
const ENGINE: &str = "wasmtime";

/// A call that is unsafe on foreign text, such as file names and job files.
struct Careless {
    call: &'static str,
    /// The files that may make it.
    allowed: &'static [&'static str],
    harm: &'static str,
    instead: &'static str,
}

const SHOWS_UNESCAPED: &str = "shows text unescaped";

const CARELESS: [Careless; 4] = [
    Careless {
        call: ".display()",
        allowed: &[],
        harm: SHOWS_UNESCAPED,
        instead: "`tidegate_operator::shown`",
    },
    Careless {
        call: "io::stdout()",
        allowed: &["host/cli/src/terminal/", "host/connectors/src/stdout.rs"],
        harm: SHOWS_UNESCAPED,
        instead: "the terminal of the cli",
    },
    // The messages of CMake and of TypeScript's compiler go to the same stream as ours.
    Careless {
        call: "io::stderr()",
        allowed: &[
            "host/cli/src/terminal/",
            "host/authoring/src/build/c/cmake.rs",
            "host/authoring/src/build/javascript/types.rs",
        ],
        harm: SHOWS_UNESCAPED,
        instead: "the terminal of the cli",
    },
    Careless {
        call: "humantime::parse_duration",
        allowed: &[],
        harm: "panics on some text",
        instead: "`duration::parse` of the cli",
    },
];

/// Text that no source file may hold, and its replacement. Split in two so that this file is clean.
const LEFTOVERS: [(&str, &str, &str); 8] = [
    ("TO", "DO", "an issue, or do it"),
    ("FIX", "ME", "an issue, or do it"),
    ("XX", "X ", "a sentence that says what is meant"),
    ("dbg", "!(", "tracing"),
    ("todo", "!(", "code"),
    ("unimplemented", "!(", "code"),
    ("#[ign", "ore", "a test that runs"),
    ("should_", "panic", "a typed error and a whole comparison"),
];

/// Returns true for the lines of `#[cfg(test)] mod … {` blocks, which no rule restricts. A
/// `#[cfg(test)] mod …;` is one line: the code behind it is code.
fn lines_in_test_modules(text: &str) -> Vec<bool> {
    let lines: Vec<&str> = text.lines().collect();
    let mut is_inside = false;
    let mut inside = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let is_block = next.starts_with("mod ") && next.trim_end().ends_with('{');
        is_inside |= *line == "#[cfg(test)]" && is_block;
        inside.push(is_inside);
        is_inside &= *line != "}";
    }
    inside
}

fn check_rust(path: &str, text: &str) -> String {
    let mut findings = Findings::of(path);
    if !text.starts_with("//!") {
        findings.report(
            0,
            "no `//!` header",
            "one that says what the file is and is not",
        );
    }
    if text.lines().count() > FILE_LINES {
        findings.report(FILE_LINES, "more than 500 lines", "a file for each idea");
    }
    let is_test = lines_in_test_modules(text);
    for (at, line) in text.lines().enumerate() {
        if line.chars().count() > LINE_CHARS {
            findings.report(at, "more than 100 characters", "two lines");
        }
        for (head, tail, instead) in LEFTOVERS {
            if line.contains(&format!("{head}{tail}")) {
                findings.report(at, &format!("`{head}{tail}`"), instead);
            }
        }
        if line.contains(&format!("{ENGINE}::")) && !path.starts_with("host/operator/") {
            findings.report(at, "the engine outside its crate", "tidegate-operator");
        }
        if !is_test[at] && !line.trim().starts_with("//") {
            check_code(path, at, line, &mut findings);
        }
    }
    findings.into_text()
}

/// Checks a line that is neither a comment nor a test.
fn check_code(path: &str, at: usize, line: &str, findings: &mut Findings<'_>) {
    let is_in = |paths: &[&str]| paths.iter().any(|prefix| path.starts_with(prefix));
    let is_host = path.starts_with("host/") && path.contains("/src/") && !path.contains("/tests");
    for careless in &CARELESS {
        let may = !is_host || is_in(careless.allowed);
        if !may && line.contains(careless.call) {
            let problem = format!("`{}` {}", careless.call, careless.harm);
            findings.report(at, &problem, careless.instead);
        }
    }
    let opens_files = line.contains("std::fs") && !line.contains(LOCK_ERROR);
    if opens_files && is_in(&BEHIND_THE_SEAM) && !is_in(&OWN_FILES) {
        findings.report(at, "`std::fs` past the seam", "tidegate-file-system");
    }
    for (word, instead) in IMPURE {
        if is_in(&PURE) && line.contains(word) {
            findings.report(at, &format!("`{word}` in a pure file"), instead);
        }
    }
}

#[test]
fn every_source_file_keeps_the_rules() {
    assert_tidy(&project_files("rs"), 50, check_rust);
}

#[test]
fn every_pure_file_exists() {
    let root = workspace_root();
    let missing: Vec<_> = PURE
        .iter()
        .filter(|path| !root.join(path).exists())
        .collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[test]
fn the_tidy_test_names_file_line_and_remedy() {
    let text = format!(
        "//! Header.\nuse tokio::sync;\nfn a() {{ {}{}) }}\n",
        "dbg", "!(1"
    );
    let found = check_rust("host/runtime/src/graph/x.rs", &text);
    assert_eq!(
        found,
        "host/runtime/src/graph/x.rs:2: `tokio::` in a pure file, use a driver\n\
         host/runtime/src/graph/x.rs:3: `dbg\u{21}(`, use tracing\n"
    );
    let text = "//! Header.\nfn a(path: &Path) { say(path.display()) }\n";
    assert_eq!(
        check_rust("host/cli/src/x.rs", text),
        "host/cli/src/x.rs:2: `.display()` shows text unescaped, use `tidegate_operator::shown`\n"
    );
    let found = check_rust("a.rs", &format!("fn a() {{}}\n// {}\n", "x".repeat(100)));
    assert_eq!(
        found,
        "a.rs:1: no `//!` header, use one that says what the file is and is not\n\
         a.rs:2: more than 100 characters, use two lines\n"
    );
    let text = "//! Header.\nlet file = std::fs::read(path)?;\nuse std::fs::TryLockError;\n";
    assert_eq!(
        check_rust("host/runtime/src/control/x.rs", text),
        "host/runtime/src/control/x.rs:2: `std::fs` past the seam, use tidegate-file-system\n"
    );
    assert_eq!(check_rust("host/runtime/src/room/system.rs", text), "");
}

#[test]
fn code_behind_a_test_module_in_a_file_of_its_own_is_checked() {
    let text = "//! Header.\n#[cfg(test)]\nmod walks;\nuse tokio::sync;\n\n\
                #[cfg(test)]\nmod tests {\n    use tokio::sync;\n}\nuse tokio::sync;\n";
    let finding = |line: usize| {
        format!("host/runtime/src/graph/x.rs:{line}: `tokio::` in a pure file, use a driver\n")
    };
    assert_eq!(
        check_rust("host/runtime/src/graph/x.rs", text),
        finding(4) + &finding(10)
    );
}

#[test]
fn impure_code_is_found_on_any_line_of_the_coordinator() {
    let path = "host/runtime/src/protocol/coordinator.rs";
    let text = std::fs::read_to_string(workspace_root().join(path)).expect("it is there");
    let lines: Vec<&str> = text.lines().collect();
    let inside = lines_in_test_modules(&text);
    let after_header = lines.iter().position(|line| !line.starts_with("//!"));
    for at in after_header.expect("there is code")..lines.len() {
        // A line that is inserted at `at` is inside a test module if the line before it is.
        if inside[at] && inside[at - 1] {
            continue;
        }
        let mut changed = lines.clone();
        changed.insert(at, "    std::fs::read(tokio::now().await);");
        let found = check_rust(path, &changed.join("\n"));
        let expected =
            ["tokio::", ".await", "std::fs"].map(|word| format!(":{}: `{word}`", at + 1));
        for finding in expected {
            assert!(found.contains(&finding), "line {}: {found}", at + 1);
        }
    }
}
