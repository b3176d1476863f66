//! The sink `file`: the lock of a directory, and the steps that write its marker.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tidegate_connector::CheckpointId;
use tidegate_connector::sink::SinkStart;
use tidegate_connectors::{FileSinkOptions, RecordFormat};
use tidegate_file_system::{
    DirectoryEntry, DirectoryHandle, FileHandle, FileIdentity, FileLock, FileStatus, FileSystem,
    LocalFiles, OpenAs,
};

use crate::support::file_sink::{
    connect, fresh, open, place, published, restored, started, write_part,
};
use crate::support::state_refusal;

fn lock_file(base: &Path) -> PathBuf {
    base.join("output/.tidegate-lock")
}

#[test]
fn whoever_can_only_read_the_directory_can_not_keep_a_run_out() {
    let place = place();
    drop(started(place.path()));
    // Open all that another user could open.
    fs::set_permissions(place.path().join("output"), Permissions::from_mode(0o755))
        .expect("it can be set");
    let mut held = vec![File::open(place.path().join("output")).expect("it can be opened")];
    for entry in fs::read_dir(place.path().join("output")).expect("it can be listed") {
        let path = entry.expect("it can be read").path();
        let mode = fs::metadata(&path).expect("it is there").mode();
        if mode & 0o077 != 0 {
            held.push(File::open(path).expect("it can be opened"));
        }
    }
    for file in &held {
        file.try_lock().expect("nobody has locked it");
    }
    let connector = connect(place.path());
    connector.check_free().expect("no run has it");
    connector.recover(&restored(0, &[])).expect("no run has it");
}

#[test]
fn the_lock_file_is_closed_to_others_again_if_the_user_has_opened_it() {
    let place = place();
    for mode in [0o600, 0o644, 0o666] {
        drop(started(place.path()));
        let found = fs::metadata(lock_file(place.path())).expect("it is there");
        assert_eq!(found.mode() & 0o777, 0o600);
        fs::set_permissions(lock_file(place.path()), Permissions::from_mode(mode))
            .expect("it can be set");
    }
}

#[test]
fn a_run_whose_lock_file_is_removed_or_replaced_publishes_nothing_more() {
    for (is_replaced, told) in [(false, "has lost its"), (true, "has a different")] {
        let place = place();
        let connector = started(place.path());
        let pending = write_part(&mut *open(&*connector, 0, 1), "one", 1);
        fs::remove_file(lock_file(place.path())).expect("it is there");
        if is_replaced {
            fs::write(lock_file(place.path()), "").expect("it can be written");
        }
        let reason = state_refusal(connector.commit(CheckpointId(1), &pending));
        assert!(
            reason.contains(&format!("{told} .tidegate-lock")),
            "{reason}"
        );
        assert_eq!(published(place.path()).1, "");
    }
}

#[test]
fn something_else_under_the_name_of_the_lock_file_is_named() {
    let place = place();
    let path = lock_file(place.path());
    fs::create_dir_all(&path).expect("it can be made");
    let refused = connect(place.path()).recover(&fresh());
    let error = refused.expect_err("it is a directory").to_string();
    assert!(error.contains("could not lock"), "{error}");
    assert!(error.contains("output/.tidegate-lock"), "{error}");
}

#[test]
fn a_job_that_has_finished_leaves_its_marker_as_it_is_unless_there_is_something_to_do() {
    let place = place();
    let connector = started(place.path());
    let pending = write_part(&mut *open(&*connector, 0, 1), "one", 1);
    drop(connector);
    let marker = || {
        let path = place.path().join("output/_tidegate");
        let inode = fs::metadata(&path).expect("it is there").ino();
        (inode, fs::read_to_string(path).expect("it is text"))
    };
    let finished = |attempt| SinkStart {
        attempt,
        has_finished: true,
        ..restored(1, &pending)
    };
    let first = marker();
    connect(place.path())
        .recover(&finished(2))
        .expect("is its own");
    let published_by = marker();
    assert_ne!(published_by, first, "it had a part to publish");
    assert_eq!(published(place.path()).1, "k\tone\n");
    connect(place.path())
        .recover(&finished(3))
        .expect("is its own");
    assert_eq!(marker(), published_by);
    // A run that continues writes its own marker.
    connect(place.path())
        .recover(&restored(1, &pending))
        .expect("is its own");
    assert_ne!(marker(), published_by);
}

#[test]
fn a_left_over_marker_is_gone_for_good_before_its_name_is_used_again() {
    let place = place();
    let steps = Steps::default();
    let connect = || {
        let options = FileSinkOptions {
            directory: "output".into(),
            format: RecordFormat::default(),
            value: None,
            columns: None,
        };
        let files = Arc::new(Recorded(steps.clone()));
        options
            .connect_in(files, place.path())
            .expect("the options are fine")
    };
    connect().recover(&fresh()).expect("it is free");
    let new = place.path().join("output/.tidegate-marker.new");
    for (is_left_over, before) in [
        (false, &["remove .tidegate-marker.new failed"][..]),
        (true, &["remove .tidegate-marker.new", "sync directory"]),
    ] {
        if is_left_over {
            fs::write(&new, "{").expect("it can be written");
        }
        steps.take();
        connect().recover(&restored(0, &[])).expect("is its own");
        let taken = steps.take();
        let marker: Vec<&str> = taken
            .iter()
            .map(String::as_str)
            .skip_while(|step| !step.starts_with("remove"))
            .collect();
        let then = [
            "create .tidegate-marker.new",
            "rename .tidegate-marker.new _tidegate",
            "sync directory",
        ];
        assert_eq!(marker, [before, &then].concat());
    }
}

/// The changes of names in a directory, in order.
#[derive(Clone, Debug, Default)]
struct Steps(Arc<Mutex<Vec<String>>>);

impl Steps {
    fn add<T>(&self, step: String, done: io::Result<T>) -> io::Result<T> {
        let failed = if done.is_ok() { "" } else { " failed" };
        let mut steps = self.0.lock().expect("no test panics in it");
        steps.push(step + failed);
        done
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no test panics in it"))
    }
}

/// The local files, with a record of the steps.
#[derive(Debug)]
struct Recorded(Steps);

impl FileSystem for Recorded {
    fn open_directory(&self, path: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        let inner = LocalFiles.open_directory(path)?;
        let steps = self.0.clone();
        Ok(Box::new(RecordedDirectory { inner, steps }))
    }
}

#[derive(Debug)]
struct RecordedDirectory {
    inner: Box<dyn DirectoryHandle>,
    steps: Steps,
}

impl DirectoryHandle for RecordedDirectory {
    fn open_directory(&self, name: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        self.inner.open_directory(name)
    }

    fn create_directory(&self, name: &Path) -> io::Result<()> {
        self.inner.create_directory(name)
    }

    fn open_file(&self, name: &str, open_as: OpenAs) -> io::Result<Box<dyn FileHandle>> {
        let opened = self.inner.open_file(name, open_as);
        match open_as {
            OpenAs::New => self.steps.add(format!("create {name}"), opened),
            OpenAs::Read | OpenAs::ReadWrite => opened,
        }
    }

    fn status(&self, name: &str) -> io::Result<FileStatus> {
        self.inner.status(name)
    }

    fn entries(&self) -> io::Result<Vec<DirectoryEntry>> {
        self.inner.entries()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let renamed = self.inner.rename(from, to);
        self.steps.add(format!("rename {from} {to}"), renamed)
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        let removed = self.inner.remove_file(name);
        self.steps.add(format!("remove {name}"), removed)
    }

    fn remove_directory(&self, name: &str) -> io::Result<()> {
        self.inner.remove_directory(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.steps
            .add("sync directory".to_owned(), self.inner.sync())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.inner.identity()
    }

    fn try_lock(&self, name: &str) -> Result<Box<dyn FileLock>, TryLockError> {
        self.inner.try_lock(name)
    }
}
