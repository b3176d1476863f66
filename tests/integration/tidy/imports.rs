//! No test imports another: `tests/support`, or the module `support` of a crate's tests, holds the
//! code that several share. A test in a folder may use the code that the folder shares.

use super::project::{Findings, assert_tidy, project_files};

/// Returns the top-level test module of a file: its folder, or its own name.
fn module(path: &str) -> Option<&str> {
    let in_binary = path.strip_prefix("tests/integration/").or_else(|| {
        let (_, below) = path.strip_prefix("host/")?.split_once("/tests/")?;
        Some(below.split_once('/')?.1)
    })?;
    let first = in_binary.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

fn check_imports(path: &str, text: &str) -> String {
    let mut findings = Findings::of(path);
    let Some(own) = module(path).filter(|module| *module != "main") else {
        return findings.into_text();
    };
    let code = |(_, line): &(usize, &str)| !line.trim_start().starts_with("//");
    for (at, line) in text.lines().enumerate().filter(code) {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let names = line.split("crate::").skip(1);
        let mut modules = names.map(|rest| rest.split(|c| !is_letter(c)).next());
        let is_other = |module: Option<&str>| module != Some(own) && module != Some("support");
        if modules.any(is_other) && !line.contains('"') {
            findings.report(at, "a test that imports another", "tests/support");
        }
    }
    findings.into_text()
}

#[test]
fn no_test_imports_another() {
    assert_tidy(&project_files("rs"), 50, check_imports);
}

#[test]
fn an_import_of_another_test_is_named_with_its_line() {
    let text = "use crate::storage::x;\nuse crate::kill::{Kills, y};\n// crate::kill\n";
    assert_eq!(
        check_imports("tests/integration/storage/a.rs", text),
        "tests/integration/storage/a.rs:2: a test that imports another, use tests/support\n"
    );
    let text = "use crate::support::x;\nuse crate::kill::y;\n";
    assert_eq!(
        check_imports("host/cli/tests/cli/a.rs", text),
        "host/cli/tests/cli/a.rs:2: a test that imports another, use tests/support\n"
    );
    assert_eq!(check_imports("host/cli/src/a.rs", text), "");
}
