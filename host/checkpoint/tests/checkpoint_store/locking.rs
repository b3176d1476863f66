//! One run at a time, attempt numbers that only grow, and no silent empty start.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use tempfile::tempdir;
use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointStore, DirStore, DiskStep, Manifest, StoreError,
};
use tidegate_connector::CheckpointId;

use crate::support::{ids, put_all, take};

#[test]
fn a_second_run_is_told_who_has_the_directory() {
    let directory = tempdir().unwrap();
    let first = DirStore::open(directory.path()).unwrap();
    let second = DirStore::open(directory.path());
    match second {
        Err(StoreError::InUse { path, holder }) => {
            assert_eq!(path, directory.path());
            assert_eq!(holder, std::process::id().to_string());
        }
        other => panic!("not refused: {other:?}"),
    }
    drop(first);
    DirStore::open(directory.path()).unwrap();
}

#[test]
fn a_directory_that_another_run_creates_at_the_same_moment_is_opened() {
    let parent = tempdir().unwrap();
    let directory = parent.path().join("state");
    let first = Arc::new(AtomicBool::new(true));
    let is_first = Arc::clone(&first);
    let hook = move |step, path: &Path| match step {
        // Another process is faster, once.
        DiskStep::CreateDirectory if is_first.swap(false, Ordering::SeqCst) => fs::create_dir(path),
        DiskStep::CreateDirectory
        | DiskStep::CreateFile
        | DiskStep::WriteFile
        | DiskStep::SyncFile
        | DiskStep::RenameFile
        | DiskStep::RemoveFile
        | DiskStep::SyncDirectory => Ok(()),
    };
    DirStore::open_with_hook(&directory, Arc::new(hook)).unwrap();
    assert!(!first.load(Ordering::SeqCst), "the race took place");
}

#[test]
fn of_many_that_start_at_once_exactly_one_wins() {
    for _ in 0..20 {
        let directory = tempdir().unwrap();
        let start = Barrier::new(5);
        let results: Vec<_> = thread::scope(|scope| {
            let open = || {
                start.wait();
                let opened = DirStore::open(directory.path());
                // No thread releases the lock before all have tried.
                start.wait();
                opened.map(drop)
            };
            let threads: Vec<_> = (0..5).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{lost:?}");
        let in_use = |result: &_| matches!(result, Err(StoreError::InUse { .. }));
        assert!(lost.iter().all(in_use), "{lost:?}");
    }
}

#[test]
fn attempts_grow_over_any_number_of_runs() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    assert_eq!(store.next_attempt().unwrap(), 1);
    assert_eq!(store.next_attempt().unwrap(), 2);
    drop(store);
    assert_eq!(
        DirStore::open(directory.path())
            .unwrap()
            .next_attempt()
            .unwrap(),
        3
    );
    let lock = fs::read_to_string(directory.path().join("LOCK")).unwrap();
    assert_eq!(
        lock,
        format!(
            "pid {}\nattempt 3\ncheckpoints no\nnewest none\n",
            std::process::id()
        )
    );
}

#[test]
fn attempts_grow_even_if_the_lock_file_is_lost_or_torn() {
    for text in [
        None,
        Some(""),
        Some("pid 1\natte"),
        Some("attempt 12"),
        Some("\0\0\0\0\n"),
    ] {
        for complete in [true, false] {
            let directory = tempdir().unwrap();
            let store = DirStore::open(directory.path()).unwrap();
            let manifest = put_all(&store, 1, 41).unwrap();
            if complete {
                store.complete(&manifest).unwrap();
            }
            drop(store);
            let lock = directory.path().join("LOCK");
            match text {
                Some(text) => fs::write(lock, text).unwrap(),
                None => fs::remove_file(lock).unwrap(),
            }
            let store = DirStore::open(directory.path()).unwrap();
            assert_eq!(store.next_attempt().unwrap(), 42, "{text:?}");
        }
    }
}

#[test]
fn an_attempt_that_is_over_can_not_commit() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let first = store.next_attempt().unwrap();
    let late = put_all(&store, 1, first).unwrap();
    let second = store.next_attempt().unwrap();

    let refused = store.complete(&late);
    assert!(
        matches!(refused, Err(StoreError::Refused { .. })),
        "{refused:?}"
    );
    assert_eq!(store.list().unwrap(), []);
    take(&store, 1, second).unwrap();
}

#[test]
fn lost_checkpoints_are_an_error_and_not_a_fresh_start() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 1, 1).unwrap();
    drop(store);
    fs::remove_file(directory.path().join("checkpoints/1")).unwrap();

    let nothing_valid = || {
        let listed = DirStore::open(directory.path()).unwrap().list();
        assert!(
            matches!(listed, Err(StoreError::NothingValid { .. })),
            "{listed:?}"
        );
    };
    nothing_valid();
    fs::remove_file(directory.path().join("LOCK")).unwrap();
    nothing_valid();
}

/// Returns the file that a load of the newest checkpoint reports as missing.
fn missing(newest: Result<Manifest, StoreError>) -> String {
    match newest {
        Err(StoreError::Corrupt { file, reason }) if reason == "it is missing" => {
            file.display().to_string()
        }
        other => panic!("not a missing file: {other:?}"),
    }
}

#[test]
fn a_newest_checkpoint_that_is_gone_whole_is_named_and_not_passed_over() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 1, 1).unwrap();
    take(&store, 2, 1).unwrap();
    drop(store);
    let manifest = directory.path().join("checkpoints/2");
    fs::remove_file(&manifest).unwrap();

    let expected = manifest.display().to_string();
    let reader = CheckpointDirectory::open(directory.path()).unwrap();
    assert_eq!(missing(reader.load(reader.newest().unwrap())), expected);
    assert!(!reader.verify().unwrap().is_ok());
    // However often the store is opened again.
    for _ in 0..2 {
        let store = DirStore::open(directory.path()).unwrap();
        let listed = store.list().unwrap();
        assert_eq!(listed, ids([1, 2]));
        assert_eq!(missing(store.load(listed[1])), expected);
    }
    // A checkpoint with a larger number resolves it.
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 3, 2).unwrap();
    assert_eq!(store.list().unwrap(), ids([1, 3]));
    assert!(reader.verify().unwrap().is_ok());
}

#[test]
fn a_lock_file_that_remembers_no_newest_checkpoint_takes_the_newest_there_is() {
    for newest in ["", "newest \n", "newest 9", "newest -1\n", "newest none\n"] {
        let directory = tempdir().unwrap();
        let store = DirStore::open(directory.path()).unwrap();
        take(&store, 1, 1).unwrap();
        take(&store, 2, 1).unwrap();
        drop(store);
        let lock = directory.path().join("LOCK");
        let text = format!("pid 1\nattempt 1\ncheckpoints yes\n{newest}");
        fs::write(lock, text).unwrap();
        let store = DirStore::open(directory.path()).unwrap();
        assert_eq!(store.list().unwrap(), ids([1, 2]), "{newest:?}");
        drop(store);
        fs::remove_file(directory.path().join("checkpoints/2")).unwrap();
        let store = DirStore::open(directory.path()).unwrap();
        assert_eq!(store.list().unwrap(), ids([1, 2]), "{newest:?}");
        missing(store.load(CheckpointId(2)));
    }
}

#[test]
fn retention_of_some_remembers_the_newest_and_removing_all_forgets_it() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    for checkpoint in 1..=3 {
        take(&store, checkpoint, 1).unwrap();
    }
    store.retain(&ids([3])).unwrap();
    drop(store);
    fs::remove_file(directory.path().join("checkpoints/3")).unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let listed = store.list();
    let is_named = matches!(listed, Err(StoreError::NothingValid { .. }));
    assert!(is_named, "{listed:?}");
    let reader = CheckpointDirectory::open(directory.path()).unwrap();
    assert!(!reader.verify().unwrap().is_ok());

    store.retain(&[]).unwrap();
    drop(store);
    let store = DirStore::open(directory.path()).unwrap();
    assert_eq!(store.list().unwrap(), []);
    assert!(reader.verify().unwrap().is_ok());
}

#[test]
fn a_checkpoint_that_is_taken_back_is_not_missed_and_the_one_before_it_is() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    for checkpoint in 1..=3 {
        take(&store, checkpoint, 1).unwrap();
    }
    store.retain(&ids([1, 2])).unwrap();
    drop(store);
    let store = DirStore::open(directory.path()).unwrap();
    assert_eq!(store.list().unwrap(), ids([1, 2]));
    drop(store);
    fs::remove_file(directory.path().join("checkpoints/2")).unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    missing(store.load(*store.list().unwrap().last().unwrap()));
}

#[test]
fn a_run_that_ended_before_its_first_checkpoint_left_nothing_to_lose() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    put_all(&store, 1, 1).unwrap();
    drop(store);
    let store = DirStore::open(directory.path()).unwrap();
    assert_eq!(store.list().unwrap(), []);
}

#[test]
fn removing_all_checkpoints_on_purpose_allows_a_fresh_start() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 1, 1).unwrap();
    store.retain(&[]).unwrap();
    assert_eq!(store.list().unwrap(), []);
    drop(store);
    let store = DirStore::open(directory.path()).unwrap();
    assert_eq!(store.list().unwrap(), []);
    take(&store, 0, 1).unwrap();
    assert_eq!(store.list().unwrap(), ids([0]));
}
