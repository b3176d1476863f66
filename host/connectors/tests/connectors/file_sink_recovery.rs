//! The sink `file`: the owner of a directory, and recovery in it.

use std::fs;
use std::path::Path;

use tidegate_connector::sink::{ForkedFrom, SinkConnector, SinkStart};
use tidegate_connector::{CheckpointId, ConnectorError, Lineage};

use crate::support::file_sink::{
    LINEAGE, OWN_FILES, connect, fresh, open, place, published, restored, started, write_part,
};
use crate::support::{job_refusal, names, records, state_refusal, subtask};

const FORK: Lineage = Lineage([0xbb; 16]);

/// Describes a start of lineage [`FORK`] from a savepoint of lineage [`LINEAGE`], whose number
/// there is one less.
fn forked(checkpoint: u64) -> SinkStart {
    SinkStart {
        lineage: FORK,
        parent: checkpoint_of_parent(checkpoint - 1),
        ..restored(checkpoint, &[])
    }
}

/// Returns checkpoint `checkpoint` of lineage [`LINEAGE`].
fn checkpoint_of_parent(checkpoint: u64) -> Option<ForkedFrom> {
    let checkpoint = CheckpointId(checkpoint);
    let lineage = LINEAGE;
    Some(ForkedFrom {
        lineage,
        checkpoint,
    })
}

fn output(base: &Path) -> std::path::PathBuf {
    base.join("output")
}

/// Publishes a part of `checkpoint`.
fn publish(connector: &dyn SinkConnector, checkpoint: u64) {
    let pending = write_part(
        &mut *open(connector, 0, 1),
        &checkpoint.to_string(),
        checkpoint,
    );
    connector
        .commit(CheckpointId(1), &pending)
        .expect("can be published");
}

#[test]
fn a_fresh_start_takes_a_directory_that_is_missing_empty_or_unused() {
    let place = place();
    let connector = connect(place.path());
    assert!(connector.check_fresh().is_ok());
    assert!(!output(place.path()).exists(), "the check changes nothing");
    fs::create_dir(output(place.path())).expect("can be created");
    assert!(connector.check_fresh().is_ok());
    connector.recover(&fresh()).expect("is free");
    assert!(connector.check_fresh().is_ok(), "only the marker is there");

    // Another fresh start of the same job has another lineage.
    let again = SinkStart {
        lineage: FORK,
        ..fresh()
    };
    connector.recover(&again).expect("nothing was written");
    let marker = fs::read_to_string(output(place.path()).join("_tidegate")).expect("is there");
    assert!(marker.contains(&FORK.to_string()) && !marker.contains(&LINEAGE.to_string()));
}

#[test]
fn a_fresh_start_refuses_a_directory_with_anything_in_it_and_names_it() {
    for name in ["report.csv", "part-0000000001-00000-aaaaaaaa-1.tsv"] {
        let place = place();
        fs::create_dir(output(place.path())).expect("can be created");
        fs::write(output(place.path()).join(name), "x").expect("can be written");
        let connector = connect(place.path());
        let reason = job_refusal(connector.check_fresh());
        assert!(
            reason.contains(name) && reason.contains("`directory`"),
            "{reason}"
        );
        assert_eq!(names(&output(place.path())), [name]);
        let reason = state_refusal(connector.recover(&fresh()));
        assert!(reason.contains(name), "{reason}");
        assert_eq!(names(&output(place.path())), [OWN_FILES[0], name]);
    }
}

#[test]
fn a_fresh_start_refuses_older_output_of_the_same_job() {
    let place = place();
    publish(&*started(place.path()), 1);
    let reason = job_refusal(connect(place.path()).check_fresh());
    assert!(
        reason.contains("part-0000000001-00000-aaaaaaaa-1.tsv"),
        "{reason}"
    );
    assert!(reason.contains("sink `sink` of job `job`"), "{reason}");

    let pending_only = self::place();
    write_part(&mut *open(&*started(pending_only.path()), 0, 1), "x", 1);
    let reason = job_refusal(connect(pending_only.path()).check_fresh());
    assert!(reason.contains(".pending"), "{reason}");
}

#[test]
fn recovery_publishes_what_the_checkpoint_lists_and_removes_what_it_does_not() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    let listed = write_part(&mut *sink, "listed", 1);
    write_part(&mut *sink, "not listed", 2);
    sink.write(&records(&[("k", "half written")]))
        .expect("can be written");
    drop((sink, connector));

    // By a new process, twice: a crash may come after recovery.
    for _ in 0..2 {
        connect(place.path())
            .recover(&restored(1, &listed))
            .expect("can go on");
        let name = "part-0000000001-00000-aaaaaaaa-1.tsv".to_owned();
        assert_eq!(
            names(&output(place.path())),
            [OWN_FILES[0], OWN_FILES[1], &name]
        );
        assert_eq!(
            published(place.path()),
            (vec![name], "k\tlisted\n".to_owned())
        );
    }
}

#[test]
fn the_leftover_of_subtask_1_is_removed_and_the_pending_part_of_subtask_11_is_not() {
    let place = place();
    let connector = started(place.path());
    write_part(&mut *open(&*connector, 1, 1), "leftover", 1);
    let listed = write_part(&mut *open(&*connector, 11, 1), "listed", 1);
    drop(connector);
    connect(place.path())
        .recover(&restored(1, &listed))
        .expect("can go on");
    assert_eq!(published(place.path()).1, "k\tlisted\n");
}

#[test]
fn recovery_leaves_foreign_files_alone() {
    let place = place();
    let connector = started(place.path());
    let other = Lineage([0xcc; 16]);
    let foreign = [
        "README".to_owned(),
        ".hidden".to_owned(),
        "_SUCCESS".to_owned(),
        format!(".part-{LINEAGE}-1-1-0.pending.bak"),
        format!(".part-{LINEAGE}-1-01-0.pending"),
        format!(".part-{other}-1-1-0.pending"),
    ];
    for name in &foreign {
        fs::write(output(place.path()).join(name), "mine").expect("can be written");
    }
    fs::create_dir(output(place.path()).join(format!(".part-{LINEAGE}-1-9-0.pending")))
        .expect("can be created");
    let before = names(&output(place.path()));
    write_part(&mut *open(&*connector, 1, 1), "leftover", 1);
    drop(connector);
    connect(place.path())
        .recover(&restored(1, &[]))
        .expect("can go on");
    assert_eq!(names(&output(place.path())), before);
}

#[test]
fn output_newer_than_the_checkpoint_is_refused_and_nothing_is_changed() {
    let place = place();
    let connector = started(place.path());
    for checkpoint in 1..=9 {
        publish(&*connector, checkpoint);
    }
    write_part(&mut *open(&*connector, 0, 2), "leftover", 10);
    drop(connector);
    let before = names(&output(place.path()));
    let reason = state_refusal(connect(place.path()).recover(&restored(7, &[])));
    assert!(
        reason.contains("newer than checkpoint 7: part-0000000008-00000-"),
        "{reason}"
    );
    let reason = state_refusal(connect(place.path()).recover(&restored(1, &[])));
    assert!(reason.contains("and 3 more"), "{reason}");
    assert_eq!(names(&output(place.path())), before);
    connect(place.path())
        .recover(&restored(9, &[]))
        .expect("is the newest");
}

#[test]
fn the_directory_of_another_lineage_job_or_sink_is_refused_naming_both() {
    let place = place();
    publish(&*started(place.path()), 1);
    let before = names(&output(place.path()));
    let other_lineage = SinkStart {
        lineage: FORK,
        ..restored(5, &[])
    };
    let other_sink = SinkStart {
        sink: "copy".to_owned(),
        ..restored(5, &[])
    };
    let other_job = SinkStart {
        job: "second".to_owned(),
        ..other_lineage.clone()
    };
    for (start, named) in [
        (other_lineage, FORK.to_string()),
        (other_sink, "sink `copy`".to_owned()),
        (other_job, "job `second`".to_owned()),
    ] {
        let reason = state_refusal(connect(place.path()).recover(&start));
        assert!(
            reason.contains(&named) && reason.contains(&LINEAGE.to_string()),
            "{reason}"
        );
        assert_eq!(names(&output(place.path())), before);
    }
}

#[test]
fn a_fork_takes_over_the_directory_of_its_parent_and_the_parent_can_not_go_on_there() {
    let place = place();
    let connector = started(place.path());
    publish(&*connector, 4);
    write_part(&mut *open(&*connector, 1, 1), "leftover of the parent", 5);
    drop(connector);

    let fork = connect(place.path());
    fork.recover(&forked(5))
        .expect("nothing newer is published");
    let mut sink = fork.open(&subtask(0), FORK, 1).expect("can be opened");
    fork.commit(CheckpointId(1), &write_part(&mut *sink, "fork", 6))
        .expect("can be published");
    assert_eq!(published(place.path()).1, "k\t4\nk\tfork\n");
    assert_eq!(
        names(&output(place.path())).len(),
        4,
        "the leftover is gone"
    );
    drop((sink, fork));

    let reason = state_refusal(connect(place.path()).recover(&restored(4, &[])));
    assert!(reason.contains(&FORK.to_string()), "{reason}");
}

#[test]
fn a_fork_from_before_the_parents_newest_output_is_refused() {
    let place = place();
    let connector = started(place.path());
    publish(&*connector, 4);
    publish(&*connector, 5);
    drop(connector);
    // The savepoint was checkpoint 4; restored, it is checkpoint 5 of the fork.
    let reason = state_refusal(connect(place.path()).recover(&forked(5)));
    assert!(reason.contains("part-0000000005-"), "{reason}");
}

#[test]
fn a_fork_in_place_from_an_old_savepoint_is_refused_although_its_number_is_the_newest() {
    let place = place();
    let connector = started(place.path());
    publish(&*connector, 4);
    publish(&*connector, 5);
    drop(connector);
    // In the parent's checkpoint directory, the savepoint of checkpoint 4 becomes checkpoint 6.
    let start = SinkStart {
        parent: checkpoint_of_parent(4),
        ..forked(6)
    };
    let reason = state_refusal(connect(place.path()).recover(&start));
    assert!(reason.contains("part-0000000005-"), "{reason}");
}

#[test]
fn two_forks_of_one_savepoint_write_into_two_directories_and_leave_the_parent_its_output() {
    let (parent, left, right) = (place(), place(), place());
    let connector = started(parent.path());
    let pending = write_part(&mut *open(&*connector, 0, 1), "pending", 3);
    let forks = [(&left, FORK), (&right, Lineage([0xcc; 16]))];
    for (place, lineage) in forks {
        let start = SinkStart {
            lineage,
            parent: checkpoint_of_parent(3),
            ..restored(4, &pending)
        };
        // Twice: the restored checkpoint lists the parent's output until the next one is complete.
        for _ in 0..2 {
            let fork = connect(place.path());
            fork.recover(&start).expect("the directory is free");
            fork.commit(CheckpointId(1), &pending)
                .expect("is not its own");
        }
        assert_eq!(names(&output(place.path())), OWN_FILES);
    }
    connector
        .commit(CheckpointId(1), &pending)
        .expect("can be published");
    assert_eq!(published(parent.path()).1, "k\tpending\n");
}

#[test]
fn a_fork_in_place_publishes_what_its_parent_left_pending() {
    let place = place();
    let pending = write_part(&mut *open(&*started(place.path()), 0, 1), "pending", 3);
    let start = SinkStart {
        pending,
        ..forked(4)
    };
    connect(place.path())
        .recover(&start)
        .expect("nothing newer is published");
    assert_eq!(published(place.path()).1, "k\tpending\n");
    // Once more, as after a crash: the marker is the fork's already.
    connect(place.path())
        .recover(&start)
        .expect("nothing newer is published");
    assert_eq!(published(place.path()).1, "k\tpending\n");
}

#[test]
fn pending_output_that_is_gone_is_refused_before_anything_is_changed() {
    let place = place();
    let connector = started(place.path());
    let mut pending = write_part(&mut *open(&*connector, 0, 1), "one", 1);
    pending.extend(write_part(&mut *open(&*connector, 1, 1), "two", 1));
    write_part(&mut *open(&*connector, 2, 1), "leftover", 2);
    drop(connector);
    fs::remove_file(output(place.path()).join(format!(".part-{LINEAGE}-1-1-0.pending")))
        .expect("can be removed");
    let before = names(&output(place.path()));
    let reason = state_refusal(connect(place.path()).recover(&restored(1, &pending)));
    assert!(
        reason.contains("is missing under both its final and its pending name"),
        "{reason}"
    );
    assert_eq!(names(&output(place.path())), before);
}

#[test]
fn a_directory_that_lost_all_its_output_is_refused_while_some_is_pending() {
    let place = place();
    let pending = write_part(&mut *open(&*started(place.path()), 0, 1), "one", 1);
    fs::remove_dir_all(output(place.path())).expect("can be removed");
    let reason = state_refusal(connect(place.path()).recover(&restored(1, &pending)));
    assert!(
        reason.contains("is missing under both its final and its pending name"),
        "{reason}"
    );
    assert_eq!(
        names(&output(place.path())),
        OWN_FILES[..1],
        "it is not claimed"
    );
}

#[test]
fn a_marker_that_can_not_be_read_is_refused() {
    let place = place();
    let connector = started(place.path());
    for (marker, named) in [("{\"format-version\":2}", "format version 2"), ("", "EOF")] {
        fs::write(output(place.path()).join("_tidegate"), marker).expect("can be written");
        let reason = state_refusal(connector.recover(&restored(1, &[])));
        assert!(
            reason.contains("_tidegate") && reason.contains(named),
            "{reason}"
        );
        let reason = state_refusal(connector.check_fresh());
        assert!(reason.contains("_tidegate"), "{reason}");
    }
}

#[test]
fn a_crash_while_the_marker_was_written_does_no_harm() {
    let place = place();
    fs::create_dir(output(place.path())).expect("can be created");
    fs::write(output(place.path()).join(".tidegate-marker.new"), "{").expect("can be written");
    let connector = connect(place.path());
    connector.check_fresh().expect("the directory is free");
    connector.recover(&fresh()).expect("the directory is free");
    assert_eq!(names(&output(place.path())), OWN_FILES);
    connector
        .recover(&restored(CheckpointId(0).next().0, &[]))
        .expect("is its own");
}

/// Returns the text of the error that another run has the place.
fn in_use<T: std::fmt::Debug>(result: Result<T, ConnectorError>) -> String {
    match result {
        Err(error @ ConnectorError::InUse { .. }) => error.to_string(),
        other => panic!("not in use: {other:?}"),
    }
}

#[test]
fn a_second_run_is_turned_away_with_the_number_of_the_first_until_that_is_gone() {
    let place = place();
    let second = connect(place.path());
    second.check_free().expect("there is no directory yet");
    assert!(!output(place.path()).exists(), "the check changes nothing");
    let first = started(place.path());
    let sink = open(&*first, 0, 1);
    let before = names(&output(place.path()));
    let holder = format!(
        "in use by process {}, sink `sink` of job `job`",
        std::process::id()
    );
    for error in [
        in_use(second.check_free()),
        in_use(second.recover(&forked(5))),
    ] {
        assert!(error.contains(&holder), "{error}");
    }
    assert_eq!(names(&output(place.path())), before);
    // A further attempt of the first run keeps the directory.
    first.recover(&restored(0, &[])).expect("is its own");
    assert!(in_use(second.check_free()).contains(&holder));
    drop((sink, first));
    second.check_free().expect("it is free");
    second.recover(&forked(5)).expect("it is free");
}

#[test]
fn an_older_attempt_publishes_nothing_once_a_newer_one_has_the_directory() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    let pending = write_part(&mut *sink, "one", 1);
    let marker = output(place.path()).join("_tidegate");
    let ours = fs::read_to_string(&marker).expect("is there");
    let theirs = ours.replace("\"attempt\": 1,", "\"attempt\": 2,");
    assert_ne!(ours, theirs);
    fs::write(&marker, theirs).expect("can be written");
    let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
    assert!(
        reason.contains("now belongs to") && reason.contains("attempt 2"),
        "{reason}"
    );
    fs::remove_file(&marker).expect("is there");
    let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
    assert!(reason.contains("has lost its _tidegate"), "{reason}");
    assert_eq!(published(place.path()).1, "");
    fs::write(&marker, ours).expect("can be written");
    connector
        .commit(CheckpointId(1), &pending)
        .expect("is its own again");
    assert_eq!(published(place.path()).1, "k\tone\n");
}
