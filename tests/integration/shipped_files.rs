//! Jobs and scripts that the project ships: each is valid where it stands.

use std::path::Path;
use std::process::Command;

use tidegate_tests::workspace_root;

#[test]
fn the_examples_are_valid_jobs() {
    let examples = workspace_root().join("examples");
    for job in ["parity-sum/job.toml", "word-count/job.toml"] {
        tidegate_tests::tidegate(&examples, &["check", job]).assert_succeeds();
    }
}

#[test]
fn the_scripts_are_valid_shell() {
    let root = workspace_root();
    let mut checked = 0;
    for folder in ["scripts", "scripts/lib", "scripts/sdk"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("the folder can be listed");
        for entry in entries {
            let path = entry.expect("an entry can be read").path();
            if path.extension().is_some_and(|extension| extension == "sh") {
                assert!(is_valid_shell(&path), "{}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 8, "only {checked} scripts were found");
}

fn is_valid_shell(script: &Path) -> bool {
    let checked = Command::new("bash").arg("-n").arg(script).status();
    checked.expect("bash can be started").success()
}
