//! JSON Lines and CSV in the sources `file` and `stdin`: however the input is divided, and wherever
//! a reader continues, each record and each piece that is none comes once.

use std::io::Read as _;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use tidegate_connector::source::{
    Isolation, RestoredSubtask, Source, SourceConnector, SourceOutput, SourceSplit,
};
use tidegate_connectors::StdinOptions;

use crate::support::file_source::{connect, directory};
use crate::support::{
    context, job_refusal, plan_one, poll, source_options, state_refusal, subtask,
};

/// Polls a source at most `polls` times. Returns `key=value` of its records and `file from..to` of
/// what it rejects, and whether it has ended.
fn read(source: &mut dyn Source, polls: usize) -> (Vec<String>, bool) {
    let mut read = Vec::new();
    for _ in 0..polls {
        match poll(source).expect("it can be read") {
            SourceOutput::Batch(batch) => {
                let rows = batch.keys().rows().zip(batch.values().rows());
                read.extend(rows.map(|(key, value)| {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    format!("{}={}", text(key), text(value))
                }));
            }
            SourceOutput::Invalid(record) => read.push(format!("{}", record.place)),
            SourceOutput::Ended => return (read, true),
            SourceOutput::Watermark(_) | SourceOutput::Idle => panic!("a file has neither"),
        }
    }
    (read, false)
}

/// Reads everything with readers that each poll `polls` times and are then replaced, by turns over
/// as many subtasks as `parallelism` lists.
fn read_with_restarts(
    connector: &dyn SourceConnector,
    parallelism: &[u32],
    polls: usize,
    isolation: Isolation,
) -> Vec<String> {
    let mut all = Vec::new();
    let planned = connector.enumerator().plan(parallelism[0]);
    let mut splits: Vec<Vec<SourceSplit>> = planned.expect("it can be planned");
    for turn in 1.. {
        let mut subtasks = Vec::new();
        for (index, splits) in (0..).zip(splits) {
            let opened = connector.open(&subtask(index), splits);
            let mut source = opened.expect("nothing has changed");
            source.isolate(isolation);
            let (read, has_ended) = read(&mut *source, polls);
            all.extend(read);
            source.check().expect("nothing has changed");
            let splits = source.splits();
            subtasks.push(RestoredSubtask { splits, has_ended });
        }
        if subtasks.iter().all(|subtask| subtask.has_ended) {
            break;
        }
        let next = parallelism[turn % parallelism.len()];
        let restored = connector.enumerator().restore(subtasks, next);
        splits = restored.expect("nothing has changed");
    }
    all.sort();
    all
}

/// Returns everything as one reader reads it.
fn undisturbed(connector: &dyn SourceConnector) -> Vec<String> {
    read_with_restarts(connector, &[1], usize::MAX, Isolation::Off)
}

fn isolation() -> impl Strategy<Value = Isolation> {
    prop_oneof![Just(Isolation::Off), Just(Isolation::On)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn json_lines_are_the_same_however_they_are_divided_and_continued(
        lines in prop::collection::vec(
            prop_oneof![
                "[a-z]{0,8}".prop_map(|k| json!({ "k": k, "more": [1, { "k": 2 }] }).to_string()),
                "[{}\"a1]{0,8}",
            ],
            1..30,
        ),
        parallelism in prop::collection::vec(1_u32..5, 1..4),
        polls in 1_usize..4,
        isolation in isolation(),
    ) {
        let text = lines.join("\n");
        let place = directory(&[("a.jsonl", text.as_bytes())]);
        let options = json!({
            "path": "*.jsonl", "format": "jsonl", "key": { "json": "/k" }, "batch-bytes": 40,
        });
        let connector = connect(place.path(), options);
        let read = read_with_restarts(&*connector, &parallelism, polls, isolation);
        let whole = undisturbed(&*connector);
        prop_assert_eq!(&read, &whole);
        let is_complete = text.is_empty() || text.ends_with('\n');
        let expected = text.split('\n').count() - usize::from(is_complete);
        prop_assert_eq!(whole.len(), expected);
    }

    #[test]
    fn csv_is_the_same_however_its_files_are_dealt_out_and_continued(
        files in prop::collection::vec(
            prop::collection::vec("([a,\"\n]|\r\n|é){0,9}", 0..12), 1..5,
        ),
        has_header in any::<bool>(),
        parallelism in prop::collection::vec(1_u32..5, 1..4),
        polls in 1_usize..4,
        isolation in isolation(),
    ) {
        let place = tempfile::tempdir().expect("a directory");
        for (number, rows) in files.iter().enumerate() {
            let header = if has_header { "\u{feff}x,y\r\n" } else { "" };
            let text = format!("{header}{}", rows.join("\r\n"));
            let path = place.path().join(format!("{number}.csv"));
            std::fs::write(path, text).expect("can be written");
        }
        let mut options = json!({
            "path": "*.csv", "format": "csv", "key": { "column": "y" }, "batch-bytes": 40,
        });
        if !has_header {
            options["columns"] = json!(["x", "y"]);
        }
        let connector = connect(place.path(), options);
        let read = read_with_restarts(&*connector, &parallelism, polls, isolation);
        prop_assert_eq!(read, undisturbed(&*connector));
    }
}

#[test]
fn a_record_has_the_fields_of_the_header_and_what_is_none_is_named_by_file_and_bytes() {
    let csv = b"user,text\nann,\"a, \"\"b\"\"\nc\"\nbob\neve,x\n";
    let place = directory(&[("a.csv", csv)]);
    let options = json!({ "path": "*.csv", "format": "csv", "key": { "column": "user" } });
    let connector = connect(place.path(), options);
    assert!(connector.rejects_records());
    assert_eq!(
        undisturbed(&*connector),
        [
            "a.csv 27..31",
            "ann={\"user\":\"ann\",\"text\":\"a, \\\"b\\\"\\nc\"}",
            "eve={\"user\":\"eve\",\"text\":\"x\"}",
        ]
    );
}

#[test]
fn a_reader_that_continues_reads_a_header_of_any_length_again() {
    let names: Vec<String> = (0..2_000)
        .map(|number| format!("column {number}"))
        .collect();
    let row = vec!["1"; names.len()].join(",");
    let csv = format!("{}\n{row}\n{row}\n{row}\n", names.join(","));
    let place = directory(&[("a.csv", csv.as_bytes())]);
    let options = json!({ "path": "*.csv", "format": "csv", "batch-bytes": 1 });
    let connector = connect(place.path(), options);
    let read = read_with_restarts(&*connector, &[1], 1, Isolation::Off);
    assert_eq!(read.len(), 3);
    assert_eq!(read, undisturbed(&*connector));
}

#[test]
fn a_file_that_another_format_has_divided_is_refused() {
    let place = directory(&[("a.csv", b"a\nb\nc\nd\n")]);
    let lines = connect(place.path(), json!({ "path": "*.csv" }));
    let splits = lines
        .enumerator()
        .plan(2)
        .expect("it can be planned")
        .remove(0);
    let csv = connect(place.path(), json!({ "path": "*.csv", "format": "csv" }));
    let mut source = csv
        .open(&subtask(0), splits)
        .expect("the file has not changed");
    let reason = state_refusal(poll(&mut *source));
    assert!(
        reason.contains("a.csv at byte 4, which CSV does not allow"),
        "{reason}"
    );
}

#[test]
fn a_file_without_the_key_is_one_invalid_record_and_the_next_file_is_read() {
    let long = b"a,b\n".repeat(100_000);
    let files: [(&str, &[u8]); 3] = [("a.csv", &long), ("b.csv", b"\"c"), ("c.csv", b"c\n1\n")];
    let place = directory(&files);
    let options = json!({ "path": "*.csv", "format": "csv", "key": { "column": "c" } });
    let connector = connect(place.path(), options);
    let expected = ["1={\"c\":\"1\"}", "a.csv 0..400000", "b.csv 0..2"];
    assert_eq!(undisturbed(&*connector), expected);
    let mut read = read_with_restarts(&*connector, &[1], 1, Isolation::Off);
    read.sort();
    assert_eq!(read, expected);
    let mut source = connector
        .open(&subtask(0), plan_one(&*connector))
        .expect("it can be opened");
    let Ok(SourceOutput::Invalid(record)) = poll(&mut *source) else {
        panic!("there is no such column");
    };
    assert_eq!(record.value, b"a,b");
    assert!(record.reason.contains("no column `c`, which `key` names"));
    source.check().expect("the file is as it was");
}

#[test]
fn options_of_another_format_are_refused_by_the_key_to_change() {
    let place = directory(&[]);
    let options = json!({ "path": "*", "key": { "json": "/a" } });
    let reason = job_refusal(source_options("file", options).connect(&context(place.path())));
    assert!(reason.starts_with("`key` needs `format"), "{reason}");
}

fn stdin(input: &'static [u8], options: serde_json::Value) -> Arc<dyn SourceConnector> {
    let options: StdinOptions = serde_json::from_value(options).expect("they can be read");
    options.connect_reader(Box::new(input)).expect("they fit")
}

#[test]
fn standard_input_is_read_again_with_its_header_after_a_restart_at_any_position() {
    let csv = b"user,text\nann,\"1\n2\"\nbob\neve,3";
    let expected = [
        "ann={\"user\":\"ann\",\"text\":\"1\\n2\"}",
        "standard input 20..24",
        "eve={\"user\":\"eve\",\"text\":\"3\"}",
    ];
    for polls in 0..=3 {
        let options = json!({ "accept-loss": true, "format": "csv", "key": { "column": "user" } });
        let connector = stdin(csv, options);
        let planned = plan_one(&*connector);
        let mut first = connector.open(&subtask(0), planned).expect("it is free");
        first.isolate(Isolation::On);
        let (before, _) = read(&mut *first, polls);
        assert_eq!(before, expected[..polls]);
        let splits = first.splits();
        // Read on beyond the position, to which the next source returns.
        read(&mut *first, 2);
        drop(first);
        let mut second = connector.open(&subtask(0), splits).expect("it is free");
        let (after, has_ended) = read(&mut *second, 9);
        assert_eq!(after, expected[polls..]);
        assert!(has_ended, "after {polls} poll(s)");
    }
}

#[test]
fn standard_input_is_read_again_with_its_header_from_within_its_beginning() {
    // The bytes before the header arrive alone, so that a position may be behind them.
    let chunks: [&'static [u8]; 2] = [b"\n\n", b"a\n1\n2\n"];
    let options = json!({ "accept-loss": true, "format": "csv" });
    let options: StdinOptions = serde_json::from_value(options).expect("they can be read");
    let reader = chunks[0].chain(chunks[1]);
    let connector = options.connect_reader(Box::new(reader)).expect("they fit");
    let planned = plan_one(&*connector);
    let mut first = connector.open(&subtask(0), planned).expect("it is free");
    let mut splits = first.splits();
    let (before, _) = read(&mut *first, 9);
    assert_eq!(before.len(), 2);
    drop(first);
    // As if a checkpoint had come behind the first newline.
    let position = splits[0].position.len();
    splits[0].position[position - 1] = 1;
    let mut second = connector.open(&subtask(0), splits).expect("it is free");
    let (after, _) = read(&mut *second, 9);
    assert_eq!(after, before);
}

#[test]
fn standard_input_that_can_not_keep_all_for_a_restart_loses_whole_records() {
    let record = "{\"n\":\"0123456789\"}\n";
    let records = (80 << 20) / record.len();
    let input: &'static [u8] = record.repeat(records).leak().as_bytes();
    let options = json!({ "accept-loss": true, "format": "jsonl" });
    let connector = stdin(input, options);
    let planned = plan_one(&*connector);
    let mut first = connector.open(&subtask(0), planned).expect("it is free");
    let start = first.splits();
    let count = |source: &mut dyn Source| {
        let mut rows = 0;
        loop {
            match poll(source).expect("every line is JSON") {
                SourceOutput::Batch(batch) => rows += batch.len(),
                SourceOutput::Ended => return rows,
                other @ (SourceOutput::Invalid(_)
                | SourceOutput::Watermark(_)
                | SourceOutput::Idle) => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(count(&mut *first), records);
    drop(first);
    let mut second = connector.open(&subtask(0), start).expect("it is free");
    let again = count(&mut *second);
    assert!(
        again < records && again * record.len() >= 32 << 20,
        "{again}"
    );
}

#[test]
fn standard_input_of_json_lines_has_keys_and_rejects_the_rest() {
    let options = json!({
        "accept-loss": true, "format": "jsonl", "key": { "json": "/n" }, "max-record-bytes": 20,
    });
    let connector = stdin(b"{\"n\": 1}\nnonsense\n{\"n\":\"x\"}", options);
    let planned = plan_one(&*connector);
    let mut source = connector.open(&subtask(0), planned).expect("it is free");
    let (read, has_ended) = read(&mut *source, 9);
    assert_eq!(
        read,
        ["1={\"n\": 1}", "standard input 9..18", "x={\"n\":\"x\"}"]
    );
    assert!(has_ended && connector.rejects_records());
}
