//! Names in prose exist: comments and documents name existing files, and the calls and types in
//! ARCHITECTURE are in the code.

use std::collections::BTreeSet;

use super::project::{Findings, assert_tidy, project_files, project_paths};

/// The document whose tables name calls.
const ARCHITECTURE: &str = "host/ARCHITECTURE.md";

/// Extensions of file names that can only mean this project's files.
const NAMED: [&str; 5] = [".rs", ".sh", ".wit", ".patch", ".go"];

/// Projects that the documents let their reader create.
const READERS: [&str; 1] = ["total/"];

/// Paths as a document may name them: whole, or without their first folders.
struct Paths(BTreeSet<String>);

impl Paths {
    fn of(paths: &[String]) -> Self {
        let mut known = BTreeSet::new();
        for path in paths {
            known.insert(path.clone());
            let ends = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
            known.extend(ends.map(str::to_owned));
        }
        Self(known)
    }

    /// Returns true if a path has this name; capitals in it stand for any name.
    fn has(&self, name: &str) -> bool {
        let is_capital = |c: char| c.is_ascii_uppercase();
        let stem = |part: &str| part.split('.').next().unwrap_or_default().to_owned();
        let mut stems = name.split('/').map(stem);
        let is_readers = READERS.iter().any(|folder| name.starts_with(folder));
        let is_any = stems.any(|stem| !stem.is_empty() && stem.chars().all(is_capital));
        is_any || is_readers || self.0.contains(name.trim_start_matches("../"))
    }
}

/// Returns the names of files in a text: `A/B.rs`, and both of `A/{B,C}.rs`.
fn file_names(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_./-{,}".contains(c);
    let mut found = Vec::new();
    for word in text.split(|c| !is_part(c)) {
        let word = word.trim_end_matches(['.', ',']);
        let is_named = NAMED.iter().any(|end| word.ends_with(end) && word != *end);
        let is_part_of_a_name = word.starts_with(['.', '-', '_']) && !word.starts_with("../");
        if is_named && !is_part_of_a_name {
            found.extend(expanded(word));
        }
    }
    found
}

/// Returns `A/B.rs` and `A/C.rs` for `A/{B,C}.rs`; a list without braces is several words.
fn expanded(word: &str) -> Vec<String> {
    match (word.split_once('{'), word.rsplit_once('}')) {
        (Some((before, _)), Some((_, after))) => {
            let inside = &word[before.len() + 1..word.len() - after.len() - 1];
            let one = |part: &str| format!("{before}{part}{after}");
            inside.split(',').map(one).collect()
        }
        (Some(_), None) | (None, Some(_)) => Vec::new(),
        (None, None) => {
            let parts = word.split(',').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        }
    }
}

/// Reports files that a text names and the project does not have, in lines that `is_prose` accepts.
fn check_files(path: &str, text: &str, is_prose: fn(&str) -> bool, paths: &Paths) -> String {
    let mut findings = Findings::of(path);
    for (at, line) in text.lines().enumerate().filter(|(_, line)| is_prose(line)) {
        for name in file_names(line).iter().filter(|name| !paths.has(name)) {
            findings.report(at, &format!("no file `{name}`"), "a path that exists");
        }
    }
    findings.into_text()
}

/// Returns the names in the document's code words: `a_b` and `C` of `C::a_b`.
fn code_names(text: &str) -> Vec<&str> {
    let is_name = |word: &&str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let is_one =
            word.chars().all(is_letter) && word.contains(|c: char| c.is_ascii_alphabetic());
        is_one && (word.contains("::") || word.contains('_') || is_camel_case(word))
    };
    let spans = text.split('`').skip(1).step_by(2);
    let names = spans.map(|span| span.split(['(', '<']).next().unwrap_or_default());
    names
        .filter(is_name)
        .flat_map(|name| name.split("::"))
        .filter(|name| !name.is_empty())
        .collect()
}

fn is_camel_case(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) && word.contains(|c: char| c.is_lowercase())
}

/// Reports names of calls and types in ARCHITECTURE that no source has.
fn check_code_names(text: &str, words: &BTreeSet<String>) -> String {
    let mut findings = Findings::of(ARCHITECTURE);
    for (at, line) in text.lines().enumerate() {
        let names = code_names(line).into_iter();
        for name in names.filter(|name| !words.contains(*name)) {
            findings.report(
                at,
                &format!("no `{name}` in the code"),
                "a name that exists",
            );
        }
    }
    findings.into_text()
}

/// Reports calls in a table row, `| n | files | calls | … |`, that none of the row's files has. A
/// row without files is about the files of the row before it.
fn check_rows(text: &str, sources: &[(String, String)]) -> String {
    let mut findings = Findings::of(ARCHITECTURE);
    let mut files: Vec<&str> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, named, calls, ..] = cells[..] else {
            continue;
        };
        if number.parse::<u32>().is_err() {
            continue;
        }
        let names = file_names(named);
        if !names.is_empty() {
            let is_named =
                |path: &str| names.iter().any(|name| path.ends_with(&format!("/{name}")));
            let named = sources.iter().filter(|(path, _)| is_named(path));
            files = named.map(|(_, text)| text.as_str()).collect();
        }
        for call in calls.split('`').skip(1).step_by(2) {
            let call = call.split('(').next().unwrap_or_default();
            let name = call.rsplit("::").next().unwrap_or_default();
            if !files.iter().any(|text| text.contains(name)) {
                let problem = format!("no `{name}` in the files of the row");
                findings.report(at, &problem, "the file that has it");
            }
        }
    }
    findings.into_text()
}

fn words_of(sources: &[(String, String)]) -> BTreeSet<String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = sources
        .iter()
        .flat_map(|(_, text)| text.split(|c| !is_letter(c)));
    words.map(str::to_owned).collect()
}

#[test]
fn files_that_are_named_in_prose_exist() {
    let paths = Paths::of(&project_paths());
    let mut found = String::new();
    let mut check = |extension, is_prose| {
        for (path, text) in project_files(extension) {
            found.push_str(&check_files(&path, &text, is_prose, &paths));
        }
    };
    check("rs", |line| line.trim_start().starts_with("//"));
    check("sh", |line| line.trim_start().starts_with('#'));
    check("md", |_| true);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn calls_and_types_that_architecture_names_exist() {
    let sources = project_files("rs");
    let words = words_of(&sources);
    let mut documents = project_files("md");
    documents.retain(|(path, _)| path == ARCHITECTURE);
    assert_tidy(&documents, 1, |_, text| {
        check_code_names(text, &words) + &check_rows(text, &sources)
    });
}

#[test]
fn a_name_that_leads_nowhere_is_found_with_its_line() {
    let paths = Paths::of(&["a/b/c.rs".to_owned(), "a/b/d.rs".to_owned()]);
    let text = "// `b/c.rs`, a/b/{c,d}.rs, c.rs and NAME/a.rs,\n// a/c.rs and b/{d,e}.rs.\n\
                total/src/lib.rs\n";
    assert_eq!(
        check_files("x.rs", text, |_| true, &paths),
        "x.rs:2: no file `a/c.rs`, use a path that exists\n\
         x.rs:2: no file `b/e.rs`, use a path that exists\n"
    );
    let sources = [(
        "host/a.rs".to_owned(),
        "fn go_on() {}\nstruct Plan;".to_owned(),
    )];
    let text = "`Plan::go_on`, `go` and `Part`, `job.toml`\n| 1 | `a.rs` | `go_on` |\n\
                | 2 | the same | `stop` |\n";
    let found = check_code_names(text, &words_of(&sources)) + &check_rows(text, &sources);
    assert_eq!(
        found,
        "host/ARCHITECTURE.md:1: no `Part` in the code, use a name that exists\n\
         host/ARCHITECTURE.md:3: no `stop` in the files of the row, use the file that has it\n"
    );
}
