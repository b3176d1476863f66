//! Every patch of `tests/mutants` still applies to the sources, without fuzz. Whether the
//! simulation catches the mutants is the business of `make mutants`.

use std::process::Command;

use tidegate_tests::workspace_root;

#[test]
fn every_mutant_still_applies_to_the_sources() {
    let root = workspace_root();
    let folder = root.join("tests/mutants");
    let mut patches = 0;
    let mut stale = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("the folder of mutants is there") {
        let path = entry.expect("an entry can be read").path();
        if path
            .extension()
            .is_none_or(|extension| extension != "patch")
        {
            continue;
        }
        patches += 1;
        let dry_run = Command::new("git")
            .args(["apply", "--check"])
            .arg(&path)
            .current_dir(&root)
            .output()
            .expect("`git` is installed");
        if !dry_run.status.success() {
            let said = String::from_utf8_lossy(&dry_run.stderr).into_owned();
            stale.push(format!("{}: {said}", path.display()));
        }
    }
    assert!(patches > 0, "there is no mutant in {}", folder.display());
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}
