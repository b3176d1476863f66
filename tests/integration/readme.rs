//! The README's own example, built and run as it stands there.

use std::path::Path;
use std::process::Command;

use tidegate_tests::{JobDirectory, guest, published_lines, workspace_root};

/// The code block that follows `` `name`: `` in the README.
fn block(readme: &str, name: &str) -> String {
    let heading = format!("`{name}`:");
    let (_, after) = readme
        .split_once(&heading)
        .expect("the README names the file");
    let (_, after) = after.split_once("\n```").expect("a code block follows");
    let (_, body) = after.split_once('\n').expect("a code block has lines");
    let (body, _) = body.split_once("\n```").expect("a code block ends");
    format!("{body}\n")
}

#[test]
fn the_operator_of_the_readme_builds_and_runs() {
    let root = workspace_root();
    let readme = std::fs::read_to_string(root.join("README.md")).expect("there is a README");
    let source = block(&readme, "greet/src/lib.rs");
    assert!(
        source.lines().count() < 30,
        "an operator takes under 30 lines"
    );
    let job = JobDirectory::new(&block(&readme, "job.toml"));
    std::fs::create_dir_all(job.path().join("greet/src")).expect("a directory can be made");
    let sdk = root.join("guest-sdk/rust");
    let manifest = block(&readme, "greet/Cargo.toml");
    job.write(
        "greet/Cargo.toml",
        manifest.replace("../guest-sdk/rust", &sdk.to_string_lossy()),
    );
    job.write("greet/src/lib.rs", source);
    // The lock file of the examples names versions that are here already, without network.
    let lock = root.join("examples/Cargo.lock");
    std::fs::copy(lock, job.path().join("greet/Cargo.lock")).expect("a file can be copied");
    let target = root.join("target");
    job.tidegate(&["build", "greet", "--target-dir", &target.to_string_lossy()])
        .assert_succeeds();
    job.tidegate(&["check", "job.toml"]).assert_succeeds();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let mut lines = published_lines(&job.path().join("output"));
    lines.sort();
    let expected: Vec<String> = ["0", "1"]
        .iter()
        .flat_map(|name| (1..=5).map(move |times| format!("hello, {name}: {times}")))
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn the_examples_are_valid_jobs() {
    let examples = workspace_root().join("examples");
    for operator in ["parity-sum/operators/sum", "word-count/operators/count"] {
        let component = guest(&format!("examples/{operator}"));
        assert!(component.is_file(), "it was built");
    }
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
        "lib/packages.sh",
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
