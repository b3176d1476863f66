//! C13, and the subject of FLINK-34518: a job that should continue and finds no checkpoint, or
//! fewer than there were, reports so. It never starts afresh, or from an older checkpoint, by
//! itself.

use tidegate_tests::{Counting, Finished, JobDirectory};

/// Ways to lose checkpoints.
struct Loss {
    name: &'static str,
    lose: fn(&JobDirectory),
    code: i32,
    named: &'static [&'static str],
}

fn remove(job: &JobDirectory, name: &str) {
    let path = job.path().join(name);
    let removed = match path.is_dir() {
        true => std::fs::remove_dir_all(&path),
        false => std::fs::remove_file(&path),
    };
    removed.unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn newest(job: &JobDirectory) -> String {
    let newest = job.checkpoints().pop().expect("there is a checkpoint");
    format!("state/checkpoints/{newest}")
}

fn remove_manifests(job: &JobDirectory) {
    for number in job.checkpoints() {
        remove(job, &format!("state/checkpoints/{number}"));
    }
}

/// Returns a job whose sink knows nothing about the past: only the checkpoint directory does.
fn counting() -> Counting {
    Counting {
        sink: "connector = \"discard\"",
        ..Counting::default()
    }
}

const LOSSES: [Loss; 9] = [
    Loss {
        name: "the newest manifest is removed",
        lose: |job| remove(job, &newest(job)),
        code: 3,
        named: &["state/checkpoints/", "it is missing", "--from"],
    },
    Loss {
        name: "the newest manifest is renamed to what is not a checkpoint",
        lose: |job| {
            let newest = job.path().join(newest(job));
            std::fs::rename(&newest, newest.with_extension("bak")).expect("it can be renamed");
        },
        code: 3,
        named: &["state/checkpoints/", "it is missing", "--from"],
    },
    Loss {
        name: "all manifests are removed",
        lose: remove_manifests,
        code: 3,
        named: &[
            "state has held checkpoints",
            "no complete checkpoint",
            "--from",
        ],
    },
    Loss {
        name: "the directory of the manifests is removed",
        lose: |job| remove(job, "state/checkpoints"),
        code: 3,
        named: &[
            "state has held checkpoints",
            "no complete checkpoint",
            "--from",
        ],
    },
    Loss {
        name: "the directory of the state is removed",
        lose: |job| remove(job, "state/state"),
        code: 3,
        named: &["state/state/", "it is missing"],
    },
    Loss {
        name: "all manifests and LOCK are removed",
        lose: |job| {
            remove_manifests(job);
            remove(job, "state/LOCK");
        },
        code: 3,
        named: &["state has held checkpoints", "no complete checkpoint"],
    },
    Loss {
        name: "all manifests are removed and LOCK is torn",
        lose: |job| {
            remove_manifests(job);
            job.write("state/LOCK", "pid 1\natt");
        },
        code: 3,
        named: &["state has held checkpoints", "no complete checkpoint"],
    },
    Loss {
        name: "the newest manifest is emptied",
        lose: |job| job.write(&newest(job), ""),
        code: 3,
        named: &["state/checkpoints/", "--from"],
    },
    Loss {
        name: "LOCK is a directory",
        lose: |job| {
            remove(job, "state/LOCK");
            std::fs::create_dir(job.path().join("state/LOCK")).expect("it can be made");
        },
        code: 3,
        named: &["state/LOCK", "not a regular file"],
    },
];

/// Asserts a refusal whose message is the same whatever the number of the checkpoint.
fn assert_refused(finished: &Finished, loss: &Loss) {
    assert_eq!(
        finished.code,
        Some(loss.code),
        "{}: {finished:#?}",
        loss.name
    );
    for named in loss.named {
        let is_named = finished
            .stderr
            .replace("state held", "state has held")
            .contains(named);
        assert!(is_named, "{}: no `{named}` in {finished:#?}", loss.name);
    }
}

#[test]
fn a_job_that_lost_checkpoints_says_so_and_does_not_start_from_less() {
    for loss in &LOSSES {
        let job = counting().directory();
        job.tidegate(&["run", "job.toml"]).assert_succeeds();
        (loss.lose)(&job);
        let before = job.listing();
        // The refusal stays, however often the user tries.
        for _ in 0..2 {
            assert_refused(&job.tidegate(&["run", "job.toml"]), loss);
        }
        let names = |listing: &str| {
            let names = listing.lines().filter_map(|line| line.split(' ').next());
            let names = names.filter(|name| {
                // Directories that a run needs, and the file that locks it, may be recreated.
                !["state/checkpoints", "state/state", "state/LOCK"].contains(name)
            });
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&before), names(&job.listing()), "{}", loss.name);
    }
}

#[test]
fn a_start_from_an_empty_or_missing_directory_is_refused() {
    let job = counting().directory();
    std::fs::create_dir(job.path().join("empty")).expect("a directory can be made");
    for from in ["empty", "missing", "job.toml"] {
        let finished = job.tidegate(&["run", "job.toml", "--from", from]);
        finished.assert_fails(3, &[from]);
        assert!(!job.path().join("state").exists(), "--from {from}");
    }
}

#[test]
fn a_newest_checkpoint_that_is_gone_is_seen_by_every_command() {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let newest = newest(&job);
    remove(&job, &newest);
    let named = [&*newest, "it is missing"];
    job.tidegate(&["checkpoint", "inspect", "state"])
        .assert_fails(3, &named);
    job.tidegate(&["checkpoint", "list", "state"])
        .assert_fails(3, &named);
    let verified = job.tidegate(&["checkpoint", "verify", "state"]);
    verified.assert_fails(7, &[]);
    assert!(verified.stdout.contains("it is missing"), "{verified:#?}");
    let other = counting().directory();
    let path = job.path().join("state");
    let path = path.to_str().expect("a temporary path is text");
    other
        .tidegate(&["run", "job.toml", "--from", path])
        .assert_fails(3, &named);
}

#[test]
fn the_way_on_after_a_loss_is_an_older_checkpoint_a_savepoint_or_a_fresh_start() {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let newest = newest(&job);
    remove(&job, &newest);
    // From an older checkpoint: the job runs again from there, under a number above the lost one's.
    let kept = job.checkpoints().pop().expect("three are kept");
    let from_older = format!("state/checkpoints/{kept}");
    let on = job.copy();
    on.tidegate(&["run", "job.toml", "--from", &from_older])
        .assert_succeeds();
    let lost: u64 = newest
        .rsplit('/')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    let numbers = on.checkpoints();
    let is_above = numbers.last() > Some(&lost) && !numbers.contains(&lost);
    assert!(is_above, "{numbers:?} after {lost} was lost");
    on.assert_has_finished();
    // With a fresh start.
    let on = job.copy();
    on.tidegate(&["run", "job.toml", "--fresh"])
        .assert_succeeds();
    on.assert_has_finished();
    // From a checkpoint elsewhere, where all are lost.
    let elsewhere = job.copy();
    let from = elsewhere.path().join(&from_older);
    let from = from.to_str().expect("a temporary path is text");
    remove_manifests(&job);
    let on = job.copy();
    on.tidegate(&["run", "job.toml", "--fresh"])
        .assert_succeeds();
    job.tidegate(&["run", "job.toml", "--from", from])
        .assert_succeeds();
    job.assert_has_finished();
}

#[test]
fn an_old_directory_whose_lock_remembers_no_newest_checkpoint_goes_on() {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let lock = std::fs::read_to_string(job.path().join("state/LOCK")).expect("it is text");
    let (old, _) = lock.split_once("newest ").expect("it remembers one");
    job.write("state/LOCK", old);
    job.assert_has_finished();
    let renewed = std::fs::read_to_string(job.path().join("state/LOCK")).expect("it is text");
    assert!(renewed.contains("newest "), "{renewed}");
}
