//! B10 and B11 on the real binary: wrong kinds of directories, foreign files in them, and names
//! that lead elsewhere. Tidegate does not remove what it did not create.

use std::fs;
use std::os::unix::fs::symlink;

use rustix::process::Signal;
use tidegate_tests::{Counting, JobDirectory, published_parts};

/// Names that are close to those of Tidegate's files, but not the same.
const FOREIGN: [&str; 30] = [
    "notes.txt",
    ".hidden",
    "..hidden",
    "...",
    "-",
    "--",
    "-1-count-0-1",
    "+7-count-0-1",
    "07-count-0-1",
    "7-count-0",
    "7-count-0-1 ",
    " 7-count-0-1",
    "7-count-0-1.bak",
    "7-count-00-1",
    "7-count-0-01",
    "7-co unt-0-1",
    "7-c\u{f6}unt-0-1",
    "7--0-1",
    "7-count-x-1",
    "99999999999999999999-count-0-1",
    "1e3",
    "0x7",
    "007",
    "+7",
    "-7",
    "7 ",
    "7\n",
    ".7.tmp",
    ".7.1.tmp.bak",
    "$(reboot)",
];

/// Returns a job that keeps one checkpoint, so that retention removes an old one each time.
fn counting() -> Counting {
    Counting {
        checkpoint: "retain = 1",
        ..Counting::default()
    }
}

#[test]
fn files_of_others_are_left_alone_and_listed() {
    let job = counting().directory();
    let directories = ["state", "state/state", "state/checkpoints"];
    for directory in directories {
        fs::create_dir(job.path().join(directory)).expect("a directory can be made");
        for name in FOREIGN {
            job.write(&format!("{directory}/{name}"), name);
        }
    }
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    for directory in directories {
        for name in FOREIGN {
            let contents = fs::read_to_string(job.path().join(directory).join(name));
            assert_eq!(contents.expect("it is there"), name, "in {directory}");
        }
    }
    let verified = job.tidegate(&["checkpoint", "verify", "state", "--json"]);
    let report: serde_json::Value =
        serde_json::from_str(&verified.assert_succeeds().stdout).expect("it is JSON");
    let listed = report["unknown"].as_array().expect("it is a list").len();
    assert_eq!(listed, 2 * FOREIGN.len(), "{report:#}");
    counting().assert_exact(&job, "beside files of others");
}

/// Names of operators that can't be part of a file's name.
const BAD_NAMES: [&str; 12] = [
    "",
    ".",
    "..",
    "../up",
    "/etc/passwd",
    "a/b",
    "a b",
    "a.b",
    "\\u0000",
    "\\n",
    "\u{fc}ber",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[test]
fn a_name_that_could_lead_elsewhere_is_refused_before_anything_is_written() {
    for name in BAD_NAMES {
        let text = counting().text();
        let text = text.replace("[operator.count]", &format!("[operator.\"{name}\"]"));
        let job = JobDirectory::new(&text.replace("\"count\" }", &format!("\"{name}\" }}")));
        let before = job.listing();
        job.tidegate(&["run", "job.toml"])
            .assert_fails(2, &["job.toml"]);
        assert_eq!(job.listing(), before, "{name}");
    }
}

/// A wrong kind of file in place of a directory or file of the job.
struct Wrong {
    name: &'static str,
    make: fn(&JobDirectory),
    named: &'static str,
}

fn outside(job: &JobDirectory) -> std::path::PathBuf {
    job.path().join("outside")
}

const WRONG: [Wrong; 8] = [
    Wrong {
        name: "the checkpoint directory is a file",
        make: |job| job.write("state", "precious"),
        named: "state",
    },
    Wrong {
        name: "the directory of manifests is a file",
        make: |job| {
            fs::create_dir(job.path().join("state")).expect("it can be made");
            job.write("state/checkpoints", "precious");
        },
        named: "state/checkpoints",
    },
    Wrong {
        name: "the directory of state is a file",
        make: |job| {
            fs::create_dir(job.path().join("state")).expect("it can be made");
            job.write("state/state", "precious");
        },
        named: "state",
    },
    Wrong {
        name: "the directory of state is a link",
        make: |job| {
            fs::create_dir(job.path().join("state")).expect("it can be made");
            symlink(outside(job), job.path().join("state/state")).expect("it can be made");
        },
        named: "state",
    },
    Wrong {
        name: "the directory of manifests is a link",
        make: |job| {
            fs::create_dir(job.path().join("state")).expect("it can be made");
            symlink(outside(job), job.path().join("state/checkpoints")).expect("it can be made");
        },
        named: "state",
    },
    Wrong {
        name: "LOCK is a link",
        make: |job| {
            fs::create_dir(job.path().join("state")).expect("it can be made");
            let target = outside(job).join("precious");
            symlink(target, job.path().join("state/LOCK")).expect("it can be made");
        },
        named: "state/LOCK",
    },
    Wrong {
        name: "LOCK is a pipe",
        make: |job| {
            fs::create_dir(job.path().join("state")).expect("it can be made");
            let path = job.path().join("state/LOCK");
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).expect("it can be made");
        },
        named: "state/LOCK",
    },
    Wrong {
        name: "the output directory is a file",
        make: |job| job.write("output", "precious"),
        named: "output",
    },
];

#[test]
fn what_stands_in_the_place_of_a_directory_is_named_and_not_touched() {
    for wrong in &WRONG {
        let job = counting().directory();
        fs::create_dir(outside(&job)).expect("a directory can be made");
        job.write("outside/precious", "precious");
        (wrong.make)(&job);
        let finished = job.tidegate(&["run", "job.toml"]);
        assert!(
            matches!(finished.code, Some(1..=3))
                && finished.stderr.contains(wrong.named)
                && !finished.stderr.contains("panicked"),
            "{}: {finished:#?}",
            wrong.name
        );
        let contents = fs::read_dir(outside(&job)).expect("it is there").count();
        assert_eq!(contents, 1, "{}: something was written outside", wrong.name);
        let precious = fs::read_to_string(outside(&job).join("precious"));
        assert_eq!(precious.expect("it is there"), "precious", "{}", wrong.name);
    }
}

#[test]
fn a_checkpoint_that_is_no_regular_file_is_not_opened() {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let entries = fs::read_dir(job.path().join("state/checkpoints")).expect("it is there");
    let manifest = entries
        .map(|entry| entry.expect("it can be read").path())
        .max();
    let manifest = manifest.expect("there is a checkpoint");
    let kept = manifest.with_extension("kept");
    fs::rename(&manifest, &kept).expect("it can be renamed");
    let kinds: [(&str, &dyn Fn()); 3] = [
        ("a link to itself", &|| {
            symlink(&kept, &manifest).expect("it can be made")
        }),
        ("a directory", &|| {
            fs::create_dir(&manifest).expect("it can be made")
        }),
        ("a pipe", &|| {
            let mode = rustix::fs::Mode::RUSR;
            rustix::fs::mkfifoat(rustix::fs::CWD, &manifest, mode).expect("it can be made");
        }),
    ];
    for (kind, make) in kinds {
        make();
        let refused = job.tidegate(&["run", "job.toml"]);
        refused.assert_fails(3, &["state/checkpoints/", "not a regular file"]);
        let removed = match manifest.is_dir() {
            true => fs::remove_dir(&manifest),
            false => fs::remove_file(&manifest),
        };
        removed.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    fs::rename(&kept, &manifest).expect("it can be renamed");
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
}

/// Removes a directory of a running job, which must end by itself and name it.
fn remove_from_running(directory: &str, exit_codes: &[i32]) -> JobDirectory {
    let endless = Counting {
        records: 3_000_000_000,
        ..counting()
    };
    let job = endless.directory();
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    job.write("precious", "precious");
    running.signal(Signal::STOP);
    fs::rename(job.path().join(directory), job.path().join("taken")).expect("it can be moved");
    fs::remove_dir_all(job.path().join("taken")).expect("it can be removed");
    running.signal(Signal::CONT);
    let finished = running.wait();
    let code = finished.code.expect("it ends by itself");
    assert!(
        exit_codes.contains(&code) && finished.stderr.contains(directory),
        "{finished:#?}"
    );
    assert!(job.path().join("precious").exists());
    job
}

#[test]
fn a_checkpoint_directory_that_is_removed_under_a_job_is_named() {
    let job = remove_from_running("state", &[1, 3]);
    // The output still exists, so a later run does not begin again beside it.
    job.tidegate(&["run", "job.toml"])
        .assert_fails(2, &["output"]);
}

#[test]
fn an_output_directory_that_is_removed_under_a_job_is_named() {
    remove_from_running("output", &[1, 3]);
}
