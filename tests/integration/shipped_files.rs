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
    let scripts = [
        "demo.sh",
        "guest-toolchain.sh",
        "host-toolchain.sh",
        "test-tools.sh",
    ];
    for script in scripts.map(|name| root.join("scripts").join(name)) {
        assert!(is_valid_shell(&script), "{}", script.display());
    }
}

fn is_valid_shell(script: &Path) -> bool {
    let checked = Command::new("bash").arg("-n").arg(script).status();
    checked.expect("bash can be started").success()
}
