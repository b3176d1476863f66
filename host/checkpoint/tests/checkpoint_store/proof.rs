//! The mark of a restore drill: it belongs to one manifest, and is removed with it.

use std::fs;

use tidegate_checkpoint::{CheckpointDirectory, CheckpointStore, DirStore};
use tidegate_connector::CheckpointId;

use crate::support::{ids, take};

const AT: u64 = 1_700_000_000_000;

#[test]
fn a_proven_checkpoint_is_known_as_such_until_retention_removes_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    for checkpoint in 1..=3 {
        take(&store, checkpoint, 1).unwrap();
    }
    store.mark_proven(CheckpointId(1), AT).unwrap();
    store.mark_proven(CheckpointId(2), AT + 1).unwrap();
    let read = CheckpointDirectory::open(directory.path()).unwrap();
    let proven = |checkpoint| read.proven_at_ms(CheckpointId(checkpoint)).unwrap();
    assert_eq!([1, 2, 3].map(proven), [Some(AT), Some(AT + 1), None]);

    store.retain(&ids([2, 3])).unwrap();
    assert_eq!([2, 3].map(proven), [Some(AT + 1), None]);
    let left: Vec<_> = fs::read_dir(directory.path().join("proven"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["2"]);
}

#[test]
fn a_mark_that_is_broken_or_of_another_manifest_proves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 1, 1).unwrap();
    take(&store, 2, 1).unwrap();
    store.mark_proven(CheckpointId(1), AT).unwrap();
    let read = CheckpointDirectory::open(directory.path()).unwrap();
    let mark = directory.path().join("proven/1");
    let bytes = fs::read(&mark).unwrap();

    fs::copy(&mark, directory.path().join("proven/2")).unwrap();
    assert_eq!(read.proven_at_ms(CheckpointId(2)).unwrap(), None);

    for length in 0..bytes.len() {
        fs::write(&mark, &bytes[..length]).unwrap();
        assert_eq!(read.proven_at_ms(CheckpointId(1)).unwrap(), None);
    }
    // The same number in another life of the job.
    let other = tempfile::tempdir().unwrap();
    let again = DirStore::open(other.path()).unwrap();
    take(&again, 1, 2).unwrap();
    fs::create_dir(other.path().join("proven")).unwrap();
    fs::write(other.path().join("proven/1"), &bytes).unwrap();
    let read = CheckpointDirectory::open(other.path()).unwrap();
    assert_eq!(read.proven_at_ms(CheckpointId(1)).unwrap(), None);
}

#[test]
fn a_checkpoint_that_is_gone_is_not_marked() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 1, 1).unwrap();
    store.mark_proven(CheckpointId(7), AT).unwrap_err();
    assert!(!directory.path().join("proven").exists());
}
