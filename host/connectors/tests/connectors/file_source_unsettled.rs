//! The source `file` with `discover`: files that change, vanish or can't be read while they are
//! found.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Source, SourceOutput, SourceSplit};

use crate::support::discovery::{add, connect, directory, discover, discover_settled, started};
use crate::support::file_source;
use crate::support::{plan_one, poll, state_refusal, subtask};

#[test]
fn a_fresh_start_leaves_a_file_to_discovery_that_may_still_be_copied() {
    let base = directory(&["a"]);
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        // The file "b" has just changed, however long this takes.
        fs::write(base.path().join("in/b"), "half of ").expect("writes");
        let mut enumerator = connect(base.path()).enumerator();
        let planned = enumerator.plan(1).expect("can be planned").remove(0);
        let names: Vec<&str> = planned.iter().map(|split| split.name.as_str()).collect();
        if names.is_empty() {
            assert!(
                Instant::now() < give_up,
                "the file that is complete is not taken"
            );
            std::thread::sleep(Duration::from_millis(100));
            continue;
        }
        assert_eq!(names, ["in/a@0..2"]);
        fs::write(base.path().join("in/b"), "half of it\n").expect("writes");
        assert_eq!(discover(&mut *enumerator), []);
        assert_eq!(discover(&mut *enumerator), [(0, "in/b@0..11".to_owned())]);
        return;
    }
}

/// Returns a source with `in/a` to read, and the splits of the new file `in/b`.
fn with_a_new_file(base: &Path) -> (Box<dyn Source>, Vec<SourceSplit>) {
    let before = file_source::connect(base, json!({ "path": "in/*" }));
    let splits = plan_one(&*before);
    let source = connect(base).open(&subtask(0), splits);
    let mut enumerator = started(base, 1);
    add(base, "b");
    let found = discover_settled(&mut *enumerator);
    let found = found.into_iter().map(|found| found.split).collect();
    (source.expect("can be opened"), found)
}

#[test]
fn another_attempt_may_help_if_a_new_file_changes_before_a_checkpoint_has_it() {
    for content in [None, Some("other\n"), Some("")] {
        let change = |base: &Path| match content {
            None => fs::remove_file(base.join("in/b")).expect("removes"),
            Some(content) => fs::write(base.join("in/b"), content).expect("writes"),
        };
        let is_io =
            |error: Option<ConnectorError>| matches!(error, Some(ConnectorError::Io { .. }));

        // Before the split is delivered.
        let base = directory(&["a"]);
        let (mut source, found) = with_a_new_file(base.path());
        change(base.path());
        assert!(is_io(source.add_splits(found).err()), "{content:?}");

        // While the split waits.
        let base = directory(&["a"]);
        let (mut source, found) = with_a_new_file(base.path());
        source.add_splits(found).expect("are taken");
        change(base.path());
        assert!(matches!(poll(&mut *source), Ok(SourceOutput::Batch(_))));
        assert!(is_io(poll(&mut *source).err()), "{content:?}");

        // Once a checkpoint has the split, no attempt helps.
        let base = directory(&["a"]);
        let (mut source, found) = with_a_new_file(base.path());
        source.add_splits(found).expect("are taken");
        source.check().expect("is unchanged");
        change(base.path());
        assert!(matches!(poll(&mut *source), Ok(SourceOutput::Batch(_))));
        state_refusal(poll(&mut *source));
    }
}

/// Puts entries into a directory of which no file can be read.
fn add_unusable(directory: &Path) {
    let not_utf8 = directory.join(std::ffi::OsStr::from_bytes(b"b-\xff"));
    fs::write(not_utf8, "x\n").expect("writes");
    for (target, link) in [
        ("/etc", "c-out"),
        ("d-nowhere", "d-link"),
        ("e-loop", "e-loop"),
    ] {
        symlink(target, directory.join(link)).expect("links");
    }
    drop(UnixListener::bind(directory.join("f-socket")).expect("binds"));
}

#[test]
fn entries_that_can_not_be_read_end_no_job_and_are_taken_once_they_can() {
    for path in ["in/*", "in/**", "in/*/*", "in/**/*"] {
        let base = directory(&[]);
        let inner = match path {
            "in/*" => base.path().join("in"),
            _ => base.path().join("in/deep"),
        };
        fs::create_dir_all(&inner).expect("creates");
        let options = json!({ "path": path, "discover": "10s" });
        let mut enumerator = file_source::connect(base.path(), options).enumerator();
        assert_eq!(enumerator.plan(1).expect("can be planned"), [[]], "{path}");
        add_unusable(&inner);
        fs::write(inner.join("g"), "g\n").expect("writes");
        let found = discover_settled(&mut *enumerator);
        assert_eq!(found.len(), 1, "{path}");
        assert!(found[0].split.name.ends_with("/g@0..2"), "{path}");

        // The link now leads to a file.
        fs::write(inner.join("d-nowhere"), "d\n").expect("writes");
        assert_eq!(discover_settled(&mut *enumerator).len(), 2, "{path}");
        let reason = file_source::connect(base.path(), json!({ "path": path }));
        assert!(
            reason.enumerator().plan(1).is_err(),
            "a fresh start is strict"
        );
    }
}

#[test]
fn directories_and_files_that_come_and_go_during_walks_are_no_failure() {
    let base = directory(&[]);
    let options = json!({ "path": "in/*/*", "discover": "10s" });
    let mut enumerator = file_source::connect(base.path(), options).enumerator();
    enumerator.plan(1).expect("can be planned");
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let places: Vec<_> = (0..20)
                .map(|i| base.path().join(format!("in/{i}")))
                .collect();
            while !is_over.load(Ordering::Relaxed) {
                for place in &places {
                    fs::create_dir(place).expect("creates");
                    fs::write(place.join("a"), "a\n").expect("writes");
                    // Truncated, and then replaced by a directory.
                    fs::write(place.join("a"), "").expect("writes");
                    fs::remove_file(place.join("a")).expect("removes");
                    fs::create_dir(place.join("a")).expect("creates");
                }
                places
                    .iter()
                    .for_each(|place| fs::remove_dir_all(place).expect("removes"));
            }
        });
        let walks: Result<Vec<_>, _> = (0..500).map(|_| enumerator.discover()).collect();
        is_over.store(true, Ordering::Relaxed);
        walks.expect("can be walked");
    });
}
