//! The store returns what it stored, and retention removes old checkpoints and nothing else.

use std::fs;

use tempfile::tempdir;
use tidegate_checkpoint::{CheckpointDirectory, CheckpointStore, DirStore, StoreError};
use tidegate_connector::CheckpointId;

use crate::support::{
    assert_restorable, chunks, identity, ids, manifest, put_all, stateful, subtask, take, tree,
};

#[test]
fn a_checkpoint_comes_back_as_it_was_put() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("not/there/yet");
    let store = DirStore::open(&path).unwrap();
    assert_eq!(store.list().unwrap(), []);

    let written = take(&store, 7, 1).unwrap();
    assert_eq!(store.list().unwrap(), ids([7]));
    assert_eq!(store.load(CheckpointId(7)).unwrap(), written);
    drop(store);

    let store = DirStore::open(&path).unwrap();
    assert_eq!(store.directory_path(), path);
    let loaded = store.load(CheckpointId(7)).unwrap();
    assert_eq!(loaded, written);
    for (subtask, file) in loaded.state_files() {
        let state = store.read_state(&loaded, subtask, file).unwrap();
        assert_eq!(state, chunks(7, subtask));
    }
}

#[test]
fn a_checkpoint_without_state_needs_no_files() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    store.complete(&manifest(0, 1)).unwrap();
    assert_eq!(store.load(CheckpointId(0)).unwrap(), manifest(0, 1));
    assert_eq!(tree(directory.path()).len(), 1);
}

#[test]
fn a_state_of_no_chunks_comes_back_as_that() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let count = subtask("count", 0);
    let file = store.put_snapshot(&identity(1, 1, &count), &[]).unwrap();
    assert_eq!(
        store.read_state(&manifest(1, 1), &count, &file).unwrap(),
        []
    );
}

#[test]
fn a_snapshot_is_written_once() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let count = subtask("count", 0);
    store
        .put_snapshot(&identity(1, 1, &count), &chunks(1, &count))
        .unwrap();
    let before = tree(directory.path());

    let again = store.put_snapshot(&identity(1, 1, &count), &[]);
    assert!(matches!(again, Err(StoreError::Io { .. })), "{again:?}");
    assert_eq!(tree(directory.path()), before);
}

#[test]
fn names_with_odd_characters_are_refused() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let long = "a".repeat(65);
    for operator in [
        "", ".", "..", "../x", "a/b", "a b", "a\0b", "a\nb", "ä", &*long,
    ] {
        let odd = subtask(operator, 0);
        let put = store.put_snapshot(&identity(1, 1, &odd), &[]);
        assert!(
            matches!(put, Err(StoreError::Refused { .. })),
            "{operator:?}: {put:?}"
        );
    }
    assert!(tree(directory.path()).is_empty());
}

#[test]
fn a_key_group_that_no_graph_has_is_not_written() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let count = subtask("count", 0);
    for key_group in [1 << 15, u32::MAX] {
        let mut chunks = chunks(1, &count);
        chunks[0].key_group = Some(key_group);
        let put = store.put_snapshot(&identity(1, 1, &count), &chunks);
        assert!(matches!(put, Err(StoreError::Io { .. })), "{put:?}");
    }
    assert!(tree(directory.path()).is_empty());
}

#[test]
fn a_manifest_that_could_not_be_read_again_is_not_committed() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let whole = put_all(&store, 1, 1).unwrap();
    let before = tree(directory.path());

    let mut without_a_subtask = whole.clone();
    without_a_subtask.subtasks.pop();
    let mut with_one_twice = whole.clone();
    with_one_twice.subtasks.insert(0, whole.subtasks[0].clone());
    let mut out_of_order = whole.clone();
    out_of_order.subtasks.reverse();
    let mut with_exchanged_files = whole.clone();
    let (a, b) = (&whole.subtasks[0].contents, &whole.subtasks[1].contents);
    with_exchanged_files.subtasks[0].contents = b.clone();
    with_exchanged_files.subtasks[1].contents = a.clone();
    let mut of_another_attempt = whole.clone();
    of_another_attempt.attempt = 2;

    for manifest in [
        without_a_subtask,
        with_one_twice,
        out_of_order,
        with_exchanged_files,
        of_another_attempt,
    ] {
        let refused = store.complete(&manifest);
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{refused:?}"
        );
        assert_eq!(tree(directory.path()), before);
    }
    store.complete(&whole).unwrap();
}

#[test]
fn a_manifest_is_committed_only_with_all_of_its_state_files() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let manifest = put_all(&store, 1, 1).unwrap();
    let file = directory.path().join("state/1-count-1-1");

    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[1..]).unwrap();
    let refused = store.complete(&manifest).unwrap_err().to_string();
    assert!(refused.contains("1-count-1-1: it has"), "{refused}");

    fs::remove_file(&file).unwrap();
    let refused = store.complete(&manifest).unwrap_err().to_string();
    assert!(refused.contains("1-count-1-1: it is missing"), "{refused}");
    assert_eq!(store.list().unwrap(), []);
}

#[test]
fn a_checkpoint_is_never_replaced_or_overtaken() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 5, 1).unwrap();
    let before = tree(directory.path());
    for checkpoint in [5, 4] {
        let refused = store.complete(&manifest(checkpoint, 1));
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(tree(directory.path()), before);
}

#[test]
fn retention_keeps_exactly_what_it_is_told_to() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    for checkpoint in 1..=5 {
        take(&store, checkpoint, 1).unwrap();
    }
    let mut expected = tree(directory.path());
    expected.retain(|path, _| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with('3') || name.starts_with('5')
    });

    store.retain(&ids([3, 5])).unwrap();
    assert_eq!(store.list().unwrap(), ids([3, 5]));
    assert_eq!(tree(directory.path()), expected);
}

#[test]
fn retention_spares_a_checkpoint_in_progress_and_removes_what_was_abandoned() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let first = store.next_attempt().unwrap();
    put_all(&store, 2, first).unwrap();
    let second = store.next_attempt().unwrap();
    put_all(&store, 1, second).unwrap();
    take(&store, 2, second).unwrap();
    let in_progress = put_all(&store, 3, second).unwrap();

    store.retain(&ids([2])).unwrap();
    let left: Vec<_> = tree(directory.path()).into_keys().collect();
    let expected = [
        "checkpoints/2",
        "state/2-count-0-2",
        "state/2-count-1-2",
        "state/2-total-sum-0-2",
        "state/3-count-0-2",
        "state/3-count-1-2",
        "state/3-total-sum-0-2",
    ];
    assert_eq!(left, expected.map(std::path::PathBuf::from));
    store.complete(&in_progress).unwrap();
}

#[test]
fn retention_touches_nothing_that_is_not_ours() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 1, 1).unwrap();
    let foreign = [
        "notes.txt",
        "state/1-count-0-1.bak",
        "state/01-count-0-1",
        "state/1-a b-0-1",
        "state/README",
        "checkpoints/1.old",
        "checkpoints/01",
        "checkpoints/.1.tmp",
    ];
    for name in foreign {
        fs::write(directory.path().join(name), "foreign").unwrap();
    }
    let stale = directory.path().join("checkpoints/.1.1.tmp");
    fs::write(&stale, "half").unwrap();

    assert_eq!(store.list().unwrap(), ids([1]));
    store.load(CheckpointId(1)).unwrap();
    let report = CheckpointDirectory::open(directory.path())
        .unwrap()
        .verify()
        .unwrap();
    assert!(report.is_ok());
    assert_eq!(report.orphans, ["checkpoints/.1.1.tmp"]);
    assert_eq!(
        report.unknown,
        [
            "checkpoints/.1.tmp",
            "checkpoints/01",
            "checkpoints/1.old",
            "state/01-count-0-1",
            "state/1-a b-0-1",
            "state/1-count-0-1.bak",
            "state/README",
        ]
    );

    store.retain(&[]).unwrap();
    let left: Vec<_> = tree(directory.path()).into_keys().collect();
    let mut expected = foreign.map(std::path::PathBuf::from);
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn what_is_kept_can_be_restored_for_any_number_kept() {
    for keep in 1..=3 {
        let directory = tempdir().unwrap();
        let store = DirStore::open(directory.path()).unwrap();
        for checkpoint in 1..=6 {
            take(&store, checkpoint, 1).unwrap();
            let all = store.list().unwrap();
            store
                .retain(&all[all.len().saturating_sub(keep)..])
                .unwrap();
        }
        let reader = CheckpointDirectory::open(directory.path()).unwrap();
        let kept = reader.ids().unwrap();
        assert_eq!(kept, ids(7 - keep as u64..=6));
        kept.iter()
            .for_each(|checkpoint| assert_restorable(&reader, *checkpoint));
        let files = kept.len() * (1 + stateful().len());
        assert_eq!(tree(directory.path()).len(), files);
    }
}
