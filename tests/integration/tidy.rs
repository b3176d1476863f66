//! What a machine can hold of the house style, after the `tidy.zig` of `TigerBeetle`. No
//! exceptions: a file that can't keep a rule is split, not excused.

mod floors;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidegate_tests::workspace_root;

const FILE_LINES: usize = 500;
const LINE_CHARS: usize = 100;

/// Files that decide and do nothing: events and time come in, actions go out.
const PURE: [&str; 18] = [
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
    "host/operator/src/batch/",
    "host/key-groups/src/",
];

/// What a pure file may not name, and what to do instead.
const IMPURE: [(&str, &str); 8] = [
    ("tokio::", "a driver"),
    ("async fn", "a driver"),
    (".await", "a driver"),
    ("std::fs", "a store"),
    ("cap_std", "a store"),
    ("wasmtime", "the operator crate"),
    ("Instant::now", "a time that comes in as an argument"),
    ("SystemTime", "a time that comes in as an argument"),
];

/// The crate that only one of ours may name.
const ENGINE: &str = "wasmtime";

/// A call that is not safe on text of others, such as names of files and job files.
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
    // CMake's own words go where ours go.
    Careless {
        call: "io::stderr()",
        allowed: &[
            "host/cli/src/terminal/",
            "host/authoring/src/build/c/cmake.rs",
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

/// What no source file may hold, and what to do instead. Split in two so that this file is clean.
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

fn check_rust(path: &str, text: &str) -> String {
    let mut found = String::new();
    let mut report = |line: usize, what: &str, instead: &str| {
        let line = line + 1;
        writeln!(found, "{path}:{line}: {what}, use {instead}").expect("a string can be written");
    };
    if !text.starts_with("//!") {
        report(
            0,
            "no `//!` header",
            "one that says what the file is and is not",
        );
    }
    if text.lines().count() > FILE_LINES {
        report(FILE_LINES, "more than 500 lines", "a file for each idea");
    }
    let is_pure = PURE.iter().any(|pure| path.starts_with(pure));
    let is_host = path.starts_with("host/") && path.contains("/src/") && !path.contains("/tests");
    // Tests at the end of a file may do what they like.
    let tests_at = text.lines().position(|line| line.trim() == "#[cfg(test)]");
    for (at, line) in text.lines().enumerate() {
        if line.chars().count() > LINE_CHARS {
            report(at, "more than 100 characters", "two lines");
        }
        for (head, tail, instead) in LEFTOVERS {
            if line.contains(&format!("{head}{tail}")) {
                report(at, &format!("`{head}{tail}`"), instead);
            }
        }
        if line.contains(&format!("{ENGINE}::")) && !path.starts_with("host/operator/") {
            report(at, "the engine outside its crate", "tidegate-operator");
        }
        let is_code = tests_at.is_none_or(|tests| at < tests) && !line.trim().starts_with("//");
        for careless in &CARELESS {
            let allowed = careless.allowed.iter();
            let may = !is_host || allowed.clone().any(|allowed| path.starts_with(allowed));
            if is_code && !may && line.contains(careless.call) {
                let problem = format!("`{}` {}", careless.call, careless.harm);
                report(at, &problem, careless.instead);
            }
        }
        for (word, instead) in IMPURE {
            if is_pure && is_code && line.contains(word) {
                report(at, &format!("`{word}` in a pure file"), instead);
            }
        }
    }
    found
}

/// Links to files of the project, `[text](path)`; the ones to elsewhere can't be checked here.
fn check_markdown(path: &str, text: &str, exists: impl Fn(&Path) -> bool) -> String {
    let directory = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut found = String::new();
    for (at, line) in text.lines().enumerate() {
        for link in line.split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            let is_elsewhere = file.is_empty() || file.contains("://");
            if !is_elsewhere && !exists(&directory.join(file)) {
                let line = at + 1;
                writeln!(
                    found,
                    "{path}:{line}: dead link `{target}`, use a file that exists"
                )
                .expect("a string can be written");
            }
        }
    }
    found
}

/// Hunks of a patch whose old lines do not stand in the file that they are for.
fn check_patch(path: &str, patch: &str, read: impl Fn(&str) -> Option<String>) -> String {
    let mut found = String::new();
    for of_file in patch.split("\n--- a/").skip(1) {
        let (name, rest) = of_file.split_once('\n').unwrap_or((of_file, ""));
        let text = read(name).unwrap_or_default();
        for hunk in rest.split("\n@@ ").skip(1) {
            let is_old = |line: &&str| line.starts_with(' ') || line.starts_with('-');
            let old = hunk.lines().skip(1).filter(is_old);
            let old: String = old.map(|line| format!("{}\n", &line[1..])).collect();
            if old.is_empty() || !text.contains(&old) {
                writeln!(
                    found,
                    "{path}: does not fit `{name}`, recreate the patch (`make mutants` uses it)"
                )
                .expect("a string can be written");
            }
        }
    }
    found
}

fn sources(directory: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("the project can be read");
    for entry in entries {
        let path = entry.expect("a directory entry can be read").path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let made_by_tools = ["target", "demo", "node_modules"];
        let is_ours = !name.starts_with('.') && !made_by_tools.contains(&name.as_str());
        if path.is_dir() && is_ours {
            sources(&path, extension, files);
        } else if path.extension().is_some_and(|e| e == extension) {
            files.push(path);
        }
    }
}

fn project_files(extension: &str) -> Vec<(String, String)> {
    let root = workspace_root();
    let mut paths = Vec::new();
    sources(&root, extension, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file is UTF-8");
        let name = path.strip_prefix(&root).unwrap_or(&path);
        (name.to_string_lossy().into_owned(), text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_source_file_keeps_the_rules() {
    let files = project_files("rs");
    assert!(files.len() > 50, "only {} files were found", files.len());
    let found: String = files
        .iter()
        .map(|(path, text)| check_rust(path, text))
        .collect();
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn every_mutant_fits_the_sources() {
    let patches = project_files("patch");
    assert!(patches.len() > 20, "only {} were found", patches.len());
    let read = |name: &str| std::fs::read_to_string(workspace_root().join(name)).ok();
    let found: String = patches
        .iter()
        .map(|(path, text)| check_patch(path, text, read))
        .collect();
    assert!(found.is_empty(), "\n{found}");
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
fn every_link_in_the_documents_leads_somewhere() {
    let root = workspace_root();
    let exists = |path: &Path| root.join(path).exists();
    let files = project_files("md");
    assert!(files.len() > 5, "only {} documents were found", files.len());
    let found: String = files
        .iter()
        .map(|(path, text)| check_markdown(path, text, exists))
        .collect();
    assert!(found.is_empty(), "\n{found}");
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
    let found = check_markdown("docs/a.md", "[b](b.md) [c](https://c)\n", |_| false);
    assert_eq!(
        found,
        "docs/a.md:1: dead link `b.md`, use a file that exists\n"
    );
    let patch = "Why.\n\n--- a/a.rs\n+++ b/a.rs\n@@ -1,2 +1,1 @@\n a\n-b\n";
    let read = |text: &'static str| move |_: &str| Some(text.to_owned());
    assert_eq!(check_patch("m.patch", patch, read("a\nb\n")), "");
    assert_eq!(
        check_patch("m.patch", patch, read("a\nc\nb\n")),
        "m.patch: does not fit `a.rs`, recreate the patch (`make mutants` uses it)\n"
    );
}
