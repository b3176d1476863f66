//! Foreign text that is shown on a terminal: file names, and strings of job files and of forged
//! manifests. No control character gets through, no line is forged, and JSON stays valid.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_checkpoint::{JobGraph, Manifest, SnapshotContents};
use tidegate_operator::is_steering;

use crate::support::{COPY, Ended, JobDirectory, ended};

/// Text that clears the screen, sets a title, begins a line, turns the direction of text, and
/// hides.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]0;t\u{7}\nforged: line\r\u{9b}31m\u{202e}\u{200b}\u{7f}";
/// The same text as a string of TOML.
const IN_TOML: &str =
    "x\\u001b[2J\\u001b]0;t\\u0007\\nforged: line\\r\\u009b31m\\u202e\\u200b\\u007f";

/// Asserts that all output is safe for a terminal.
#[track_caller]
fn assert_quiet(ended: &Ended, what: &str) {
    for text in [&ended.stdout, &ended.stderr] {
        let loud = text.chars().find(|c| *c != '\n' && is_steering(*c));
        assert_eq!(loud, None, "{what}: {text:?}");
        let forged = text.lines().find(|line| line.starts_with("forged"));
        assert_eq!(forged, None, "{what}: {text:?}");
    }
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn a_file_name_neither_steers_a_terminal_nor_forges_a_line() {
    let place = JobDirectory::new(COPY);
    let bad = format!("{HOSTILE}.toml");
    place.write(&bad, COPY.replace("to = 10", "too = 10"));
    let good = format!("{HOSTILE}-good.toml");
    place.write(&good, COPY);
    let missing = format!("{HOSTILE}-missing.toml");
    let folder = format!("{HOSTILE}-folder");
    std::fs::create_dir_all(place.path().join(&folder).join("state")).unwrap();
    let mut seen = 0;
    for name in [&bad, &missing, &folder] {
        for arguments in [
            &["run", name.as_str()][..],
            &["check", name],
            &["check", name, "--json"],
            &["graph", name],
            &["status", name],
            &["stop", name, "--savepoint", name],
            &["savepoint", name, name],
            &["checkpoint", "list", name],
            &["checkpoint", "inspect", name, "--json"],
            &["checkpoint", "verify", name],
            &["checkpoint", "verify", "--drill", name, name],
            &["checkpoint", "diff", name, name],
            &["run", "job.toml", "--from", name],
            &["test", name],
            &["build", name],
            &["new", name, "--lang", "rust"],
            &["new", "fine", "--lang", "rust", "--sdk", name],
            &["--log", name, "check", "job.toml"],
            &[name],
            &["check", "job.toml", name],
            &["stop", "job.toml", "--timeout", name],
            &["check", "job.toml", "--parallelism", name],
            &["graph", "job.toml", "--format", name],
        ] {
            let refused = place.tidegate(arguments);
            assert_ne!(refused.code, Some(101), "{arguments:?}: {refused:?}");
            assert_quiet(&refused, &format!("{arguments:?}"));
            seen += usize::from(
                refused
                    .stderr
                    .contains("x\\u{1b}[2J\\u{1b}]0;t\\u{7}\\nforged"),
            );
        }
    }
    assert!(seen > 50, "only {seen} of them were named");
    let checked = place.tidegate(&["check", &good, "--json"]);
    assert_quiet(&checked, "a good job file");
    assert_eq!(json(&checked)["ok"], true);
}

#[test]
fn strings_of_a_job_file_neither_steer_a_terminal_nor_forge_a_line() {
    let full = COPY
        .replace(
            "[source",
            "[checkpoint]\ndirectory = \"state\"\ninterval = \"1s\"\n[restart]\nstrategy = \
             \"none\"\n[source.f]\nconnector = \"file\"\npath = \"in/*.txt\"\nformat = \"lines\"\n\
             [operator.o]\ncomponent = \"o.wasm\"\ninputs = [{ from = \"f\", partition = \"hash\" \
             }]\noutputs = [\"main\"]\nlimits = { memory = \"1MiB\" }\nconfig = { a = 1 }\n\
             recycle-at = \"75%\"\n[source",
        )
        .replace(
            "{ from = \"numbers\" }",
            "{ from = \"numbers\" }, { from = \"o:main\" }",
        );
    let place = JobDirectory::new(&full);
    let mut named = 0;
    for (good, bad) in [
        ("name = \"copy\"", "name = \"‹›\""),
        ("directory = \"state\"", "directory = \"/dev/null/‹›\""),
        ("interval = \"1s\"", "interval = \"1‹›\""),
        ("interval", "\"‹›\""),
        ("\"none\"", "\"‹›\""),
        ("connector = \"generator\"", "connector = \"‹›\""),
        ("path = \"in/*.txt\"", "path = \"‹›/*.txt\""),
        ("format = \"lines\"", "format = \"‹›\""),
        ("\"o.wasm\"", "\"‹›\""),
        ("{ from = \"f\"", "{ from = \"‹›\""),
        ("{ from = \"o:main\" }", "{ from = \"o:‹›\" }"),
        ("\"hash\"", "\"‹›\""),
        ("[\"main\"]", "[\"‹›\"]"),
        ("\"1MiB\"", "\"1‹›\""),
        ("{ a = 1 }", "{ \"‹›\" = nan }"),
        ("\"75%\"", "\"‹›\""),
        ("[operator.o]", "[operator.\"‹›\"]"),
        ("[restart]", "[\"‹›\"]"),
        ("version = 1", "version = \"‹›\""),
    ] {
        assert!(full.contains(good), "{good}");
        place.write(
            "bad.toml",
            full.replacen(good, &bad.replace("‹›", IN_TOML), 1),
        );
        for arguments in [
            &["check", "bad.toml"][..],
            &["check", "bad.toml", "--json"],
            &["run", "bad.toml"],
            &["graph", "bad.toml"],
            &["graph", "bad.toml", "--format", "dot"],
            &["graph", "bad.toml", "--json"],
            &["status", "bad.toml"],
        ] {
            let said = place.tidegate(arguments);
            assert_ne!(said.code, Some(101), "{bad}: {said:?}");
            assert_quiet(&said, &format!("{bad}, {arguments:?}"));
            named += usize::from(said.stderr.contains("x\\u{1b}[2J"));
        }
    }
    assert!(named > 40, "only {named} messages quote the string");
    // Text that TOML itself rejects is shown, too.
    place.write("raw.toml", format!("name = \"{HOSTILE}\"\n{HOSTILE}\n"));
    assert_quiet(&place.tidegate(&["check", "raw.toml"]), "raw");
}

/// Replaces every text in the manifest of the newest checkpoint by hostile text, and returns its
/// path.
fn forge(state: &Path) -> PathBuf {
    let newest = std::fs::read_dir(state.join("checkpoints")).expect("it can be forged");
    let numbers = newest.filter_map(|entry| {
        entry
            .expect("it can be forged")
            .file_name()
            .to_str()?
            .parse()
            .ok()
    });
    let newest: u64 = numbers.max().expect("there is a checkpoint");
    let path = state.join("checkpoints").join(newest.to_string());
    let mut manifest = Manifest::decode(&std::fs::read(&path).expect("it can be forged"))
        .expect("it can be forged");
    let mut nodes = manifest.graph.nodes().to_vec();
    for node in &mut nodes {
        node.implementation = HOSTILE.to_owned();
        node.digest = Some(HOSTILE.to_owned());
        node.outputs
            .iter_mut()
            .for_each(|port| *port = HOSTILE.to_owned());
    }
    let edges = manifest.graph.edges().to_vec();
    manifest.graph =
        JobGraph::new(HOSTILE.to_owned(), 128, nodes, edges).expect("it can be forged");
    for subtask in &mut manifest.subtasks {
        if let SnapshotContents::Source { splits } = &mut subtask.contents {
            for split in splits {
                split.name = HOSTILE.to_owned();
            }
        }
    }
    std::fs::write(&path, manifest.encode().expect("it can be forged")).expect("it can be forged");
    path
}

#[test]
fn a_forged_manifest_neither_steers_a_terminal_nor_forges_a_line() {
    let place = JobDirectory::new(COPY);
    assert_eq!(place.tidegate(&["run", "job.toml"]).code, Some(0));
    let forged = forge(&place.path().join("state"));
    let forged = forged.to_str().unwrap();
    for name in ["x\nforged: 1", "7\u{1b}[2J", "\u{9b}2J"] {
        place.write(&format!("state/checkpoints/{name}"), "x");
        place.write(&format!("state/state/{name}"), "x");
    }
    let mut names = 0;
    for arguments in [
        &["checkpoint", "list", "state"][..],
        &["checkpoint", "inspect", forged],
        &["checkpoint", "verify", "state"],
        &["checkpoint", "diff", "state"],
        &["checkpoint", "diff", "state/checkpoints/0", forged],
        &["checkpoint", "verify", "--drill", "job.toml", "state"],
    ] {
        let shown = place.tidegate(arguments);
        assert_quiet(&shown, &format!("{arguments:?}"));
        names += usize::from(shown.stdout.contains("\\u{1b}[2J"));
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let shown = place.tidegate(&arguments);
        assert_quiet(&shown, &format!("{arguments:?}"));
        if shown.code == Some(0) {
            names += usize::from(json(&shown).to_string().contains("forged"));
        }
    }
    assert!(names >= 8, "only {names} answers show the text");
    let inspected = json(&place.tidegate(&["checkpoint", "inspect", forged, "--json"]));
    assert_eq!(inspected["job"], HOSTILE, "escaped, and the same text");
    // The job differs from the checkpoint's: a refusal of several lines, all of them ours.
    let refused = place.tidegate(&["run", "job.toml"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert_quiet(&refused, "run");
    assert!(
        refused.stderr.contains("\n    - job `x\\u{1b}[2J"),
        "{refused:?}"
    );
}

#[test]
fn an_input_file_is_named_on_one_line_of_progress_log_and_error() {
    let source = "connector = \"file\"\npath = \"in/*\"\nformat = \"lines\"";
    let job = COPY.replace("connector = \"generator\"\nto = 10", source);
    let restart = "\n[restart]\nstrategy = \"fixed-delay\"\ndelay = \"0s\"\nattempts = 1\n";
    let place = JobDirectory::new(&job.replace("\n[source", &format!("{restart}\n[source")));
    std::fs::create_dir(place.path().join("in")).unwrap();
    // One line, longer than the limit: an error that names the file, in each attempt.
    place.write(&format!("in/{HOSTILE}.txt"), vec![b'x'; 2 << 20]);
    for log in ["warn", "trace"] {
        let failed = place.tidegate(&["run", "job.toml", "--fresh", "--log", log]);
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert_quiet(&failed, log);
        let name = "in/x\\u{1b}[2J\\u{1b}]0;t\\u{7}\\nforged: line";
        for said in ["restart 1: ", "error: "] {
            let line = failed.stderr.lines().find(|line| line.starts_with(said));
            assert!(
                line.is_some_and(|line| line.contains(name)),
                "{said}{failed:?}"
            );
        }
    }
}

#[test]
fn a_path_that_is_not_utf_8_is_whole_in_json_and_escaped_in_text() {
    let place = JobDirectory::new(COPY);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\n");
    let folder = place.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("job.toml"), COPY).unwrap();
    let mut command = place.command(&["check", "--json"]);
    let checked = ended(command.arg(Path::new(name).join("job.toml")));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    // "café\n/state" in Latin-1.
    let expected = serde_json::json!({ "hex": "636166e90a2f7374617465" });
    assert_eq!(json(&checked)["checkpoint_directory"], expected);
    let mut command = place.command(&["status"]);
    let refused = ended(command.arg(Path::new(name).join("job.toml")));
    assert_eq!(refused.stderr, "error: no job runs on caf\\xe9\\n/state\n");
}
