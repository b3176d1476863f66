//! The source `file` with `discover`: files that appear after the start.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use tidegate_connector::source::{
    RestoredSubtask, Source, SourceConnector, SourceOutput, SourceSplit, SplitEnumerator,
};

use crate::support::discovery::{
    add, connect, directory, discover, discover_settled, restored, started,
};
use crate::support::file_source;
use crate::support::{
    context, job_refusal, poll, source_options, state_refusal, subtask, values_of,
};

/// Reads until the source has no input or ends, and returns the values.
fn read(source: &mut dyn Source) -> Vec<String> {
    let mut values = Vec::new();
    loop {
        match poll(source).expect("can be read") {
            SourceOutput::Batch(batch) => values.extend(values_of(&batch)),
            SourceOutput::Watermark(_) => {}
            SourceOutput::Invalid(record) => panic!("an invalid record: {record:?}"),
            SourceOutput::Idle | SourceOutput::Ended => return values,
        }
    }
}

#[test]
fn a_new_file_is_found_once_two_walks_have_seen_it_unchanged() {
    let base = directory(&["a"]);
    let mut enumerator = started(base.path(), 1);
    assert_eq!(
        enumerator.discovery_interval(),
        Some(Duration::from_secs(10))
    );
    add(base.path(), "b");
    assert_eq!(discover(&mut *enumerator), []);
    // The file is still being written.
    fs::write(base.path().join("in/b"), "b\nmore\n").expect("writes");
    assert_eq!(discover(&mut *enumerator), []);
    assert_eq!(discover(&mut *enumerator), [(0, "in/b@0..7".to_owned())]);
    assert_eq!(discover(&mut *enumerator), []);
}

#[test]
fn a_file_without_bytes_is_found_when_it_has_some() {
    let base = directory(&[]);
    fs::write(base.path().join("in/a"), "").expect("writes");
    let mut enumerator = connect(base.path()).enumerator();
    assert_eq!(enumerator.plan(1).expect("can be planned"), [[]]);
    for _ in 0..3 {
        assert_eq!(discover(&mut *enumerator), []);
    }
    add(base.path(), "a");
    assert_eq!(discover_settled(&mut *enumerator).len(), 1);
}

#[test]
fn files_that_vanish_between_two_walks_are_no_failure() {
    let base = directory(&["a"]);
    let mut enumerator = started(base.path(), 1);
    add(base.path(), "b");
    assert_eq!(discover(&mut *enumerator), []);
    fs::remove_file(base.path().join("in/b")).expect("removes");
    assert_eq!(discover(&mut *enumerator), []);
}

#[test]
fn new_files_go_to_the_subtasks_in_turn() {
    let base = directory(&[]);
    let mut enumerator = connect(base.path()).enumerator();
    assert_eq!(enumerator.plan(3).expect("can be planned"), [[], [], []]);
    for name in ["a", "b", "c", "d"] {
        add(base.path(), name);
    }
    let found = discover_settled(&mut *enumerator);
    let subtasks: Vec<u32> = found.iter().map(|found| found.subtask).collect();
    assert_eq!(subtasks, [0, 1, 2, 0]);
}

#[test]
fn without_discover_nothing_is_found_and_the_source_ends() {
    let base = directory(&["a"]);
    let connector = file_source::connect(base.path(), json!({ "path": "in/*" }));
    let mut enumerator = connector.enumerator();
    let splits = enumerator.plan(1).expect("can be planned").remove(0);
    assert_eq!(enumerator.discovery_interval(), None);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    assert_eq!(read(&mut *source), ["a"]);
    let mut ended = || matches!(poll(&mut *source), Ok(SourceOutput::Ended));
    assert!(ended());
}

#[test]
fn a_source_without_input_says_so_once_and_then_waits_for_new_files() {
    let base = directory(&[]);
    let connector = connect(base.path());
    let mut enumerator = connector.enumerator();
    enumerator.plan(1).expect("can be planned");
    let mut source = connector.open(&subtask(0), Vec::new()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built");
    let next = |source: &mut dyn Source| {
        let hour = Duration::from_secs(3600);
        runtime.block_on(async { tokio::time::timeout(hour, source.poll()).await })
    };
    for name in ["a", "b"] {
        assert!(matches!(next(&mut *source), Ok(Ok(SourceOutput::Idle))));
        assert!(next(&mut *source).is_err(), "it waits");
        add(base.path(), name);
        let found = discover_settled(&mut *enumerator);
        let splits = found.into_iter().map(|found| found.split).collect();
        source.add_splits(splits).expect("are taken");
        match next(&mut *source) {
            Ok(Ok(SourceOutput::Batch(batch))) => assert_eq!(values_of(&batch), [name]),
            other => panic!("no batch: {other:?}"),
        }
    }
}

#[test]
fn a_file_that_was_read_is_not_found_again_whatever_becomes_of_it() {
    let base = directory(&["a"]);
    let before = file_source::connect(base.path(), json!({ "path": "in/*" }));
    let splits = before
        .enumerator()
        .plan(1)
        .expect("can be planned")
        .remove(0);
    let connector = connect(base.path());
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    assert_eq!(read(&mut *source), ["a"]);
    let splits = source.splits();
    let names: Vec<&str> = splits.iter().map(|split| split.name.as_str()).collect();
    assert_eq!(names, ["1 file(s) that were read"]);

    // Another file gets the name.
    fs::remove_file(base.path().join("in/a")).expect("removes");
    fs::write(base.path().join("in/a"), "other\n").expect("writes");
    add(base.path(), "b");
    for parallelism in [1, 3] {
        let mut enumerator = connector.enumerator();
        let restored = vec![restored(splits.clone())];
        let lists = enumerator.restore(restored, parallelism).expect("fits");
        assert_eq!(lists.concat(), splits);
        let found = discover_settled(&mut *enumerator);
        let names: Vec<&str> = found
            .iter()
            .map(|found| found.split.name.as_str())
            .collect();
        assert_eq!(names, ["in/b@0..2"]);
    }
}

#[test]
fn a_file_stays_known_however_its_root_is_spelled_and_another_root_is_refused() {
    let base = directory(&["a"]);
    let before = file_source::connect(base.path(), json!({ "path": "in/*" }));
    let splits = before.enumerator().plan(1).expect("fits").remove(0);
    let mut source = before.open(&subtask(0), splits).expect("can be opened");
    assert_eq!(read(&mut *source), ["a"]);
    let splits = source.splits();
    add(base.path(), "b");
    for path in ["in/*", "./in/*", "in//./*", ".//in/[ab]"] {
        let connector =
            file_source::connect(base.path(), json!({ "path": path, "discover": "10s" }));
        let mut enumerator = connector.enumerator();
        let restored = vec![restored(splits.clone())];
        enumerator.restore(restored, 1).expect("fits");
        let found = discover_settled(&mut *enumerator);
        assert_eq!(found.len(), 1, "{path}");
        assert_eq!(found[0].split.name, "in/b@0..2", "{path}");
    }
    let absolute = base.path().join("in/*").to_string_lossy().into_owned();
    for path in ["*/*", &absolute, "in/../in/*"] {
        let connector =
            file_source::connect(base.path(), json!({ "path": path, "discover": "10s" }));
        for parallelism in [1, 2] {
            let restored = vec![restored(splits.clone())];
            let reason = state_refusal(connector.enumerator().restore(restored, parallelism));
            let starts =
                "the checkpoint remembers 1 file(s) that were read below \"in\", and `path`";
            assert!(reason.starts_with(starts), "{path}: {reason}");
        }
    }
}

#[test]
fn a_file_half_read_is_continued_however_its_root_is_spelled() {
    let base = directory(&[]);
    fs::write(base.path().join("in/a"), "1\n2\n").expect("writes");
    let before = file_source::connect(base.path(), json!({ "path": "in/*", "batch-bytes": 1 }));
    let splits = before.enumerator().plan(1).expect("fits").remove(0);
    let mut source = before.open(&subtask(0), splits).expect("can be opened");
    assert!(matches!(poll(&mut *source), Ok(SourceOutput::Batch(_))));
    let splits = source.splits();
    let connector =
        file_source::connect(base.path(), json!({ "path": "./in/*", "discover": "10s" }));
    let mut enumerator = connector.enumerator();
    let lists = enumerator.restore(vec![restored(splits)], 1).expect("fits");
    assert_eq!(discover_settled(&mut *enumerator), []);
    let mut source = connector.open(&subtask(0), lists.concat()).expect("opens");
    assert_eq!(read(&mut *source), ["2"]);
}

#[test]
fn files_are_remembered_when_discover_is_set_later() {
    let base = directory(&["a", "b"]);
    let before = file_source::connect(base.path(), json!({ "path": "in/*", "batch-bytes": 1 }));
    let splits = before
        .enumerator()
        .plan(1)
        .expect("can be planned")
        .remove(0);
    let mut source = before.open(&subtask(0), splits).expect("can be opened");
    assert!(matches!(poll(&mut *source), Ok(SourceOutput::Batch(_))));
    let splits = source.splits();

    add(base.path(), "c");
    let connector = connect(base.path());
    let mut enumerator = connector.enumerator();
    let lists = enumerator.restore(vec![restored(splits)], 1).expect("fits");
    let found = discover_settled(&mut *enumerator);
    let mut source = connector
        .open(&subtask(0), lists.concat())
        .expect("can be opened");
    let found = found.into_iter().map(|found| found.split).collect();
    source.add_splits(found).expect("are taken");
    assert_eq!(read(&mut *source), ["b", "c"]);
}

#[test]
fn a_subtask_that_has_ended_gets_no_file_and_its_files_stay_known() {
    let base = directory(&["a", "b"]);
    let connector = connect(base.path());
    let before = file_source::connect(base.path(), json!({ "path": "in/*" }));
    let planned = before.enumerator().plan(2).expect("can be planned");
    let subtasks = |ended: [bool; 2]| -> Vec<RestoredSubtask> {
        let subtasks = planned.iter().cloned().zip(ended);
        let subtask = |(splits, has_ended)| RestoredSubtask { splits, has_ended };
        subtasks.map(subtask).collect()
    };
    add(base.path(), "c");
    add(base.path(), "d");

    let mut enumerator = connector.enumerator();
    let kept = enumerator
        .restore(subtasks([true, false]), 2)
        .expect("fits");
    assert_eq!(kept, planned);
    let found = discover_settled(&mut *enumerator);
    let subtasks_of: Vec<u32> = found.iter().map(|found| found.subtask).collect();
    assert_eq!(subtasks_of, [1, 1]);

    // The rest of an ended subtask's split is neither read nor found again.
    let mut enumerator = connector.enumerator();
    let lists = enumerator
        .restore(subtasks([true, false]), 1)
        .expect("fits");
    let names: Vec<&str> = lists[0].iter().map(|split| split.name.as_str()).collect();
    assert_eq!(names, ["in/b@0..2", "1 file(s) that were read"]);
    assert_eq!(discover_settled(&mut *enumerator).len(), 2);

    let mut enumerator = connector.enumerator();
    enumerator.restore(subtasks([true, true]), 2).expect("fits");
    assert_eq!(discover_settled(&mut *enumerator), []);
}

#[test]
fn options_that_make_no_sense_and_positions_of_others_are_refused() {
    let base = directory(&["a"]);
    for text in ["0s", "999us"] {
        let options = source_options("file", json!({ "path": "in/*", "discover": text }));
        let reason = job_refusal(options.connect(&context(base.path())));
        assert!(
            reason.starts_with("`discover` must be at least 1ms"),
            "{reason}"
        );
    }
    let split = SourceSplit {
        name: "forged".to_owned(),
        position: vec![2, 1, 0],
    };
    let reason = state_refusal(
        connect(base.path())
            .enumerator()
            .restore(vec![restored(vec![split])], 1),
    );
    assert!(
        reason.starts_with("the position of split `forged` can't be read: its 3 bytes"),
        "{reason}"
    );
}

/// A step of a random history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A file appears.
    Add,
    Discover,
    /// A subtask reads a batch.
    Read(usize),
    Checkpoint,
    /// The job restarts from the last checkpoint, at this parallelism.
    Restore(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Add),
        3 => Just(Step::Discover),
        4 => (0usize..3).prop_map(Step::Read),
        2 => Just(Step::Checkpoint),
        2 => (1u32..4).prop_map(Step::Restore),
    ]
}

/// A job that consists of the source only.
struct Job {
    connector: Arc<dyn SourceConnector>,
    enumerator: Box<dyn SplitEnumerator>,
    sources: Vec<Box<dyn Source>>,
    /// The values read since the last checkpoint; `committed` has those before it.
    given: Vec<String>,
    committed: Vec<String>,
    checkpoint: Vec<RestoredSubtask>,
}

impl Job {
    fn start(base: &Path) -> Self {
        let options = json!({ "path": "in/*", "discover": "1s", "batch-bytes": 1 });
        let connector = file_source::connect(base, options);
        let before = file_source::connect(base, json!({ "path": "in/*" }));
        let planned = before.enumerator().plan(2).expect("can be planned");
        let mut job = Self {
            enumerator: connector.enumerator(),
            connector,
            sources: Vec::new(),
            given: Vec::new(),
            committed: Vec::new(),
            checkpoint: planned.into_iter().map(restored).collect(),
        };
        job.restore(2);
        job
    }

    fn restore(&mut self, parallelism: u32) {
        self.given.clear();
        self.enumerator = self.connector.enumerator();
        let checkpoint = self.checkpoint.clone();
        let lists = self
            .enumerator
            .restore(checkpoint, parallelism)
            .expect("fits");
        assert_eq!(lists.len(), parallelism as usize);
        let open = |(index, splits)| self.connector.open(&subtask(index), splits);
        let opened = (0..parallelism).zip(lists).map(open);
        self.sources = opened.collect::<Result<_, _>>().expect("can be opened");
    }

    fn discover(&mut self) {
        for found in self.enumerator.discover().expect("can be walked") {
            let source = &mut self.sources[found.subtask as usize];
            source.add_splits(vec![found.split]).expect("is taken");
        }
    }

    fn read(&mut self, index: usize) {
        let count = self.sources.len();
        let source = &mut self.sources[index % count];
        // A source that has reported that it is idle would wait.
        let has_input = source.splits().iter().any(|split| split.name.contains('@'));
        if has_input && let SourceOutput::Batch(batch) = poll(&mut **source).expect("can be read") {
            self.given.extend(values_of(&batch));
        }
    }

    fn checkpoint(&mut self) {
        self.committed.append(&mut self.given);
        let splits = self.sources.iter().map(|source| restored(source.splits()));
        self.checkpoint = splits.collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_line_of_each_file_is_given_once_whenever_files_appear_and_failures_come(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let base = directory(&["000"]);
        let mut job = Job::start(base.path());
        let mut expected = BTreeSet::from(["000".to_owned()]);
        for step in steps {
            match step {
                Step::Add => {
                    let name = format!("{:03}", expected.len());
                    let lines = [format!("{name}-1"), format!("{name}-2")];
                    let path = base.path().join("in").join(&name);
                    fs::write(path, lines.join("\n")).expect("writes");
                    expected.extend(lines);
                }
                Step::Discover => job.discover(),
                Step::Read(index) => job.read(index),
                Step::Checkpoint => job.checkpoint(),
                Step::Restore(parallelism) => job.restore(parallelism),
            }
        }
        job.discover();
        job.discover();
        let is_left = |job: &Job| {
            let splits = job.sources.iter().flat_map(|source| source.splits());
            splits.into_iter().any(|split| split.name.contains('@'))
        };
        while is_left(&job) {
            (0..job.sources.len()).for_each(|index| job.read(index));
        }
        job.checkpoint();
        job.committed.sort();
        prop_assert_eq!(job.committed, expected.into_iter().collect::<Vec<_>>());
    }
}
