//! The sink `file`: the removal of a lineage's output before a fresh start.

use std::fs;

use tidegate_connector::sink::SinkStart;
use tidegate_connector::{CheckpointId, ConnectorError, Lineage};

use crate::support::file_sink::{
    LINEAGE, OWN_FILES, connect, fresh, open, place, published, restored, started, write_part,
};
use crate::support::{names, state_refusal};

const OTHER: Lineage = Lineage([0xbb; 16]);

#[test]
fn discarded_output_is_gone_and_the_job_can_start_afresh() {
    let place = place();
    connect(place.path())
        .discard(LINEAGE)
        .expect("no directory has no output");
    let connector = started(place.path());
    let mut sink = open(&*connector, 0, 1);
    let part = write_part(&mut *sink, "published", 1);
    connector
        .commit(CheckpointId(1), &part)
        .expect("can be published");
    write_part(&mut *sink, "pending", 2);
    drop((sink, connector));
    let output = place.path().join("output");
    let foreign = output.join("_SUCCESS");
    fs::write(&foreign, "mine").expect("can be written");

    let connector = connect(place.path());
    connector
        .discard(LINEAGE)
        .expect("the output is of this lineage");
    assert_eq!(names(&output), [OWN_FILES[0], "_SUCCESS", OWN_FILES[1]]);
    let again = SinkStart {
        lineage: OTHER,
        ..fresh()
    };
    connector.check_free().expect("the directory is free again");
    connector.check_fresh().expect("the directory is empty");
    connector.recover(&again).expect("the directory is empty");
}

#[test]
fn output_of_another_lineage_stays() {
    let place = place();
    let connector = started(place.path());
    let part = write_part(&mut *open(&*connector, 0, 1), "published", 1);
    connector
        .commit(CheckpointId(1), &part)
        .expect("can be published");
    drop(connector);
    connect(place.path())
        .discard(OTHER)
        .expect("there is nothing to remove");
    assert_eq!(published(place.path()).1, "k\tpublished\n");
}

#[test]
fn output_that_another_lineage_continued_stays() {
    let place = place();
    let connector = started(place.path());
    let part = write_part(&mut *open(&*connector, 0, 1), "published", 1);
    connector
        .commit(CheckpointId(1), &part)
        .expect("can be published");
    drop(connector);
    let fork = SinkStart {
        lineage: OTHER,
        parent: Some(tidegate_connector::sink::ForkedFrom {
            lineage: LINEAGE,
            checkpoint: CheckpointId(1),
        }),
        ..restored(2, &[])
    };
    let connector = connect(place.path());
    connector.recover(&fork).expect("the fork continues here");
    drop(connector);
    let reason = state_refusal(connect(place.path()).discard(LINEAGE));
    assert!(reason.contains("output of other runs"), "{reason}");
    assert_eq!(published(place.path()).1, "k\tpublished\n");
}

#[test]
fn output_that_a_run_is_writing_stays() {
    let place = place();
    let running = started(place.path());
    let part = write_part(&mut *open(&*running, 0, 1), "published", 1);
    running
        .commit(CheckpointId(1), &part)
        .expect("can be published");
    let refused = connect(place.path()).discard(LINEAGE);
    assert!(
        matches!(refused, Err(ConnectorError::InUse { .. })),
        "{refused:?}"
    );
    assert_eq!(published(place.path()).1, "k\tpublished\n");
}
