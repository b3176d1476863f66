//! Documents: each begins with its title, its prose wraps at 100 columns, and its links lead to
//! existing targets.

use std::path::Path;

use tidegate_tests::workspace_root;

use super::LINE_CHARS;
use super::project::{Findings, assert_tidy, project_files};

fn check_markdown(path: &str, text: &str, exists: impl Fn(&Path) -> bool) -> String {
    let mut findings = Findings::of(path);
    if !text.starts_with("# ") {
        findings.report(0, "no title", "a first line `# Title`");
    }
    check_width(text, &mut findings);
    // This test can't check external links.
    let directory = Path::new(path).parent().unwrap_or(Path::new(""));
    for (at, line) in text.lines().enumerate() {
        for link in line.split("](").skip(1) {
            let target = link.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            let is_elsewhere = file.is_empty() || file.contains("://");
            if !is_elsewhere && !exists(&directory.join(file)) {
                findings.report(at, &format!("dead link `{target}`"), "a file that exists");
            }
        }
    }
    findings.into_text()
}

/// Checks that prose wraps. Tables, blocks of code and long words are exempt.
fn check_width(text: &str, findings: &mut Findings<'_>) {
    let mut is_block = false;
    for (at, line) in text.lines().enumerate() {
        let begins = line.trim_start();
        if begins.starts_with("```") {
            is_block = !is_block;
        }
        let is_code = is_block || line.starts_with("    ");
        let is_table = begins.starts_with('|');
        // A word that is longer than a line, such as a link, stands alone.
        let marks = |word: &str| matches!(word, "-" | "*" | ">") || word.ends_with("]:");
        let words = begins.split_whitespace().filter(|word| !marks(word));
        let can_wrap = words.count() > 1;
        if !is_code && !is_table && can_wrap && line.chars().count() > LINE_CHARS {
            findings.report(at, "more than 100 characters", "two lines");
        }
    }
}

#[test]
fn every_document_has_a_title_short_lines_and_live_links() {
    let root = workspace_root();
    let exists = |path: &Path| root.join(path).exists();
    assert_tidy(&project_files("md"), 20, |path, text| {
        check_markdown(path, text, exists)
    });
}

#[test]
fn a_dead_link_and_a_long_line_of_prose_are_named() {
    let found = check_markdown("docs/a.md", "# A\n[b](b.md) [c](https://c)\n", |_| false);
    assert_eq!(
        found,
        "docs/a.md:2: dead link `b.md`, use a file that exists\n"
    );
    let long = "a ".repeat(51);
    let url = format!("- https://{}", "x".repeat(100));
    let text = format!("A\n{long}\n```\n{long}\n```\n    {long}\n| {long} |\n{url}\n- {long}\n");
    assert_eq!(
        check_markdown("a.md", &text, |_| true),
        "a.md:1: no title, use a first line `# Title`\n\
         a.md:2: more than 100 characters, use two lines\n\
         a.md:9: more than 100 characters, use two lines\n"
    );
}
