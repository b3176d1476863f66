//! C9 and C14 on the real binary: a start from an older checkpoint after newer output was
//! published, and two jobs from one savepoint.

use std::path::Path;

use tidegate_tests::{Counting, JobDirectory, published_lines, published_parts};

fn counting() -> Counting {
    Counting {
        checkpoint: "retain = 100",
        ..Counting::default()
    }
}

/// Returns the checkpoint of a published part.
fn checkpoint_of(part: &Path) -> u64 {
    let name = part.file_name().expect("it has a name").to_string_lossy();
    let number = name
        .split('-')
        .nth(1)
        .and_then(|number| number.parse().ok());
    number.expect("a part's name has its checkpoint's number")
}

#[test]
fn an_older_checkpoint_is_refused_while_the_output_is_newer() {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let mut tried = 0;
    let parts = published_parts(&job.path().join("output"));
    let newest_part = parts.iter().map(|part| checkpoint_of(part)).max();
    for number in job.checkpoints() {
        if Some(number) >= newest_part {
            continue;
        }
        let from = format!("state/checkpoints/{number}");
        let on = job.copy();
        for _ in 0..2 {
            let refused = on.tidegate(&["run", "job.toml", "--from", &from]);
            refused.assert_fails(3, &["output", "newer than checkpoint"]);
        }
        counting().assert_exact(&on, "after a refused start");
        // The lines that were taken back are not missing.
        on.assert_has_finished();
        tried += 1;
    }
    assert!(tried >= 2, "only {tried} older checkpoints");
    job.assert_has_finished();
}

#[test]
fn an_older_checkpoint_goes_on_exactly_into_a_new_directory() {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let parts = published_parts(&job.path().join("output"));
    for number in job.checkpoints() {
        let on = job.copy();
        let elsewhere = counting().text().replace("\"output\"", "\"output-2\"");
        on.write("job.toml", elsewhere);
        let from = format!("state/checkpoints/{number}");
        on.tidegate(&["run", "job.toml", "--from", &from])
            .assert_succeeds();
        // The checkpoint's lines were published into the old directory; the new one has the rest.
        let mut lines = published_lines(&on.path().join("output-2"));
        for part in parts.iter().filter(|part| checkpoint_of(part) <= number) {
            let text = std::fs::read_to_string(part).expect("a part can be read");
            lines.extend(text.lines().map(str::to_owned));
        }
        counting().assert_lines_exact(&lines, &format!("from checkpoint {number}"));
    }
}

#[test]
fn two_jobs_from_one_savepoint_are_two_lives_and_each_is_exact() {
    let paced = Counting {
        records: 6_000,
        rate: 2_000,
        ..counting()
    };
    let parent = paced.directory();
    let mut running = parent.start(&["run", "job.toml"]);
    while published_parts(&parent.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    let stopped = parent.tidegate(&["stop", "job.toml", "--savepoint", "savepoints"]);
    let savepoint = stopped.assert_succeeds().stdout.trim().to_owned();
    running.wait().assert_succeeds();
    let savepoint = parent.path().join(savepoint);
    let from = savepoint.to_str().expect("a temporary path is text");
    let before = published_lines(&parent.path().join("output"));
    let fast = Counting {
        rate: 1_000_000,
        ..paced
    };

    // Side by side, into two directories.
    let forks = [fast.directory(), fast.directory()];
    let runs = forks
        .each_ref()
        .map(|fork| fork.start(&["run", "job.toml", "--from", from]));
    for run in runs {
        run.wait().assert_succeeds();
    }
    let names = forks.each_ref().map(|fork| {
        let output = fork.path().join("output");
        let lines = [before.clone(), published_lines(&output)].concat();
        fast.assert_lines_exact(&lines, "a fork with what its parent published");
        std::fs::read_to_string(output.join("_tidegate")).expect("it is text")
    });
    assert_ne!(names[0], names[1], "two lives have two names");

    // Into one directory: the second is refused, and its message names the owner.
    let output = forks[0].path().join("output");
    let shared = fast.text().replace("\"output\"", &format!("{output:?}"));
    let third = JobDirectory::new(&shared);
    let refused = third.tidegate(&["run", "job.toml", "--from", from]);
    refused.assert_fails(3, &["output", "belongs to sink `counts`"]);

    // The parent continues by itself.
    parent.write("job.toml", fast.text());
    parent.tidegate(&["run", "job.toml"]).assert_succeeds();
    fast.assert_exact(&parent, "the parent after the forks");
}
