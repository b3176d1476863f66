//! The worst words of the prose rule in CONTRIBUTING: no document, help text, error or comment has
//! them. The list grows as the prose improves.

use super::project::{Findings, assert_tidy, project_files};

/// A word, in two parts so that this file is clean, and its replacement.
const WORDS: [(&str, &str, &str); 7] = [
    ("some", "body", "the caller, the user, or the one who acts"),
    ("any", "body", "the caller, the user, or `anyone`"),
    ("said ", "loudly", "`logged at WARN`"),
    ("made ", "anew", "`recreated`"),
    ("built ", "anew", "`rebuilt`"),
    ("used ", "again for", "`reused`"),
    ("/// As ", "what", "a noun phrase"),
];

/// The extensions of files with prose for people.
const EXTENSIONS: [&str; 10] = [
    "rs", "md", "sh", "wit", "c", "h", "go", "js", "py", "template",
];

fn check_words(path: &str, text: &str) -> String {
    let mut findings = Findings::of(path);
    for (at, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        for (head, tail, instead) in WORDS {
            if line.contains(&format!("{head}{tail}").to_lowercase()) {
                findings.report(
                    at,
                    &format!("`{}{tail}`", head.trim_start_matches("/// ")),
                    instead,
                );
            }
        }
    }
    findings.into_text()
}

#[test]
fn no_text_has_one_of_the_worst_words() {
    let files: Vec<_> = EXTENSIONS.iter().copied().flat_map(project_files).collect();
    assert_tidy(&files, 500, check_words);
}

#[test]
fn a_bad_word_is_named_with_its_line_and_a_better_one() {
    let text = format!("//! Header.\n// Some{} waits.\n", "body");
    assert_eq!(
        check_words("a.rs", &text),
        format!(
            "a.rs:2: `some{}`, use the caller, the user, or the one who acts\n",
            "body"
        )
    );
}
