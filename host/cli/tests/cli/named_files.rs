//! Files and directories that a user names or that are in a checkpoint directory: kinds that are
//! not read, numbers that are not trusted, and places where Tidegate writes nothing.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidegate_checkpoint::Manifest;
use tidegate_connector::CheckpointId;

use crate::support::{COPY, Ended, JobDirectory, ended, endless, wait_for};

const OPERATOR: &str = r#"version = 1
name = "copy"

[source.numbers]
connector = "generator"
to = 10

[operator.same]
component = "‹component›"
inputs = [{ from = "numbers" }]

[sink.gone]
connector = "discard"
inputs = [{ from = "same" }]
"#;

/// Kinds of files other than regular files of a disk, and the message for each.
const OTHER_KINDS: [(&str, &str); 7] = [
    ("pipe", "it is a named pipe"),
    ("socket", "it is a socket"),
    ("folder", "it is a directory"),
    ("link-to-pipe", "it is a named pipe"),
    ("/dev/zero", "it is a device"),
    ("/proc/kmsg", "procfs"),
    ("/proc/self/environ", "procfs"),
];

/// Runs a process that waits for ever if it fails the test, with a time limit.
fn ended_in_time(command: &Command) -> Ended {
    let mut bounded = Command::new("timeout");
    bounded
        .arg("60")
        .arg(command.get_program())
        .args(command.get_args());
    bounded.current_dir(command.get_current_dir().expect("tests set it"));
    bounded.stdin(std::process::Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    ended(&mut bounded)
}

#[test]
fn a_job_file_scenario_or_component_of_another_kind_is_refused_by_its_kind() {
    let place = JobDirectory::new(COPY);
    let made = Command::new("mkfifo")
        .arg(place.path().join("pipe"))
        .status();
    assert!(made.expect("mkfifo is there").success());
    let _socket = std::os::unix::net::UnixListener::bind(place.path().join("socket")).unwrap();
    fs::create_dir(place.path().join("folder")).unwrap();
    symlink("pipe", place.path().join("link-to-pipe")).unwrap();
    for (path, what) in OTHER_KINDS {
        for command in ["check", "run", "status"] {
            let refused = ended_in_time(&place.command(&[command, path]));
            assert_eq!(refused.code, Some(2), "{command} {path}: {refused:?}");
            assert!(
                refused.stderr.contains(what),
                "{command} {path}: {refused:?}"
            );
        }
        if what != "it is a directory" {
            let refused = ended_in_time(&place.command(&["test", path]));
            assert_eq!(refused.code, Some(2), "test {path}: {refused:?}");
            assert!(refused.stderr.contains(what), "test {path}: {refused:?}");
        }
        place.write("operator.toml", OPERATOR.replace("‹component›", path));
        let refused = ended_in_time(&place.command(&["check", "operator.toml"]));
        assert_eq!(refused.code, Some(2), "component {path}: {refused:?}");
        assert!(
            refused.stderr.contains(what),
            "component {path}: {refused:?}"
        );
    }
}

/// Returns a directory in which the job has finished.
fn finished() -> JobDirectory {
    let place = JobDirectory::new(COPY);
    assert_eq!(place.tidegate(&["run", "job.toml"]).code, Some(0));
    place
}

/// Returns the newest checkpoint's number and manifest.
fn newest(place: &JobDirectory) -> (u64, Manifest) {
    let entries = fs::read_dir(place.path().join("state/checkpoints")).expect("it is a checkpoint");
    let numbers = entries.filter_map(|entry| {
        entry
            .expect("it is a checkpoint")
            .file_name()
            .to_str()?
            .parse()
            .ok()
    });
    let newest: u64 = numbers.max().expect("there is a checkpoint");
    let path = place.path().join(format!("state/checkpoints/{newest}"));
    (
        newest,
        Manifest::decode(&fs::read(path).expect("it is a checkpoint")).expect("it is a checkpoint"),
    )
}

#[track_caller]
fn assert_refused(refused: &Ended, file: &str) {
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains(file), "{file}: {refused:?}");
}

#[test]
fn a_number_that_would_wrap_is_refused_wherever_it_stands() {
    const LARGEST: &str = "18446744073709551615";
    for number in [LARGEST, "18446744073709551614", "9223372036854775808"] {
        for (directory, name) in [
            ("checkpoints", number.to_owned()),
            ("state", format!("{number}-count-0-1")),
            ("state", format!("1-count-0-{number}")),
            ("checkpoints", format!(".1.{number}.tmp")),
        ] {
            let place = finished();
            place.write(&format!("state/{directory}/{name}"), "x");
            assert_refused(&place.tidegate(&["run", "job.toml"]), &name);
        }
        for line in ["attempt", "newest"] {
            let place = finished();
            let lock = place.path().join("state/LOCK");
            let text = fs::read_to_string(&lock).unwrap();
            let with = |old: &str| match old.split_once(' ') {
                Some((key, _)) if key == line => format!("{key} {number}\n"),
                Some(_) | None => format!("{old}\n"),
            };
            fs::write(&lock, text.lines().map(with).collect::<String>()).unwrap();
            assert_refused(&place.tidegate(&["run", "job.toml"]), "LOCK");
        }
    }
    let place = finished();
    place.write(&format!("state/checkpoints/{LARGEST}"), "x");
    for command in ["list", "inspect", "verify", "diff"] {
        assert_refused(&place.tidegate(&["checkpoint", command, "state"]), LARGEST);
    }
}

#[test]
fn a_manifest_with_the_right_digest_and_a_number_that_would_wrap_is_refused() {
    let place = finished();
    let (number, manifest) = newest(&place);
    for forge in [
        |manifest: &mut Manifest| manifest.attempt = u64::MAX,
        |manifest: &mut Manifest| manifest.checkpoint = CheckpointId(u64::MAX),
    ] {
        let mut forged = manifest.clone();
        forge(&mut forged);
        let error = forged.encode().unwrap_err().to_string();
        assert!(
            error.contains("the largest is 9223372036854775807"),
            "{error}"
        );
    }
    // `encode` refuses, so the test forges the bytes: the attempt's, and a digest over all.
    let mut largest = manifest;
    largest.attempt = u64::MAX >> 1;
    let bytes = largest.encode().unwrap();
    // The number in postcard's encoding: seven bits per byte, the lowest first.
    let written = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let at = bytes
        .windows(9)
        .position(|found| found == written)
        .expect("it is there");
    let mut body = bytes[20..at].to_vec();
    body.extend([0xff; 9]);
    body.push(0x01);
    body.extend(&bytes[at + 9..bytes.len() - 32]);
    let mut forged = bytes[..12].to_vec();
    forged.extend(u64::try_from(body.len()).unwrap().to_le_bytes());
    forged.extend(body);
    let digest = blake3::hash(&forged);
    forged.extend(digest.as_bytes());
    let path = format!("state/checkpoints/{number}");
    place.write(&path, forged);
    for arguments in [
        &["run", "job.toml"][..],
        &["checkpoint", "inspect", &path],
        &["run", "job.toml", "--from", &path],
    ] {
        let refused = place.tidegate(arguments);
        assert_refused(&refused, &path);
        let reason = "its attempt is 18446744073709551615; the largest is 9223372036854775807";
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
}

/// Returns everything in a directory, including the directory itself.
fn all_in(path: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![path.to_owned()];
    if fs::symlink_metadata(path).expect("it can be read").is_dir() {
        for entry in fs::read_dir(path).expect("it can be read") {
            found.extend(all_in(&entry.expect("it can be read").path()));
        }
    }
    found
}

/// Returns the command `tidegate` with these arguments under a umask of 0.
fn without_umask(place: &JobDirectory, arguments: &[&str]) -> Command {
    let inner = place.command(arguments);
    let mut command = place.command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0 && exec \"$0\" \"$@\""]);
    shell
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(place.path());
    for (name, value) in command.env("LC_ALL", "C").get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(std::process::Stdio::null());
    shell
}

#[test]
fn state_and_savepoints_are_closed_to_others_whatever_the_umask_is() {
    let place = JobDirectory::new(&endless().replace("[source", "drill-every = 1\n[source"));
    let mut run = without_umask(&place, &["run", "job.toml"]);
    let mut run = run.stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for(&place, "running");
    let stopped = place.tidegate(&["stop", "job.toml", "--savepoint", "made/savepoints"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    run.wait().unwrap();
    let mut seen = 0;
    for directory in ["state", "made"] {
        for path in all_in(&place.path().join(directory)) {
            let mode = fs::symlink_metadata(&path).unwrap().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o} {}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 8, "only {seen} files and directories");
}

#[test]
fn a_savepoint_into_the_job_s_own_directories_is_refused_and_the_job_goes_on() {
    let job = endless().replace("\"discard\"", "\"file\"\ndirectory = \"output\"");
    let place = JobDirectory::new(&job);
    let (mut run, _) = place.start(&["run", "job.toml"]);
    wait_for(&place, "running");
    symlink("state", place.path().join("to-state")).unwrap();
    symlink("output", place.path().join("to-output")).unwrap();
    fs::create_dir(place.path().join("beside")).unwrap();
    for (path, what) in [
        ("state", "the job's checkpoint directory"),
        ("state/savepoints", "the job's checkpoint directory"),
        ("state/checkpoints", "the job's checkpoint directory"),
        ("beside/../state/x", "the job's checkpoint directory"),
        ("to-state/x", "the job's checkpoint directory"),
        ("output", "the output directory of sink `gone`"),
        ("to-output/deep/er", "the output directory of sink `gone`"),
    ] {
        for arguments in [
            &["savepoint", "job.toml", path][..],
            &["stop", "job.toml", "--savepoint", path],
        ] {
            let refused = place.tidegate(arguments);
            assert_eq!(refused.code, Some(2), "{arguments:?}: {refused:?}");
            assert!(refused.stderr.contains(what), "{arguments:?}: {refused:?}");
        }
    }
    wait_for(&place, "running");
    let taken = place.tidegate(&["savepoint", "job.toml", "beside"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let stopped = place.tidegate(&["stop", "job.toml"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    run.wait().unwrap();
}

#[test]
fn a_relative_savepoint_path_works_in_a_directory_that_is_not_utf_8() {
    let place = JobDirectory::new(&endless());
    let folder = place.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    let (mut run, _) = place.start(&["run", "job.toml"]);
    wait_for(&place, "running");
    let in_folder = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        ended(command.current_dir(&folder))
    };
    let taken = in_folder(&["savepoint", "../job.toml", "here", "--json"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let answer: Value = serde_json::from_str(&taken.stdout).unwrap();
    assert!(answer["savepoint"]["hex"].is_string(), "{answer}");
    let stopped = in_folder(&["stop", "../job.toml", "--savepoint", "there"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    assert!(
        stopped.stdout.contains("/caf\\xe9/there/savepoint-copy-"),
        "{stopped:?}"
    );
    run.wait().unwrap();
    for name in ["here", "there"] {
        assert_eq!(
            fs::read_dir(folder.join(name)).unwrap().count(),
            1,
            "{name}"
        );
    }
}

#[test]
fn looking_at_what_is_not_there_says_so_and_gives_no_advice_for_runs() {
    let place = JobDirectory::new(COPY);
    for command in ["list", "inspect", "verify", "diff"] {
        let refused = place.tidegate(&["checkpoint", command, "NOPE"]);
        assert_eq!(refused.code, Some(3), "{command}: {refused:?}");
        assert_eq!(
            refused.stderr,
            "error: NOPE is not a checkpoint directory, savepoint or manifest: there is no such \
             file or directory\n"
        );
    }
    let refused = place.tidegate(&["run", "job.toml", "--from", "NOPE"]);
    assert!(
        refused.stderr.contains("run the job without --from"),
        "{refused:?}"
    );
}

#[test]
fn a_checkpoint_that_fails_is_reported_once() {
    let job = endless().replace("[source", "tolerable-failures = 1000000\n[source");
    let place = JobDirectory::new(&job);
    let (mut run, said) = place.start(&["run", "job.toml", "--log", "debug"]);
    wait_for(&place, "running");
    fs::remove_dir_all(place.path().join("state/checkpoints")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let lines = loop {
        let text = fs::read_to_string(&said).unwrap();
        let failed = |line: &&str| line.contains("checkpoint failed");
        let lines: Vec<String> = text.lines().filter(failed).map(str::to_owned).collect();
        if lines.len() >= 3 {
            break lines;
        }
        assert!(Instant::now() < deadline, "{text}");
        std::thread::sleep(Duration::from_millis(20));
    };
    run.kill().unwrap();
    run.wait().unwrap();
    for (at, line) in lines.iter().enumerate() {
        assert!(
            line.starts_with("a checkpoint failed, the job continues: checkpoint "),
            "{line}"
        );
        assert!(!lines[at + 1..].contains(line), "{line}");
    }
}
