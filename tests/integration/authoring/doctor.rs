//! `tidegate doctor` on machines that lack tools, or have others, and a build with the tools that
//! it installed. `scripts/dist/first-hour.sh` installs the real ones.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tidegate_tests::{Finished, Running, binary};

use super::scratch;

/// A machine of its own: an empty home, a `PATH` with one folder, and a binary outside of a
/// checkout.
struct Machine {
    folder: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Self {
        let folder = scratch(name);
        for name in ["home", "bin", "opt/bin", "work"] {
            fs::create_dir_all(folder.join(name)).expect("a folder can be made");
        }
        let tidegate = folder.join("opt/bin/tidegate");
        fs::hard_link(binary(), tidegate).expect("both are in the target directory");
        Self { folder }
    }

    /// Puts a program of a few lines of shell on the `PATH`.
    fn with_program(&self, name: &str, lines: &str) {
        let path = self.folder.join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is ours");
    }

    fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    fn tidegate(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(self.folder.join("opt/bin/tidegate"));
        command.args(arguments).current_dir(self.work());
        command.env_clear().env("HOME", self.folder.join("home"));
        command.env("PATH", self.folder.join("bin"));
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        Running::spawn(command).wait()
    }

    /// Returns the state, the version and the place of each tool of a language.
    fn tools(&self, language: &str) -> Vec<String> {
        let finished = self.tidegate(&["doctor", language, "--json"]);
        let reports: Vec<Value> = serde_json::from_str(&finished.stdout).expect("it is JSON");
        let text = |report: &Value, key: &str| report[key].as_str().unwrap_or("-").to_owned();
        let line = |report: &Value| {
            let keys = ["tool", "state", "version", "found_in"];
            keys.map(|key| text(report, key)).join(" ")
        };
        reports.iter().map(line).collect()
    }

    /// Returns the folder of the tools that `tidegate doctor --fix` installs.
    fn own_tools(&self) -> PathBuf {
        self.folder.join("home/.local/share/tidegate/tools")
    }
}

/// An npm that makes the programs of both packages, writes its arguments, and fails on demand.
const NPM: &str = r#"
echo "$*" >>"$HOME/npm-calls"
[ ! -e "$HOME/npm-fails" ] || exit 1
for tool in componentize-qjs esbuild; do
    version=$(/bin/grep -A1 "\"node_modules/$tool\"" package-lock.json |
        /bin/sed -n 's/.*"version": "\(.*\)".*/\1/p')
    /bin/mkdir -p node_modules/.bin "node_modules/$tool/bin"
    echo "{ \"version\": \"$version\" }" >"node_modules/$tool/package.json"
    echo '#!/bin/sh' >"node_modules/$tool/bin/$tool"
    /bin/chmod +x "node_modules/$tool/bin/$tool"
    /bin/ln -s "../$tool/bin/$tool" "node_modules/.bin/$tool"
done"#;

fn calls(machine: &Machine) -> String {
    fs::read_to_string(machine.folder.join("home/npm-calls")).unwrap_or_default()
}

#[test]
fn an_empty_machine_lacks_every_tool_and_each_has_a_remedy() {
    let machine = Machine::new("doctor/empty");
    let python = machine.tidegate(&["doctor", "python"]);
    python.assert_fails(
        1,
        &[
            "python needs componentize-py",
            "`tidegate doctor python --fix`",
            "error: 1 tool(s) missing",
        ],
    );
    assert!(python.stdout.contains("missing"), "{python:#?}");
    assert_eq!(machine.tools("python"), ["componentize-py missing - -"]);
    assert_eq!(
        machine.tools("javascript"),
        [
            "node missing - -",
            "componentize-qjs missing - -",
            "esbuild missing - -"
        ]
    );
    assert_eq!(
        machine.tools("c"),
        [
            "cmake missing - -",
            "ninja or make missing - -",
            "clang for wasm32-wasi missing - -"
        ]
    );
    // An overview asks for nothing, so nothing that it needs is missing.
    let all = machine.tidegate(&["doctor"]);
    all.assert_succeeds();
    for language in ["rust", "c", "python", "go", "javascript"] {
        assert!(all.stdout.contains(language), "{all:#?}");
    }
    assert_eq!(machine.tools("typescript"), machine.tools("javascript"));
    assert_eq!(machine.tools("cpp"), machine.tools("c"));
    assert!(!machine.own_tools().exists(), "nothing is written");
}

#[test]
fn a_project_asks_for_its_language_and_a_build_names_the_doctor() {
    let machine = Machine::new("doctor/project");
    machine
        .tidegate(&["new", "total", "--lang", "python"])
        .assert_succeeds();
    let report = machine.tidegate(&["doctor"]);
    report.assert_fails(1, &["python needs componentize-py"]);
    assert!(!report.stdout.contains("esbuild"), "{report:#?}");
    let build = machine.tidegate(&["build", "total"]);
    build.assert_fails(1, &["was not found; run `tidegate doctor python --fix`"]);
}

#[test]
fn a_tool_that_is_too_old_is_not_ready() {
    let machine = Machine::new("doctor/old");
    machine.with_program("componentize-py", "echo componentize-py 0.9.9");
    machine.with_program("node", "echo v18.20.4");
    machine.with_program("esbuild", "");
    assert_eq!(
        machine.tools("python"),
        ["componentize-py wrong-version 0.9.9 machine"]
    );
    assert_eq!(
        machine.tools("javascript"),
        [
            "node wrong-version 18.20.4 machine",
            "componentize-qjs missing - -",
            "esbuild ready - machine"
        ]
    );
    machine.with_program("componentize-py", "echo componentize-py 99.0.0");
    machine.with_program("node", "echo v99.1.0");
    assert_eq!(
        machine.tools("python"),
        ["componentize-py ready 99.0.0 machine"]
    );
    assert_eq!(machine.tools("javascript")[0], "node ready 99.1.0 machine");
}

#[test]
fn what_can_not_be_installed_without_root_is_named() {
    let machine = Machine::new("doctor/impossible");
    machine.tidegate(&["doctor", "c", "--fix"]).assert_fails(
        1,
        &[
            "c: no package index has a C compiler",
            "error: 3 tool(s) missing",
        ],
    );
    machine
        .tidegate(&["doctor", "python", "--fix"])
        .assert_fails(
            1,
            &["python: there is no Python 3.11 or newer with venv and pip"],
        );
    machine
        .tidegate(&["doctor", "javascript", "--fix"])
        .assert_fails(1, &["javascript: there is no npm"]);
    machine
        .tidegate(&["doctor", "--fix"])
        .assert_fails(2, &["there is no project in this folder: name a language"]);
}

#[test]
fn tools_are_installed_once_and_used_before_those_of_the_machine() {
    let machine = Machine::new("doctor/npm");
    machine.with_program("npm", NPM);
    machine.with_program("node", "echo v22.1.0");
    machine.with_program("componentize-qjs", "");
    let fixed = machine.tidegate(&["doctor", "javascript", "--fix"]);
    fixed.assert_succeeds();
    assert!(
        fixed.stderr.contains("installing the tools of javascript"),
        "{fixed:#?}"
    );
    let calls_before = calls(&machine);
    assert!(
        calls_before.starts_with("ci --ignore-scripts"),
        "{calls_before}"
    );
    assert!(machine.tools("javascript")[1].ends_with(" tidegate"));
    assert!(machine.tools("javascript")[2].ends_with(" tidegate"));
    machine
        .tidegate(&["doctor", "javascript", "--fix"])
        .assert_succeeds();
    assert_eq!(calls(&machine), calls_before, "nothing was missing");
    let mode = fs::metadata(machine.own_tools())
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
}

#[test]
fn an_installation_that_fails_is_not_used_and_is_begun_again() {
    let machine = Machine::new("doctor/failed");
    machine.with_program("npm", NPM);
    machine.with_program("node", "echo v22.1.0");
    let fails = machine.folder.join("home/npm-fails");
    fs::write(&fails, "").expect("it can be written");
    let failed = machine.tidegate(&["doctor", "javascript", "--fix"]);
    failed.assert_fails(
        1,
        &["npm ci` failed: see the errors above", "2 tool(s) missing"],
    );
    fs::remove_file(fails).expect("it is there");
    machine
        .tidegate(&["doctor", "javascript", "--fix"])
        .assert_succeeds();
}

#[test]
fn tools_that_others_may_change_are_neither_used_nor_installed() {
    let machine = Machine::new("doctor/open");
    machine.with_program("npm", NPM);
    machine.with_program("node", "echo v22.1.0");
    machine
        .tidegate(&["doctor", "javascript", "--fix"])
        .assert_succeeds();
    let open = Permissions::from_mode(0o777);
    fs::set_permissions(machine.own_tools(), open).expect("it is ours");
    assert_eq!(machine.tools("javascript")[2], "esbuild missing - -");
    let refused = machine.tidegate(&["doctor", "javascript", "--fix"]);
    refused.assert_fails(1, &["other users may write to", "chmod go-w"]);
}

#[test]
fn with_installed_tools_a_package_of_the_sdk_alone_needs_no_npm() {
    let machine = Machine::new("doctor/link");
    machine.with_program("npm", NPM);
    machine.with_program("node", "echo v22.1.0");
    machine
        .tidegate(&["new", "total", "--lang", "javascript"])
        .assert_succeeds();
    machine.tidegate(&["doctor", "--fix"]).assert_succeeds();
    let before = calls(&machine);
    // The programs of this machine do nothing, so the build fails after it has found them.
    let build = machine.tidegate(&["build", "total"]);
    assert_ne!(build.code, Some(0), "{build:#?}");
    assert_eq!(calls(&machine), before, "npm was not run: {build:#?}");
    let link = machine.work().join("total/node_modules/@tidegate/sdk");
    let target = fs::read_link(link).expect("it is a link");
    assert_eq!(target, Path::new("../.././sdk"));
}
