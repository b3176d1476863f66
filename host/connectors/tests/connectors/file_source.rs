//! The source `file`.

use std::fs::{self, File};

use proptest::prelude::*;
use serde_json::json;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Isolation, SourceConnector, SourceOutput, SourceSplit};

use crate::support::file_source::{all_files, connect, directory};
use crate::support::{
    context, job_refusal, plan_one, poll, read_all, read_batches, source_options, state_refusal,
    subtask, values_of,
};

/// Returns the lines of a file by the rule of the documentation.
fn lines_of(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// Reads one batch of the only file, and returns the position after it.
fn position_after_one_batch(connector: &dyn SourceConnector) -> Vec<SourceSplit> {
    let splits = plan_one(connector);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    assert!(
        !read_batches(&mut *source, 1)
            .expect("can be read")
            .is_empty()
    );
    source.splits()
}

/// Makes a file of 40,000 lines: more than a batch, and longer than the history that is compared.
fn long_file() -> Vec<u8> {
    (0..40_000)
        .flat_map(|line| format!("line {line}\n").into_bytes())
        .collect()
}

#[test]
fn every_byte_of_a_line_but_its_newline_is_the_value() {
    let text = "one\n\ntwo\r\nдва\nno newline";
    let base = directory(&[("a.txt", text.as_bytes()), ("b.txt", b""), ("c.txt", b"\n")]);
    let connector = all_files(base.path());
    let values = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    let expected = ["one", "", "two\r", "два", "no newline", ""];
    assert_eq!(values.expect("can be read"), expected);
}

#[test]
fn a_long_file_is_read_whole_whatever_the_parallelism() {
    let bytes = long_file();
    let base = directory(&[("a", &bytes)]);
    let connector = all_files(base.path());
    let expected = lines_of(&String::from_utf8(bytes).expect("is text"));
    for parallelism in [1, 2, 7] {
        let plan = connector
            .enumerator()
            .plan(parallelism)
            .expect("can be planned");
        assert!(plan.iter().all(|splits| splits.len() == 1));
        assert_eq!(read_all(&*connector, plan).expect("can be read"), expected);
    }
}

proptest! {
    #[test]
    fn any_cuts_and_parallelisms_give_every_line_once(
        texts in prop::collection::vec("([a\r]|д|\n\n|\n){0,60}", 1..4),
        parallelisms in prop::collection::vec(1_u32..6, 1..5),
        batches in prop::collection::vec(0_usize..4, 20),
        batch_bytes in 1_u32..30,
    ) {
        let base = directory(&[]);
        for (index, text) in texts.iter().enumerate() {
            fs::write(base.path().join(index.to_string()), text).expect("can be written");
        }
        let connector = connect(base.path(), json!({ "path": "*", "batch-bytes": batch_bytes }));
        let mut subtasks = connector.enumerator().plan(parallelisms[0]).expect("can be planned");
        let mut values = Vec::new();
        let mut batches = batches.into_iter();
        for parallelism in &parallelisms[1..] {
            let mut positions = Vec::new();
            for splits in subtasks {
                let mut source = connector.open(&subtask(0), splits).expect("can be opened");
                let read = read_batches(&mut *source, batches.next().unwrap_or(1));
                values.extend(read.expect("can be read"));
                positions.extend(source.splits());
            }
            let planned = connector.enumerator().redistribute(positions, *parallelism);
            subtasks = planned.expect("can be planned again");
        }
        values.extend(read_all(&*connector, subtasks).expect("can be read"));
        let mut expected: Vec<String> = texts.iter().flat_map(|text| lines_of(text)).collect();
        expected.sort();
        values.sort();
        prop_assert_eq!(values, expected);
    }

    #[test]
    fn restored_after_any_batch_it_goes_on_as_if_nothing_had_happened(
        text in "([ab]|\n|\r\n){0,200}", batches in 0_usize..20, batch_bytes in 1_u32..20,
    ) {
        let base = directory(&[("a", text.as_bytes())]);
        let connector = connect(base.path(), json!({ "path": "a", "batch-bytes": batch_bytes }));
        let splits = plan_one(&*connector);
        let mut source = connector.open(&subtask(0), splits).expect("can be opened");
        let mut values = read_batches(&mut *source, batches).expect("can be read");
        let restored = read_all(&*connector, vec![source.splits()]);
        values.extend(restored.expect("can be read"));
        prop_assert_eq!(values, lines_of(&text));
    }
}

#[test]
fn restored_behind_the_first_block_it_goes_on_as_if_nothing_had_happened() {
    let bytes = [long_file(), long_file()].concat();
    let base = directory(&[("a", &bytes)]);
    let connector = all_files(base.path());
    let expected = lines_of(&String::from_utf8(bytes).expect("is text"));
    let splits = plan_one(&*connector);
    for batches in [1, 3, 4, 5] {
        let mut source = connector
            .open(&subtask(0), splits.clone())
            .expect("can be opened");
        let mut values = read_batches(&mut *source, batches).expect("can be read");
        let restored = read_all(&*connector, vec![source.splits()]);
        values.extend(restored.expect("can be read"));
        assert!(values == expected, "restored after {batches} batches");
    }
}

#[test]
fn the_position_after_every_batch_of_a_long_file_can_be_opened() {
    let base = directory(&[("a", &[long_file(), long_file()].concat())]);
    let connector = connect(base.path(), json!({ "path": "a", "batch-bytes": 10_000 }));
    let splits = plan_one(&*connector);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    let mut positions = 0;
    while !read_batches(&mut *source, 1)
        .expect("can be read")
        .is_empty()
    {
        let opened = connector.open(&subtask(0), source.splits());
        assert!(opened.is_ok(), "position {positions}: {:?}", opened.err());
        positions += 1;
    }
    assert!(positions > 50, "{positions}");
}

#[test]
fn a_file_that_grew_is_read_up_to_its_length_at_the_start() {
    let base = directory(&[("a", b"1\n2\n3")]);
    let connector = all_files(base.path());
    let plan = connector.enumerator().plan(2).expect("can be planned");
    fs::write(base.path().join("a"), b"1\n2\n34\n5\n").expect("can be written");
    assert_eq!(
        read_all(&*connector, plan).expect("can be read"),
        ["1", "2", "3"]
    );
}

#[test]
fn a_file_that_shrank_is_refused() {
    let base = directory(&[("a", &long_file())]);
    let connector = all_files(base.path());
    let position = position_after_one_batch(&*connector);
    let file = File::options()
        .write(true)
        .open(base.path().join("a"))
        .expect("can be opened");
    let length = file.metadata().expect("has some").len();
    file.set_len(length - 1).expect("can be cut");
    let reason = state_refusal(connector.open(&subtask(0), position.clone()));
    let difference = format!("it had {length} bytes and now has {}", length - 1);
    assert!(
        reason.contains("input file a ") && reason.contains(&difference),
        "{reason}"
    );
    assert_eq!(
        state_refusal(connector.enumerator().redistribute(position, 2)),
        reason
    );
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_refused() {
    let bytes = [long_file(), long_file()].concat();
    let base = directory(&[("a", &bytes)]);
    let connector = all_files(base.path());
    let splits = plan_one(&*connector);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    read_batches(&mut *source, 1).expect("can be read");
    let file = File::options()
        .write(true)
        .open(base.path().join("a"))
        .expect("can be opened");
    file.set_len(300_000).expect("can be cut");
    let reason = state_refusal(read_batches(&mut *source, usize::MAX));
    assert!(reason.contains("input file a "), "{reason}");
}

#[test]
fn a_file_that_changed_before_the_position_or_in_its_first_bytes_is_refused() {
    let bytes = [long_file(), long_file()].concat();
    let base = directory(&[("a", &bytes)]);
    let connector = all_files(base.path());
    let splits = plan_one(&*connector);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    let read = read_batches(&mut *source, 3).expect("can be read");
    let position = source.splits();
    let offset: usize = read.iter().map(|line| line.len() + 1).sum();
    assert!(offset > 100_000, "{offset}");
    for (byte, difference) in [
        (10, "its first 4096 bytes have changed"),
        (
            offset - 65_536,
            "the 65536 bytes before that byte have changed",
        ),
        (offset - 1, "the 65536 bytes before that byte have changed"),
    ] {
        let mut changed = bytes.clone();
        changed[byte] = b'#';
        fs::write(base.path().join("a"), changed).expect("can be written");
        let reason = state_refusal(connector.open(&subtask(0), position.clone()));
        let expected = format!("input file a is not the file that was read up to byte {offset}: ");
        assert!(
            reason.starts_with(&expected) && reason.contains(difference),
            "{reason}"
        );
    }
    // Bytes after the position may change before they are read.
    let mut changed = bytes;
    changed[offset] = b'#';
    fs::write(base.path().join("a"), changed).expect("can be written");
    assert!(connector.open(&subtask(0), position).is_ok());
}

#[test]
fn a_file_that_is_gone_or_no_file_any_more_is_refused() {
    let base = directory(&[("a", &long_file())]);
    let connector = all_files(base.path());
    let position = position_after_one_batch(&*connector);
    fs::remove_file(base.path().join("a")).expect("can be removed");
    let reason = state_refusal(connector.open(&subtask(0), position.clone()));
    assert!(
        reason.contains("input file a ") && reason.contains("it is gone"),
        "{reason}"
    );
    fs::create_dir(base.path().join("a")).expect("can be created");
    let reason = state_refusal(connector.open(&subtask(0), position));
    assert!(
        reason.contains("input file a is no longer a regular file"),
        "{reason}"
    );
}

#[test]
fn a_position_below_another_path_is_refused() {
    let base = directory(&[]);
    for directory in ["old", "new"] {
        fs::create_dir(base.path().join(directory)).expect("can be created");
        fs::write(base.path().join(directory).join("a"), long_file()).expect("can be written");
    }
    let old = connect(base.path(), json!({ "path": "old/*" }));
    let new = connect(base.path(), json!({ "path": "new/*" }));
    let reason = state_refusal(new.open(&subtask(0), position_after_one_batch(&*old)));
    assert!(
        reason.contains("old/a") && reason.contains("new/*"),
        "{reason}"
    );
}

#[test]
fn a_line_above_the_limit_is_refused_with_its_place_and_one_at_the_limit_is_not() {
    let long = "x".repeat(700_000);
    let text = format!("ab\n{long}\nc\n");
    let base = directory(&[("a", text.as_bytes())]);
    let fits = connect(
        base.path(),
        json!({ "path": "a", "max-record-bytes": 700_000 }),
    );
    let values = read_all(&*fits, fits.enumerator().plan(3).expect("can be planned"));
    assert_eq!(values.expect("can be read"), ["ab", &long, "c"]);

    let tight = connect(
        base.path(),
        json!({ "path": "a", "max-record-bytes": 699_999 }),
    );
    match read_all(&*tight, tight.enumerator().plan(1).expect("can be planned")) {
        Err(ConnectorError::Record { position, reason }) => {
            assert_eq!(position, "a, byte 3");
            assert!(reason.contains("699999"), "{reason}");
        }
        other => panic!("not refused: {:?}", other.map(|values| values.len())),
    }
}

#[test]
fn a_file_without_any_newline_is_refused_without_reading_it_all() {
    let base = directory(&[("a", b"")]);
    let file = File::options()
        .write(true)
        .open(base.path().join("a"))
        .expect("can be opened");
    file.set_len(4 << 30).expect("a sparse file of 4 GiB");
    let connector = all_files(base.path());
    let refused = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    let error = refused.expect_err("the line is too long").to_string();
    let reason = "a, byte 0: the line is longer than `max-record-bytes`, 1048576 bytes";
    assert_eq!(error, reason);
}

#[test]
fn a_glob_without_a_match_or_a_directory_is_refused() {
    let base = directory(&[("a.txt", b"x\n")]);
    let connector = connect(base.path(), json!({ "path": "*.csv" }));
    assert_eq!(
        job_refusal(connector.enumerator().plan(1)),
        "`path` = \"*.csv\" matches no file"
    );
    let options = source_options("file", json!({ "path": "nowhere/*.csv" }));
    let reason = job_refusal(options.connect(&context(base.path())));
    assert!(
        reason.starts_with("`path` = \"nowhere/*.csv\": can't open"),
        "{reason}"
    );
    let options = source_options("file", json!({ "path": "*", "max-record-bytes": 0 }));
    let reason = job_refusal(options.connect(&context(base.path())));
    assert!(reason.starts_with("`max-record-bytes`"), "{reason}");
}

#[test]
fn a_change_while_a_file_is_read_is_seen_at_the_next_check_by_what_was_read() {
    let bytes = [long_file(), long_file()].concat();
    let base = directory(&[("a", &bytes)]);
    let path = base.path().join("a");
    let overwrite = |at: usize| {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("can be opened");
        let written = std::os::unix::fs::FileExt::write_all_at(&file, &changed, 0);
        written.expect("can be written");
        // As if the clock of the file system had not ticked since.
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .expect("can be set");
    };
    overwrite(bytes.len() - 2);
    let connector = all_files(base.path());
    let splits = plan_one(&*connector);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    let read = read_batches(&mut *source, 3).expect("can be read");
    let position: usize = read.iter().map(|line| line.len() + 1).sum();
    assert!(position > 100_000, "{position}");
    source.check().expect("is what it was");
    for (at, difference) in [
        (10, "its first 4096 bytes have changed"),
        (
            position - 1,
            "the 65536 bytes before that byte have changed",
        ),
        (
            position - 65_536,
            "the 65536 bytes before that byte have changed",
        ),
    ] {
        overwrite(at);
        let reason = state_refusal(source.check());
        assert!(
            reason.contains("input file a ") && reason.contains(difference),
            "{reason}"
        );
    }
    // Bytes in between were read, so they are compared; bytes behind the position may still change.
    overwrite(50_000);
    assert!(state_refusal(source.check()).contains("have changed since they were read"));
    for at in [position + 100_000, bytes.len() - 2] {
        overwrite(at);
        source.check().expect("was not read yet");
    }
    let rest = read_batches(&mut *source, usize::MAX).expect("is what it was");
    assert_eq!(read.len() + rest.len(), 80_000);
}

#[test]
fn files_are_matched_in_directories_too() {
    let base = directory(&[]);
    for name in ["2024", "2025"] {
        fs::create_dir(base.path().join(name)).expect("can be created");
        fs::write(base.path().join(name).join("a.txt"), name).expect("can be written");
    }
    let connector = connect(base.path(), json!({ "path": "202?/*.txt" }));
    let plan = connector.enumerator().plan(1).expect("can be planned");
    let names: Vec<&str> = plan[0].iter().map(|split| split.name.as_str()).collect();
    assert_eq!(names, ["2024/a.txt@0..4", "2025/a.txt@0..4"]);
    assert_eq!(
        read_all(&*connector, plan).expect("can be read"),
        ["2024", "2025"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_rate_paces_each_subtask_and_loses_no_line() {
    let lines: Vec<String> = (0..1000).map(|line| line.to_string()).collect();
    let place = directory(&[("a.txt", lines.join("\n").as_bytes())]);
    let options = json!({ "path": "*", "batch-bytes": "256 B", "rate-per-subtask": 100 });
    let connector = connect(place.path(), options);
    let splits = connector
        .enumerator()
        .plan(1)
        .expect("the file is there")
        .remove(0);
    let mut source = connector.open(&subtask(0), splits).expect("can be opened");
    let started = tokio::time::Instant::now();
    let mut read = Vec::new();
    while let SourceOutput::Batch(batch) = source.poll().await.expect("can be read") {
        let values = batch.values().rows();
        read.extend(values.map(|value| String::from_utf8_lossy(value).into_owned()));
    }
    assert_eq!(read, lines);
    let seconds = started.elapsed().as_secs();
    assert!((9..=10).contains(&seconds), "{seconds} s of paused time");
}

#[test]
fn isolation_gives_single_lines_until_it_ends_and_says_where_they_stand() {
    let text = "one\n\n\nfour\nfive\nsix";
    let directory = directory(&[("a.txt", text.as_bytes())]);
    let connector = all_files(directory.path());
    let splits = plan_one(&*connector);
    let mut source = connector.open(&subtask(0), splits).expect("it opens");
    source.isolate(Isolation::On);
    let mut batches = Vec::new();
    while let SourceOutput::Batch(batch) = poll(&mut *source).expect("it can be read") {
        let place = source.last_place().expect("a file knows its places");
        batches.push((values_of(&batch).join("|"), place.to_string()));
        if place.to == 11 {
            source.isolate(Isolation::Off);
        }
    }
    let batch = |values: &str, place: &str| (values.to_owned(), place.to_owned());
    assert_eq!(
        batches,
        [
            batch("one", "a.txt 0..4"),
            batch("", "a.txt 4..5"),
            batch("", "a.txt 5..6"),
            batch("four", "a.txt 6..11"),
            batch("five|six", "a.txt 11..19"),
        ]
    );
}

#[test]
fn the_options_that_fix_the_records_are_the_same_however_the_path_is_spelled() {
    let directory = directory(&[("a.csv", b"x,y\n1,2\n")]);
    let fixed = |path: &str, more: serde_json::Value| -> Vec<String> {
        let mut options = json!({ "path": path });
        let all = options.as_object_mut().expect("it is an object");
        all.extend(more.as_object().expect("it is an object").clone());
        let connector = connect(directory.path(), options);
        let fixed = connector.fixed_options().into_iter();
        fixed
            .map(|option| format!("{} = {}", option.key, option.value))
            .collect()
    };
    for path in ["*.csv", "./*.csv", ".//./*.csv"] {
        let paced = json!({ "rate-per-subtask": 7, "batch-bytes": 9, "discover": "1s" });
        assert_eq!(
            fixed(path, paced),
            ["path = \"*.csv\"", "format = \"lines\""]
        );
    }
    let csv = json!({ "format": "csv", "columns": ["x", "y"], "key": { "column": "x" } });
    assert_eq!(
        fixed("*", csv),
        [
            "path = \"*\"",
            "format = \"csv\"",
            "columns = [\"x\", \"y\"]",
            "key = { column = \"x\" }",
        ]
    );
}
