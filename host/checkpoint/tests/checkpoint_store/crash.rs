//! Whenever a run ends, the checkpoints that it reported complete can be restored.
//!
//! There are two kinds of end: the process is killed (all its writes stay), and the power fails
//! (unsynced writes may survive whole, in part or not at all).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tidegate_checkpoint::{CheckpointDirectory, CheckpointStore, DirStore, DiskStep, ImportTarget};
use tidegate_connector::{CheckpointId, Lineage};
use tidegate_random::Random;

use crate::support::{assert_restorable, copy_tree, fast_tempdir, ids, put_all, take};

/// A possible disk after a crash, and the checkpoints that had been reported complete by then.
struct CrashPoint {
    disk: TempDir,
    complete: Option<u64>,
}

/// Checks that a new run finds every complete checkpoint and can continue from there.
fn assert_survives(crash: &CrashPoint) {
    let store = DirStore::open(crash.disk.path()).unwrap();
    let listed = store.list().unwrap();
    let newest = listed.last().map(|newest| newest.0);
    assert!(
        newest >= crash.complete,
        "{newest:?} after {:?}",
        crash.complete
    );

    let reader = CheckpointDirectory::open(crash.disk.path()).unwrap();
    listed
        .iter()
        .for_each(|checkpoint| assert_restorable(&reader, *checkpoint));

    let attempt = store.next_attempt().unwrap();
    let next = newest.map_or(0, |newest| newest + 1);
    take(&store, next, attempt).unwrap();
    store.retain(&ids([next])).unwrap();
    assert_restorable(&reader, CheckpointId(next));
    assert!(reader.verify().unwrap().orphans.is_empty());
}

/// Runs six checkpoints and keeps `keep` of them. Calls `before_step` before each step of the disk,
/// with the newest checkpoint that was complete by then.
fn run(
    directory: &Path,
    keep: usize,
    before_step: impl Fn(DiskStep, &Path, Option<u64>) + Send + Sync + 'static,
) {
    let complete = Arc::new(Mutex::new(None));
    let known = Arc::clone(&complete);
    let hook = move |step, path: &Path| -> io::Result<()> {
        before_step(step, path, *known.lock().unwrap());
        Ok(())
    };
    let store = DirStore::open_with_hook(directory, Arc::new(hook)).unwrap();
    let attempt = store.next_attempt().unwrap();
    for checkpoint in 0..6 {
        take(&store, checkpoint, attempt).unwrap();
        *complete.lock().unwrap() = Some(checkpoint);
        let all = store.list().unwrap();
        store
            .retain(&all[all.len().saturating_sub(keep)..])
            .unwrap();
    }
}

#[test]
fn a_run_that_is_killed_before_any_step_can_be_continued() {
    for keep in 1..=3 {
        let directory = fast_tempdir();
        let crashes = Arc::new(Mutex::new(Vec::new()));
        let (taken, path) = (Arc::clone(&crashes), directory.path().to_owned());
        run(directory.path(), keep, move |_, _, complete| {
            let disk = fast_tempdir();
            copy_tree(&path, disk.path());
            taken.lock().unwrap().push(CrashPoint { disk, complete });
        });
        let crashes = crashes.lock().unwrap();
        assert!(crashes.len() > 100, "{} steps were taken", crashes.len());
        crashes.iter().for_each(assert_survives);
    }
}

#[test]
fn a_run_whose_power_fails_before_any_step_can_be_continued() {
    for keep in 1..=3 {
        let directory = fast_tempdir();
        let crashes = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&crashes);
        let disk = Mutex::new(SimulatedDisk::new(directory.path()));
        run(directory.path(), keep, move |step, path, complete| {
            let mut disk = disk.lock().unwrap();
            disk.before_step(step, path);
            for seed in 0..3 {
                let disk = disk.after_power_failure(seed);
                taken.lock().unwrap().push(CrashPoint { disk, complete });
            }
        });
        let crashes = crashes.lock().unwrap();
        assert!(crashes.len() > 300, "{} power failures", crashes.len());
        crashes.iter().for_each(assert_survives);
    }
}

#[test]
fn a_savepoint_or_import_that_is_killed_leaves_a_whole_one_or_none() {
    let source = fast_tempdir();
    let store = DirStore::open(source.path()).unwrap();
    take(&store, 7, 1).unwrap();
    drop(store);
    let both = fast_tempdir();
    let crashes = Arc::new(Mutex::new(Vec::new()));
    let (taken, path) = (Arc::clone(&crashes), both.path().to_owned());
    let hook = move |_: DiskStep, _: &Path| -> io::Result<()> {
        let disk = fast_tempdir();
        copy_tree(&path, disk.path());
        taken.lock().unwrap().push(disk);
        Ok(())
    };
    let store = DirStore::open_with_hook(&both.path().join("job"), Arc::new(hook)).unwrap();
    let reader = CheckpointDirectory::open(source.path()).unwrap();
    let target = ImportTarget {
        lineage: Lineage([5; 16]),
        checkpoint: CheckpointId(8),
        attempt: store.next_attempt().unwrap(),
    };
    store.import(&reader, CheckpointId(7), target).unwrap();
    store
        .export(CheckpointId(8), &both.path().join("savepoints"))
        .unwrap();

    let mut whole = 0;
    for crash in crashes.lock().unwrap().iter() {
        let savepoints = fs::read_dir(crash.path().join("savepoints"));
        let savepoints = savepoints
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path());
        for path in savepoints.chain([crash.path().join("job")]) {
            let Ok(reader) = CheckpointDirectory::open(&path) else {
                continue;
            };
            if let Ok(newest) = reader.newest() {
                reader.load(newest).unwrap();
                whole += 1;
            }
        }
        if crash.path().join("job").exists() {
            // An interrupted import loses nothing: the same command imports again.
            DirStore::open(&crash.path().join("job"))
                .unwrap()
                .list()
                .unwrap();
        }
    }
    assert!(whole > 5, "{whole} were whole");
}

#[test]
fn a_job_and_a_savepoint_in_new_directories_survive_a_power_failure_once_reported() {
    let both = fast_tempdir();
    let disk = Arc::new(Mutex::new(SimulatedDisk::new(both.path())));
    let follower = Arc::clone(&disk);
    let hook = move |step: DiskStep, path: &Path| -> io::Result<()> {
        follower.lock().unwrap().before_step(step, path);
        Ok(())
    };
    let job = both.path().join("new/job");
    let store = DirStore::open_with_hook(&job, Arc::new(hook)).unwrap();
    take(&store, 7, 1).unwrap();
    let savepoint = store
        .export(CheckpointId(7), &both.path().join("savepoints"))
        .unwrap();

    let mut disk = disk.lock().unwrap();
    disk.before_step(
        DiskStep::RemoveFile,
        Path::new("any: the last step was taken"),
    );
    let left = disk.after_power_failure(0);
    for path in [job, savepoint] {
        let path = left.path().join(path.strip_prefix(both.path()).unwrap());
        assert_restorable(&CheckpointDirectory::open(&path).unwrap(), CheckpointId(7));
    }
}

/// Returns a store whose commit of checkpoint 7 was killed between the rename and its sync.
fn killed_before_the_sync_of_a_commit(directory: &Path) -> Arc<Mutex<SimulatedDisk>> {
    let disk = Arc::new(Mutex::new(SimulatedDisk::new(directory)));
    let is_armed = Arc::new(Mutex::new(false));
    let (known, armed) = (Arc::clone(&disk), Arc::clone(&is_armed));
    let checkpoints = directory.join("checkpoints");
    let hook = move |step: DiskStep, path: &Path| -> io::Result<()> {
        let mut disk = known.lock().unwrap();
        if *armed.lock().unwrap() && step == DiskStep::SyncDirectory && path == checkpoints {
            disk.finish();
            return Err(io::ErrorKind::Interrupted.into());
        }
        disk.before_step(step, path);
        Ok(())
    };
    let store = DirStore::open_with_hook(directory, Arc::new(hook)).unwrap();
    let manifest = put_all(&store, 7, 1).unwrap();
    *is_armed.lock().unwrap() = true;
    store.complete(&manifest).unwrap_err();
    disk
}

#[test]
fn a_directory_whose_creator_was_killed_before_its_sync_is_durable_for_the_next_run() {
    let parent = fast_tempdir();
    let disk = Arc::new(Mutex::new(SimulatedDisk::new(parent.path())));
    let is_armed = Arc::new(Mutex::new(true));
    let job = parent.path().join("job");
    let open = || {
        let (disk, armed) = (Arc::clone(&disk), Arc::clone(&is_armed));
        let parent = parent.path().to_owned();
        let hook = move |step: DiskStep, path: &Path| -> io::Result<()> {
            let is_sync = step == DiskStep::SyncDirectory && path == parent;
            if is_sync && std::mem::take(&mut *armed.lock().unwrap()) {
                disk.lock().unwrap().finish();
                return Err(io::ErrorKind::Interrupted.into());
            }
            disk.lock().unwrap().before_step(step, path);
            Ok(())
        };
        DirStore::open_with_hook(&job, Arc::new(hook))
    };

    // The first run ends between the creation of the directory and the sync of its name.
    open().unwrap_err();
    assert!(job.exists() && !*is_armed.lock().unwrap());

    let second = open().unwrap();
    take(&second, 7, 1).unwrap();
    disk.lock().unwrap().finish();
    let left = disk.lock().unwrap().after_power_failure(0);
    let reader = CheckpointDirectory::open(&left.path().join("job")).unwrap();
    assert_restorable(&reader, CheckpointId(7));
}

#[test]
fn a_manifest_that_the_next_run_finds_is_not_taken_back_by_a_power_failure() {
    let directory = fast_tempdir();
    let disk = killed_before_the_sync_of_a_commit(directory.path());
    let reader = |left: &TempDir| CheckpointDirectory::open(left.path()).unwrap();
    let left = disk.lock().unwrap().after_power_failure(0);
    assert_eq!(reader(&left).ids().unwrap(), []);

    let known = Arc::clone(&disk);
    let hook = move |step: DiskStep, path: &Path| -> io::Result<()> {
        let mut disk = known.lock().unwrap();
        disk.before_step(step, path);
        // Whatever survives, `LOCK` must not remember a missing manifest.
        for seed in 0..8 {
            let left = disk.after_power_failure(seed);
            let store = DirStore::open(left.path()).unwrap();
            for checkpoint in store.list().unwrap() {
                assert_restorable(&reader(&left), checkpoint);
            }
        }
        Ok(())
    };
    let second = DirStore::open_with_hook(directory.path(), Arc::new(hook)).unwrap();
    assert_eq!(second.list().unwrap(), ids([7]));
    disk.lock().unwrap().finish();
    let left = disk.lock().unwrap().after_power_failure(0);
    assert_restorable(&reader(&left), CheckpointId(7));
}

/// A disk that follows a directory step by step and knows what a power failure may leave of it.
struct SimulatedDisk {
    root: PathBuf,
    /// The step that has begun since; if it succeeded, its effect is not yet noted.
    taken: Option<(DiskStep, PathBuf)>,
    /// The durable names, by directory, with the inodes that they lead to.
    names: BTreeMap<PathBuf, BTreeMap<String, u64>>,
    /// The durable contents, by inode.
    contents: BTreeMap<u64, Vec<u8>>,
}

impl SimulatedDisk {
    fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            taken: None,
            names: BTreeMap::new(),
            contents: BTreeMap::new(),
        }
    }

    fn before_step(&mut self, step: DiskStep, path: &Path) {
        self.finish();
        self.taken = Some((step, path.to_owned()));
    }

    /// Notes the effect of the last step.
    fn finish(&mut self) {
        match self.taken.take() {
            Some((DiskStep::SyncFile, path)) => {
                let inode = fs::metadata(&path).unwrap().ino();
                self.contents.insert(inode, fs::read(&path).unwrap());
            }
            // The directory above is full of other tests' directories, which come and go.
            Some((DiskStep::SyncDirectory, path)) if !path.starts_with(&self.root) => {}
            Some((DiskStep::SyncDirectory, path)) => {
                let names = names_in(&path);
                self.names.insert(path, names);
            }
            Some((
                DiskStep::CreateDirectory
                | DiskStep::CreateFile
                | DiskStep::WriteFile
                | DiskStep::RenameFile
                | DiskStep::RemoveFile,
                _,
            ))
            | None => {}
        }
    }

    /// Returns the durable files and a random part of the rest; with seed 0 only the durable files.
    fn after_power_failure(&self, seed: u64) -> TempDir {
        let disk = fast_tempdir();
        let mut chance = Chance((seed != 0).then(|| Random::new(seed)));
        self.materialise(&self.root, disk.path(), &mut chance);
        disk
    }

    fn materialise(&self, from: &Path, to: &Path, chance: &mut Chance) {
        fs::create_dir_all(to).unwrap();
        let now = names_in(from);
        let durable = self.names.get(from).cloned().unwrap_or_default();
        let mut names = durable.clone();
        for (name, inode) in &now {
            if durable.get(name) != Some(inode) && chance.strikes() {
                names.insert(name.clone(), *inode);
            }
        }
        for name in durable.keys() {
            if !now.contains_key(name) && chance.strikes() {
                names.remove(name);
            }
        }
        for (name, inode) in names {
            let (source, target) = (from.join(&name), to.join(&name));
            if source.is_dir() {
                self.materialise(&source, &target, chance);
                continue;
            }
            let durable = self.contents.get(&inode).cloned().unwrap_or_default();
            let written = fs::read(&source).unwrap_or_default();
            let is_unchanged = now.get(&name) == Some(&inode) && written != durable;
            let contents = if is_unchanged && chance.strikes() {
                written[..written.len() / 2].to_vec()
            } else {
                durable
            };
            fs::write(target, contents).unwrap();
        }
    }
}

fn names_in(directory: &Path) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(directory).unwrap();
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, entry.metadata().unwrap().ino())
    };
    entries.map(entry).collect()
}

/// A chance that strikes about every other time; without random numbers never.
struct Chance(Option<Random>);

impl Chance {
    fn strikes(&mut self) -> bool {
        let random = self.0.as_mut();
        random.is_some_and(|random| random.chance(1, 2))
    }
}
