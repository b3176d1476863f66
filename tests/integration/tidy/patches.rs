//! The mutants: each patch fits the sources, so that `make mutants` can apply it.

use std::fmt::Write as _;

use tidegate_tests::workspace_root;

use super::project::{assert_tidy, project_files};

/// Reports the hunks of a patch whose old lines are not in their file.
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

#[test]
fn every_mutant_fits_the_sources() {
    let read = |name: &str| std::fs::read_to_string(workspace_root().join(name)).ok();
    assert_tidy(&project_files("patch"), 20, |path, text| {
        check_patch(path, text, read)
    });
}

#[test]
fn a_patch_that_does_not_fit_is_named_with_its_file() {
    let patch = "Why.\n\n--- a/a.rs\n+++ b/a.rs\n@@ -1,2 +1,1 @@\n a\n-b\n";
    let read = |text: &'static str| move |_: &str| Some(text.to_owned());
    assert_eq!(check_patch("m.patch", patch, read("a\nb\n")), "");
    assert_eq!(
        check_patch("m.patch", patch, read("a\nc\nb\n")),
        "m.patch: does not fit `a.rs`, recreate the patch (`make mutants` uses it)\n"
    );
}
