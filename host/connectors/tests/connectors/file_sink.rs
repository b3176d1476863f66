//! The sink `file`: the moments at which output becomes visible.

use std::fs;
use std::path::Path;

use serde_json::json;
use tidegate_connector::sink::PendingOutput;
use tidegate_connector::{CheckpointId, ConnectorError};

use crate::support::file_sink::{
    LINEAGE, OWN_FILES, fresh, open, place, published, restored, started, write_part,
};
use crate::support::{context, job_refusal, names, records, sink_options, state_refusal};

#[test]
fn nothing_is_visible_before_the_commit_and_everything_after_it() {
    let place = place();
    let connector = started(place.path());
    assert!(connector.is_exactly_once());
    let mut sink = open(&*connector, 1, 1);
    let pending = write_part(&mut *sink, "one", 7);
    sink.write(&records(&[("k", "next")]))
        .expect("can be written");
    assert_eq!(published(place.path()), (vec![], String::new()));

    connector
        .commit(CheckpointId(1), &pending)
        .expect("can be published");
    let name = "part-0000000007-00001-aaaaaaaa-1.tsv".to_owned();
    assert_eq!(published(place.path()), (vec![name], "k\tone\n".to_owned()));
}

#[test]
fn a_part_holds_what_was_written_before_the_cut_although_it_is_made_durable_after() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    sink.write(&records(&[("k", "1")])).expect("can be written");
    let first = sink.pre_commit(CheckpointId(1)).expect("can be cut");
    sink.write(&records(&[("k", "2")])).expect("can be written");
    let second = sink.pre_commit(CheckpointId(2)).expect("can be cut");
    // In reverse order, as two closures on a pool of threads may run.
    let second = second().expect("can be made durable");
    let first = first().expect("can be made durable");
    connector
        .commit(CheckpointId(1), &first)
        .expect("can be published");
    assert_eq!(published(place.path()).1, "k\t1\n");
    connector
        .commit(CheckpointId(1), &second)
        .expect("can be published");
    assert_eq!(published(place.path()).1, "k\t1\nk\t2\n");
}

#[test]
fn without_records_there_is_no_part() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    sink.write(&records(&[])).expect("can be written");
    let pre_commit = sink.pre_commit(CheckpointId(1)).expect("can be cut");
    assert_eq!(pre_commit().expect("has nothing to do"), []);
    assert_eq!(names(&place.path().join("output")), OWN_FILES);
}

#[test]
fn a_commit_can_be_repeated() {
    let place = place();
    let connector = started(place.path());
    let pending = write_part(&mut *open(&*connector, 0, 1), "one", 1);
    for _ in 0..3 {
        connector
            .commit(CheckpointId(1), &pending)
            .expect("can be published");
    }
    assert_eq!(published(place.path()).1, "k\tone\n");
}

#[test]
fn pending_output_of_an_abandoned_checkpoint_is_published_by_a_later_one() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    let mut pending = write_part(&mut *sink, "abandoned", 1);
    pending.extend(write_part(&mut *sink, "complete", 2));
    connector
        .commit(CheckpointId(1), &pending)
        .expect("can be published");
    assert_eq!(published(place.path()).1, "k\tabandoned\nk\tcomplete\n");
}

#[test]
fn a_large_batch_and_many_small_ones_are_written_whole() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    let large = "x".repeat(3_000_000);
    let mut expected = String::new();
    for value in [large.as_str(), "small", large.as_str()] {
        sink.write(&records(&[("k", value)]))
            .expect("can be written");
        expected.push_str(&format!("k\t{value}\n"));
    }
    for number in 0..50_000 {
        let value = number.to_string();
        sink.write(&records(&[("k", &value)]))
            .expect("can be written");
        expected.push_str(&format!("k\t{value}\n"));
    }
    let pre_commit = sink.pre_commit(CheckpointId(1)).expect("can be cut");
    connector
        .commit(CheckpointId(1), &pre_commit().expect("can be made durable"))
        .expect("can be published");
    assert!(published(place.path()).1 == expected);
}

#[test]
fn a_part_that_is_gone_or_has_another_length_is_refused_and_nothing_is_published() {
    let place = place();
    let connector = started(place.path());
    let mut pending = write_part(&mut *open(&*connector, 0, 1), "fine", 1);
    pending.extend(write_part(&mut *open(&*connector, 1, 1), "damaged", 1));
    let damaged = format!(".part-{LINEAGE}-1-1-0.pending");
    let path = place.path().join("output").join(&damaged);
    fs::write(&path, "k\tdam").expect("can be written");
    let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
    assert!(
        reason.contains(&damaged) && reason.contains("has 5 bytes instead of 10"),
        "{reason}"
    );
    fs::remove_file(&path).expect("can be removed");
    let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
    assert!(
        reason.contains("is missing under both its final and its pending name"),
        "{reason}"
    );
    assert_eq!(published(place.path()).1, "");
}

#[cfg(unix)]
#[test]
fn a_link_named_like_a_part_is_neither_followed_nor_published() {
    let place = place();
    let secret = place.path().join("secret");
    fs::write(&secret, "k\tone\n").expect("can be written");
    let connector = started(place.path());
    let pending = write_part(&mut *open(&*connector, 0, 1), "one", 1);
    let path = place
        .path()
        .join("output")
        .join(format!(".part-{LINEAGE}-1-0-0.pending"));
    fs::remove_file(&path).expect("can be removed");
    std::os::unix::fs::symlink(&secret, &path).expect("can be linked");
    let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
    assert!(reason.contains("is not a regular file"), "{reason}");

    // A link where the next part would be created.
    let path = place
        .path()
        .join("output")
        .join(format!(".part-{LINEAGE}-2-0-0.pending"));
    std::os::unix::fs::symlink(&secret, &path).expect("can be linked");
    let written = open(&*connector, 0, 2).write(&records(&[("k", "evil")]));
    assert!(
        matches!(written, Err(ConnectorError::Io { .. })),
        "{written:?}"
    );
    assert_eq!(
        fs::read_to_string(&secret).expect("can be read"),
        "k\tone\n"
    );
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_replaced_by_a_link_while_the_job_runs_gets_nothing() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    let pending = write_part(&mut *sink, "one", 1);
    let (output, moved) = (place.path().join("output"), place.path().join("moved"));
    let elsewhere = place.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("can be created");
    fs::rename(&output, &moved).expect("can be moved");
    std::os::unix::fs::symlink(&elsewhere, &output).expect("can be linked");
    let before = names(&moved);
    for why in [
        "another directory is in its place",
        "moved or removed",
        "something other than a directory is in its place",
    ] {
        let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
        assert!(reason.contains(why), "{reason}");
        let reason = state_refusal(connector.recover(&restored(0, &[])));
        assert!(reason.contains(why), "{reason}");
        if why.starts_with("another") {
            fs::remove_file(&output).expect("is a link");
        } else {
            drop(fs::remove_file(&output));
            fs::write(&output, "no directory").expect("can be written");
        }
    }
    assert_eq!(names(&elsewhere), Vec::<String>::new());
    assert_eq!(names(&moved), before);
    fs::remove_file(&output).expect("is a file");
    fs::rename(&moved, &output).expect("can be moved");
    connector
        .commit(CheckpointId(1), &pending)
        .expect("is its own again");
    assert_eq!(published(place.path()).1, "k\tone\n");
}

#[test]
fn a_directory_that_is_removed_while_the_job_runs_is_an_error_that_names_it() {
    let place = place();
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    fs::remove_dir_all(place.path().join("output")).expect("can be removed");
    match sink.write(&records(&[("k", "v")])) {
        Err(ConnectorError::Io { action, .. }) => assert!(action.contains("/output/"), "{action}"),
        other => panic!("not an I/O error: {other:?}"),
    }
}

#[test]
fn a_value_with_a_newline_is_refused_in_the_format_lines() {
    let place = place();
    let options = sink_options("file", json!({ "directory": "output", "format": "lines" }));
    let connector = options
        .connect(&context(place.path()))
        .expect("the options are fine");
    connector.recover(&fresh()).expect("the directory is free");
    match open(&*connector, 0, 1).write(&records(&[("k", "fine"), ("k", "two\nlines")])) {
        Err(ConnectorError::Record { position, reason }) => {
            assert_eq!(position, "sink node[0], record 1 of a batch");
            assert!(reason.contains("two\\nlines"), "{reason}");
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn pending_output_with_foreign_names_is_refused() {
    let place = place();
    let connector = started(place.path());
    let pending = write_part(&mut *open(&*connector, 0, 1), "one", 1);
    let mut bytes = pending[0].0.clone();
    let at = bytes
        .windows(7)
        .position(|window| window == b"pending")
        .expect("is a name");
    bytes[at..at + 7].copy_from_slice(b"/../../");
    let reason = state_refusal(connector.commit(CheckpointId(1), &[PendingOutput(bytes)]));
    assert!(reason.contains("is not the name of a part"), "{reason}");
    let reason = state_refusal(connector.commit(CheckpointId(1), &[PendingOutput(vec![2])]));
    assert!(reason.contains("format version 2"), "{reason}");
}

#[test]
fn an_empty_name_of_a_directory_is_refused() {
    let options = sink_options("file", json!({ "directory": "" }));
    assert!(job_refusal(options.connect(&context(Path::new("/")))).starts_with("`directory`"));
}
