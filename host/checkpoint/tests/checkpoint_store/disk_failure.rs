//! A disk failure at any step costs a checkpoint or an attempt, but never a complete checkpoint.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointStore, DirStore, DiskHook, DiskStep, StoreError,
};
use tidegate_connector::CheckpointId;

use crate::support::{assert_restorable, fast_tempdir, ids, put_all, take, tree};

/// Returns a hook that fails the steps that `fails` picks; its first argument is the number of
/// earlier steps.
fn failing(fails: impl Fn(usize, DiskStep, &Path) -> bool + Send + Sync + 'static) -> DiskHook {
    let count = AtomicUsize::new(0);
    Arc::new(move |step, path| {
        let before = count.fetch_add(1, Ordering::SeqCst);
        if fails(before, step, path) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    })
}

/// A hook that fails the next step of a kind on a path with a given ending, once it is armed.
#[derive(Clone, Default)]
struct Trap(Arc<Mutex<Option<(DiskStep, &'static str)>>>);

impl Trap {
    fn arm(&self, step: DiskStep, ending: &'static str) {
        *self.0.lock().unwrap() = Some((step, ending));
    }

    fn has_struck(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }

    fn hook(&self) -> DiskHook {
        let Self(trap) = self.clone();
        failing(move |_, step, path| {
            let mut trap = trap.lock().unwrap();
            let strikes = trap.is_some_and(|(kind, ending)| {
                kind == step && path.to_str().unwrap().ends_with(ending)
            });
            if strikes {
                *trap = None;
            }
            strikes
        })
    }
}

/// Acts as a supervisor over three checkpoints, however often the disk fails. Returns the newest
/// checkpoint whose commit was reported.
fn run(store: &DirStore) -> Option<u64> {
    let mut attempt = store.next_attempt().unwrap_or(1);
    let mut newest = None;
    for checkpoint in 0..3 {
        match take(store, checkpoint, attempt) {
            Ok(_) => newest = Some(checkpoint),
            Err(StoreError::Io { .. }) => {}
            Err(StoreError::CommitUncertain { .. } | StoreError::Poisoned { .. }) => {
                attempt = store.next_attempt().unwrap_or(attempt);
            }
            Err(error) => panic!("{error:?}"),
        }
        let all = store.list().unwrap();
        // A failure here shows at the next write if it matters.
        let _ = store.retain(&all[all.len().saturating_sub(1)..]);
    }
    newest
}

fn fail_at_every_step(length: usize) {
    let mut struck = 0;
    for first in 0.. {
        let directory = fast_tempdir();
        let path = directory.path().join("checkpoints of a job");
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        let hook = failing(move |step, _, _| {
            let strikes = (first..first + length).contains(&step);
            counted.fetch_add(usize::from(strikes), Ordering::SeqCst);
            strikes
        });
        let newest = match DirStore::open_with_hook(&path, hook) {
            Ok(store) => run(&store),
            Err(StoreError::Io { .. }) => None,
            Err(error) => panic!("{error:?}"),
        };

        let store = DirStore::open(&path).unwrap();
        let attempt = store.next_attempt().unwrap();
        let listed = store.list().unwrap();
        let listed_newest = listed.last().map(|newest| newest.0);
        assert!(listed_newest >= newest, "failing from step {first}");
        let reader = CheckpointDirectory::open(&path).unwrap();
        listed
            .iter()
            .for_each(|checkpoint| assert_restorable(&reader, *checkpoint));
        take(&store, 9, attempt).unwrap();
        store.retain(&ids([9])).unwrap();
        assert_restorable(&reader, CheckpointId(9));
        assert_eq!(tree(&path).len(), 4);

        if hits.load(Ordering::SeqCst) == 0 {
            break;
        }
        struck += 1;
    }
    assert!(struck > 40, "only {struck} steps failed");
}

#[test]
fn a_disk_that_fails_once_at_any_step_loses_nothing() {
    fail_at_every_step(1);
}

#[test]
fn a_disk_that_is_full_for_a_while_from_any_step_on_loses_nothing() {
    fail_at_every_step(8);
}

#[test]
fn a_failed_write_of_state_costs_only_its_checkpoint() {
    for step in [
        DiskStep::CreateFile,
        DiskStep::WriteFile,
        DiskStep::SyncFile,
    ] {
        let directory = fast_tempdir();
        let trap = Trap::default();
        let store = DirStore::open_with_hook(directory.path(), trap.hook()).unwrap();
        trap.arm(step, "1-count-1-1");
        let put = put_all(&store, 1, 1);
        assert!(matches!(put, Err(StoreError::Io { .. })), "{put:?}");
        assert!(trap.has_struck());
        // A failed write leaves no file behind.
        assert!(!directory.path().join("state/1-count-1-1").exists());
        take(&store, 2, 1).unwrap();
    }
}

#[test]
fn a_manifest_that_fails_before_its_rename_leaves_nothing() {
    for step in [
        DiskStep::CreateFile,
        DiskStep::WriteFile,
        DiskStep::SyncFile,
    ] {
        let directory = fast_tempdir();
        let trap = Trap::default();
        let store = DirStore::open_with_hook(directory.path(), trap.hook()).unwrap();
        let manifest = put_all(&store, 1, 1).unwrap();
        let before = tree(directory.path());
        trap.arm(step, ".tmp");
        let complete = store.complete(&manifest);
        assert!(
            matches!(complete, Err(StoreError::Io { .. })),
            "{complete:?}"
        );
        assert!(trap.has_struck());
        assert_eq!(tree(directory.path()), before);
        take(&store, 2, 1).unwrap();
    }
}

#[test]
fn after_an_uncertain_commit_nothing_is_written_until_the_next_attempt() {
    for (step, ending) in [
        (DiskStep::RenameFile, "checkpoints/1"),
        (DiskStep::SyncDirectory, "checkpoints"),
    ] {
        let directory = fast_tempdir();
        let trap = Trap::default();
        let store = DirStore::open_with_hook(directory.path(), trap.hook()).unwrap();
        let manifest = put_all(&store, 1, 1).unwrap();
        trap.arm(step, ending);
        let complete = store.complete(&manifest);
        assert!(
            matches!(complete, Err(StoreError::CommitUncertain { .. })),
            "{complete:?}"
        );

        let before = tree(directory.path());
        let put = put_all(&store, 2, 1);
        assert!(matches!(put, Err(StoreError::Poisoned { .. })), "{put:?}");
        let retained = store.retain(&[]);
        assert!(
            matches!(retained, Err(StoreError::Poisoned { .. })),
            "{retained:?}"
        );
        assert_eq!(tree(directory.path()), before);

        let attempt = store.next_attempt().unwrap();
        let is_there = step == DiskStep::SyncDirectory;
        assert_eq!(
            store.list().unwrap(),
            if is_there { ids([1]) } else { vec![] }
        );
        take(&store, 2, attempt).unwrap();
    }
}

#[test]
fn an_uncertain_manifest_is_committed_as_a_new_file_before_it_is_built_on() {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    let directory = fast_tempdir();
    let trap = Trap::default();
    let store = DirStore::open_with_hook(directory.path(), trap.hook()).unwrap();
    let manifest = put_all(&store, 1, 1).unwrap();
    trap.arm(DiskStep::SyncDirectory, "checkpoints");
    store.complete(&manifest).unwrap_err();

    let path = directory.path().join("checkpoints/1");
    let (inode, bytes) = (fs::metadata(&path).unwrap().ino(), fs::read(&path).unwrap());
    trap.arm(DiskStep::SyncDirectory, "checkpoints");
    let attempt = store.next_attempt();
    assert!(
        matches!(attempt, Err(StoreError::CommitUncertain { .. })),
        "{attempt:?}"
    );
    let put = put_all(&store, 2, 2);
    assert!(matches!(put, Err(StoreError::Poisoned { .. })), "{put:?}");

    store.next_attempt().unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(store.load(CheckpointId(1)).unwrap(), manifest);
}

#[test]
fn a_failed_sync_of_the_state_directory_poisons_the_attempt() {
    let directory = fast_tempdir();
    let trap = Trap::default();
    let store = DirStore::open_with_hook(directory.path(), trap.hook()).unwrap();
    take(&store, 1, 1).unwrap();
    trap.arm(DiskStep::SyncDirectory, "state");
    let put = put_all(&store, 2, 1);
    let Err(StoreError::Io { action, source }) = put else {
        panic!("{put:?}")
    };
    let put = put_all(&store, 3, 1);
    let Err(poisoned @ StoreError::Poisoned { .. }) = put else {
        panic!("{put:?}")
    };
    // The user reads the last message, so it includes the first failure.
    let failure = format!("could not {action}: {source}");
    assert!(poisoned.to_string().ends_with(&failure), "{poisoned}");
    let attempt = store.next_attempt().unwrap();
    take(&store, 3, attempt).unwrap();
    store.load(CheckpointId(1)).unwrap();
}

#[test]
fn a_savepoint_that_fails_at_any_step_leaves_nothing() {
    for first in 0.. {
        let directory = fast_tempdir();
        let job = directory.path().join("job");
        take(&DirStore::open(&job).unwrap(), 7, 1).unwrap();
        let target = directory.path().join("savepoints");
        let armed = Arc::new(Mutex::new(None::<usize>));
        let steps = Arc::clone(&armed);
        let hook = failing(move |_, _, _| {
            let mut left = steps.lock().unwrap();
            *left = left.map(|left| left.wrapping_sub(1));
            *left == Some(0)
        });
        let store = DirStore::open_with_hook(&job, hook).unwrap();
        *armed.lock().unwrap() = Some(first + 1);
        match store.export(CheckpointId(7), &target) {
            Ok(_) => {
                assert!(first > 15, "a savepoint takes more than {first} steps");
                break;
            }
            Err(StoreError::Io { .. }) => {
                let left = if target.exists() {
                    tree(&target)
                } else {
                    Default::default()
                };
                assert!(left.is_empty(), "{:?}", left.keys());
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}
