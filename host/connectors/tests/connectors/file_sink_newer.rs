//! The sink `file`: the removal of output that is newer than the checkpoint of a start.

use std::fs;
use std::path::Path;

use tidegate_connector::sink::{ForkedFrom, SinkConnector, SinkStart};
use tidegate_connector::{CheckpointId, Lineage};

use crate::support::file_sink::{
    LINEAGE, connect, open, place, published, restored, started, write_part,
};
use crate::support::state_refusal;

const FORK: Lineage = Lineage([0xbb; 16]);

/// Describes a start of lineage [`FORK`] from checkpoint `parent` of lineage [`LINEAGE`].
fn forked(checkpoint: u64, parent: u64) -> SinkStart {
    SinkStart {
        lineage: FORK,
        parent: checkpoint_of_parent(parent),
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

/// A user goes back to checkpoint 1 and agrees to lose what came after it.
#[test]
fn newer_output_is_removed_only_if_the_start_discards_it() {
    let place = place();
    let connector = started(place.path());
    (1..=3).for_each(|checkpoint| publish(&*connector, checkpoint));
    drop(connector);
    let back_to_1 = forked(4, 1);
    let refused = state_refusal(connect(place.path()).recover(&back_to_1));
    assert!(refused.contains("--discard-newer-output"), "{refused}");
    assert!(
        refused.contains("than checkpoint 1: part-0000000002"),
        "{refused}"
    );
    let listed = connect(place.path()).newer_output(&back_to_1);
    let listed = listed.expect("can be listed");
    let places = listed
        .iter()
        .map(|output| (&output.place[..], output.bytes));
    let part = |n| {
        let part = format!("part-000000000{n}-00000-aaaaaaaa-1.tsv");
        output(place.path()).join(part).display().to_string()
    };
    let expected = [part(2), part(3)];
    let expected = expected
        .iter()
        .map(|place| (&place[..], "k\t2\n".len() as u64));
    assert!(places.eq(expected), "{listed:?}");
    assert_eq!(published(place.path()).1, "k\t1\nk\t2\nk\t3\n");

    let agreed = SinkStart {
        discards_newer: true,
        ..back_to_1
    };
    connect(place.path())
        .recover(&agreed)
        .expect("the newer output is removed");
    assert_eq!(published(place.path()).1, "k\t1\n");
    // Repeated after a crash, and continued without the flag.
    connect(place.path())
        .recover(&agreed)
        .expect("nothing is left to remove");
    let again = SinkStart {
        discards_newer: false,
        ..agreed
    };
    connect(place.path())
        .recover(&again)
        .expect("nothing is newer");
}

#[test]
fn a_checkpoint_whose_output_was_removed_is_not_a_start_any_more() {
    let place = place();
    let connector = started(place.path());
    (1..=3).for_each(|checkpoint| publish(&*connector, checkpoint));
    drop(connector);
    let start = |lineage, parent, checkpoint| SinkStart {
        lineage,
        parent: checkpoint_of_parent(parent),
        discards_newer: true,
        ..restored(checkpoint, &[])
    };
    let recover = |start| connect(place.path()).recover(&start);
    recover(start(FORK, 2, 4)).expect("the newer output is removed");
    let third = Lineage([0xcc; 16]);
    let refused = state_refusal(recover(start(third, 3, 5)));
    assert!(refused.contains("belongs to"), "{refused}");
    recover(start(third, 1, 5)).expect("an older one of the same lineage still is");
    assert_eq!(published(place.path()).1, "k\t1\n");
    let of_fork = SinkStart {
        parent: Some(ForkedFrom {
            lineage: FORK,
            checkpoint: CheckpointId(4),
        }),
        ..start(Lineage([0xdd; 16]), 1, 6)
    };
    state_refusal(recover(of_fork));
}

#[test]
fn a_file_of_someone_else_is_not_removed_as_newer_output() {
    let place = place();
    publish(&*started(place.path()), 2);
    let foreign = output(place.path()).join("part-0000000009-00000-12345678-1.tsv");
    fs::write(&foreign, "x").expect("can be written");
    let start = SinkStart {
        discards_newer: true,
        ..forked(3, 1)
    };
    let refused = state_refusal(connect(place.path()).recover(&start));
    assert!(refused.contains("part-0000000009"), "{refused}");
    assert_eq!(published(place.path()).0.len(), 2, "nothing is removed");
}
