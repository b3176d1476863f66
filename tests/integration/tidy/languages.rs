//! The languages beside Rust: each file has at most 500 lines of at most 100 characters, and begins
//! with a description of itself.

use super::project::{Findings, project_files};
use super::{FILE_LINES, LINE_CHARS};

/// A language, and the possible beginnings of its files.
struct Language {
    extension: &'static str,
    header: &'static [&'static str],
    least_files: usize,
}

const fn language(
    extension: &'static str,
    header: &'static [&'static str],
    least_files: usize,
) -> Language {
    Language {
        extension,
        header,
        least_files,
    }
}

const COMMENTS: &[&str] = &["//", "/*"];

const LANGUAGES: [Language; 8] = [
    language("c", COMMENTS, 30),
    language("cpp", COMMENTS, 1),
    language("h", COMMENTS, 15),
    language("hpp", COMMENTS, 1),
    language("go", COMMENTS, 30),
    language("js", COMMENTS, 25),
    language("py", &["\"\"\"", "# "], 25),
    language("sh", &["# "], 10),
];

/// Returns the first line that is not for the system: `#!` names an interpreter.
fn first_line(text: &str) -> &str {
    let mut lines = text.lines();
    let is_for_the_system = |line: &&str| line.starts_with("#!");
    lines.find(|line| !is_for_the_system(line)).unwrap_or("")
}

fn check_code(language: &Language, path: &str, text: &str) -> String {
    let mut findings = Findings::of(path);
    let first = first_line(text);
    if !language.header.iter().any(|mark| first.starts_with(mark)) {
        findings.report(0, "no header", "a comment that says what the file is");
    }
    if text.lines().count() > FILE_LINES {
        findings.report(FILE_LINES, "more than 500 lines", "a file for each idea");
    }
    for (at, line) in text.lines().enumerate() {
        if line.chars().count() > LINE_CHARS {
            findings.report(at, "more than 100 characters", "two lines");
        }
    }
    findings.into_text()
}

#[test]
fn every_file_of_another_language_keeps_the_rules() {
    let mut found = String::new();
    for language in &LANGUAGES {
        let files = project_files(language.extension);
        let Language { extension, .. } = language;
        assert!(
            files.len() >= language.least_files,
            "too few files .{extension} were found"
        );
        found.extend(
            files
                .iter()
                .map(|(path, text)| check_code(language, path, text)),
        );
    }
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn a_file_without_a_header_a_long_line_and_a_long_file_are_named() {
    let python = &LANGUAGES[6];
    let long = "x".repeat(101);
    let text = format!("#!/usr/bin/env python3\nimport a\n{long}\n");
    assert_eq!(
        check_code(python, "a.py", &text),
        "a.py:1: no header, use a comment that says what the file is\n\
         a.py:3: more than 100 characters, use two lines\n"
    );
    let text = format!("# What it is.\n{}", "x = 1\n".repeat(500));
    assert_eq!(
        check_code(python, "a.py", &text),
        "a.py:501: more than 500 lines, use a file for each idea\n"
    );
}
