//! Scripts and workflows that the project ships: each is valid where it stands.

use std::path::Path;
use std::process::Command;

use tidegate_tests::workspace_root;

#[test]
fn the_scripts_are_valid_shell() {
    let root = workspace_root();
    let mut checked = 0;
    for folder in ["scripts", "scripts/dist", "scripts/lib", "scripts/sdk"] {
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

#[test]
fn the_workflows_call_targets_of_the_makefile() {
    let root = workspace_root();
    let read = |path: &Path| std::fs::read_to_string(path).expect("the file is UTF-8");
    let makefile = read(&root.join("Makefile"));
    let has_target = |target: &str| {
        let rules = makefile.lines().filter_map(|line| line.split_once(':'));
        let mut names = rules.flat_map(|(names, _)| names.split_whitespace());
        names.any(|name| name == target)
    };
    let mut called = 0;
    let workflows = std::fs::read_dir(root.join(".github/workflows"));
    for entry in workflows.expect("there are workflows") {
        let path = entry.expect("an entry can be read").path();
        for line in read(&path).lines() {
            if let Some((_, command)) = line.split_once("run: make ") {
                called += 1;
                let target = command.split_whitespace().next().unwrap_or_default();
                // A matrix fills in the rest of a name.
                let target = match target.split_once("${{") {
                    Some((start, _)) => format!("{start}%"),
                    None => target.to_owned(),
                };
                let name = path.display();
                assert!(
                    has_target(&target),
                    "{name}: `make {target}` does not exist"
                );
            }
        }
    }
    assert!(called > 8, "only {called} calls were found");
}
