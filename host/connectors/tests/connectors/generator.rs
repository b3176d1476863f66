//! The source `generator`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_connector::source::{Isolation, Source, SourceConnector, SourceOutput, SourcePlace};
use tidegate_connector::{ConnectorError, SourceOptions as _};
use tidegate_connectors::GeneratorOptions;
use tokio::time::{Instant, timeout};

use crate::support::{
    context, job_refusal, plan_one, poll, read_all, read_batches, state_refusal, subtask, values_of,
};

/// Reads options from JSON, which has numbers that TOML lacks.
fn generator_options(options: Value) -> GeneratorOptions {
    serde_json::from_value(options).expect("the options can be read")
}

fn generator(options: Value) -> Arc<dyn SourceConnector> {
    let connected = generator_options(options).connect(&context(Path::new("/")));
    connected.expect("the options are fine")
}

/// Opens the only subtask's source at a fresh start.
fn source(connector: &dyn SourceConnector) -> Box<dyn Source> {
    let splits = plan_one(connector);
    connector.open(&subtask(0), splits).expect("can be opened")
}

fn integers(from: u64, to: u64) -> Vec<String> {
    (from..=to).map(|integer| integer.to_string()).collect()
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort_by_key(|value| value.parse::<u64>().expect("is an integer"));
    values
}

#[test]
fn one_subtask_gives_the_integers_in_order() {
    let connector = generator(json!({ "to": 10_000 }));
    let values = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    assert_eq!(values.expect("can be read"), integers(1, 10_000));
}

#[test]
fn subtasks_share_the_integers_equally_and_each_has_them_in_order() {
    let connector = generator(json!({ "from": 5, "to": 9_999 }));
    let mut all = Vec::new();
    for splits in connector.enumerator().plan(3).expect("can be planned") {
        let values = read_all(&*connector, vec![splits]).expect("can be read");
        assert_eq!(values, sorted(values.clone()));
        assert!(
            values.len().abs_diff(9_995 / 3) < 127,
            "{} integers",
            values.len()
        );
        all.extend(values);
    }
    assert_eq!(sorted(all), integers(5, 9_999));
}

#[test]
fn keys_are_the_integers_modulo_their_number_in_either_encoding() {
    for (encoding, bytes) in [("text", false), ("le64", true)] {
        let options = json!({ "from": 8, "to": 11, "keys": 10, "encoding": encoding });
        let connector = generator(options);
        let SourceOutput::Batch(batch) = poll(&mut *source(&*connector)).expect("can be read")
        else {
            panic!("the first output is a batch");
        };
        let encode = |integer: &u64| match bytes {
            true => integer.to_le_bytes().to_vec(),
            false => integer.to_string().into_bytes(),
        };
        let keys: Vec<&[u8]> = batch.keys().rows().collect();
        assert_eq!(keys, [8, 9, 0, 1].iter().map(encode).collect::<Vec<_>>());
        let values: Vec<&[u8]> = batch.values().rows().collect();
        assert_eq!(
            values,
            [8, 9, 10, 11].iter().map(encode).collect::<Vec<_>>()
        );
    }
}

#[test]
fn without_keys_and_timestamps_records_have_none() {
    let connector = generator(json!({ "to": 3 }));
    let SourceOutput::Batch(batch) = poll(&mut *source(&*connector)).expect("can be read") else {
        panic!("the first output is a batch");
    };
    assert_eq!(batch.keys().data(), b"");
    assert_eq!(batch.timestamps(), [i64::MIN; 3]);
}

#[test]
fn a_watermark_follows_each_batch_and_no_older_record_follows_it() {
    let connector = generator(json!({ "to": 2_000, "timestamps": "value", "batch": 100 }));
    // Two changes of the parallelism, so that a subtask has several ranges.
    let replanned = connector.enumerator().redistribute(
        connector
            .enumerator()
            .plan(3)
            .expect("can be planned")
            .concat(),
        2,
    );
    for splits in replanned.expect("can be planned again") {
        let mut source = connector.open(&subtask(0), splits).expect("can be opened");
        let (mut watermark, mut is_owed) = (0, false);
        loop {
            match poll(&mut *source).expect("can be read") {
                SourceOutput::Batch(batch) => {
                    assert!(batch.timestamps().iter().all(|time| *time >= watermark));
                    assert!(!is_owed, "a watermark follows a batch");
                    is_owed = true;
                }
                SourceOutput::Watermark(next) => {
                    assert!(next >= watermark, "{next} after {watermark}");
                    watermark = next;
                    is_owed = false;
                }
                SourceOutput::Idle => panic!("a generator always has input"),
                SourceOutput::Invalid(_) => panic!("a generator rejects nothing"),
                SourceOutput::Ended => break,
            }
        }
        assert!(watermark > 1_800, "{watermark}");
    }
}

/// Returns timestamps and, as `Err`, watermarks, in order, without watermarks that are not new.
/// After each number of outputs in `lives`, the source is closed and reopened at its position.
fn event_time(connector: &dyn SourceConnector, lives: &[usize]) -> Vec<Result<i64, i64>> {
    let mut splits = plan_one(connector);
    let (mut seen, mut watermark) = (Vec::new(), i64::MIN);
    for outputs in lives.iter().copied().chain([usize::MAX]) {
        let mut source = connector.open(&subtask(0), splits).expect("can be opened");
        for _ in 0..outputs {
            match poll(&mut *source).expect("can be read") {
                SourceOutput::Batch(batch) => {
                    seen.extend(batch.timestamps().iter().map(|t| Ok(*t)))
                }
                SourceOutput::Watermark(next) if next > watermark => {
                    watermark = next;
                    seen.push(Err(next));
                }
                SourceOutput::Watermark(_) => {}
                SourceOutput::Idle => panic!("a generator always has input"),
                SourceOutput::Invalid(_) => panic!("a generator rejects nothing"),
                SourceOutput::Ended => return seen,
            }
        }
        splits = source.splits();
    }
    seen
}

#[test]
fn late_records_are_those_of_the_option_and_watermarks_do_not_wait_for_them() {
    let late = json!({ "every": 100, "by-ms": 1_000 });
    let options = json!({ "from": 200, "to": 520, "timestamps": "value", "late": late });
    let seen = event_time(&*generator(options), &[]);
    let timestamp = |integer| {
        if integer % 100 == 0 {
            integer - 1_000
        } else {
            integer
        }
    };
    let mut expected = Vec::new();
    for integer in 200..=520 {
        if integer % 256 == 0 {
            expected.push(Err(integer));
        }
        expected.push(Ok(timestamp(integer)));
    }
    assert_eq!(seen, expected);
}

proptest! {
    #[test]
    fn event_time_is_the_same_whatever_the_batches_and_wherever_it_is_restored(
        lives in prop::collection::vec(0_usize..4, 0..12),
        batch in 1_u32..600,
        is_late: bool,
    ) {
        let mut options = json!({ "to": 3_000, "batch": batch, "timestamps": "value" });
        if is_late {
            options["late"] = json!({ "every": 7, "by-ms": 100 });
        }
        let undisturbed = event_time(&*generator(options.clone()), &[]);
        prop_assert_eq!(&event_time(&*generator(options.clone()), &lives), &undisturbed);
        if is_late {
            options["batch"] = json!(4_096);
            prop_assert_eq!(&event_time(&*generator(options), &[]), &undisturbed);
        }
    }

    #[test]
    fn any_cuts_and_parallelisms_give_every_integer_once(
        parallelisms in prop::collection::vec(1_u32..5, 1..4),
        batches in prop::collection::vec(0_usize..20, 12),
        batch in 1_u32..200,
    ) {
        let connector = generator(json!({ "to": 3_000, "batch": batch }));
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
        prop_assert_eq!(sorted(values), integers(1, 3_000));
    }
}

#[test]
fn restored_in_the_middle_it_goes_on_as_if_nothing_had_happened() {
    let connector = generator(json!({ "to": 1_000, "batch": 30 }));
    let mut source = source(&*connector);
    let mut values = read_batches(&mut *source, 7).expect("can be read");
    let restored = read_all(&*connector, vec![source.splits()]);
    values.extend(restored.expect("can be read"));
    assert_eq!(values, integers(1, 1_000));
}

#[test]
fn an_unbounded_generator_starts_small_on_every_subtask() {
    let connector = generator(json!({}));
    for splits in connector.enumerator().plan(4).expect("can be planned") {
        let mut source = connector.open(&subtask(0), splits).expect("can be opened");
        let values = read_batches(&mut *source, 1).expect("can be read");
        let first: u64 = values[0].parse().expect("is an integer");
        assert!(first < 1_000, "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_holds_over_all_subtasks_and_a_batch_comes_every_millisecond() {
    let connector = generator(json!({ "rate": 100_000 }));
    let subtasks = connector.enumerator().plan(2).expect("can be planned");
    for splits in subtasks {
        let mut source = connector.open(&subtask(0), splits).expect("can be opened");
        let start = Instant::now();
        let mut records = 0;
        while start.elapsed() < Duration::from_secs(2) {
            let before = Instant::now();
            let SourceOutput::Batch(batch) = source.poll().await.expect("can be read") else {
                panic!("it does not end");
            };
            assert!(before.elapsed() <= Duration::from_millis(2));
            records += batch.len();
        }
        assert!(
            (100_000..=101_000).contains(&records),
            "{records} records in 2 s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn due_timestamps_go_on_at_the_rate_through_a_stall() {
    let connector = generator(json!({ "rate": 1_000, "timestamps": "due", "batch": 100 }));
    let mut source = source(&*connector);
    let mut timestamps = Vec::new();
    let mut watermark = i64::MIN;
    while timestamps.len() < 4_000 {
        match source.poll().await.expect("can be read") {
            SourceOutput::Batch(batch) => {
                assert!(batch.timestamps().iter().all(|time| *time >= watermark));
                timestamps.extend_from_slice(batch.timestamps());
                if timestamps.len() == 1_000 {
                    // The consumer of the batches pauses.
                    tokio::time::advance(Duration::from_secs(3)).await;
                }
            }
            SourceOutput::Watermark(next) => watermark = next,
            SourceOutput::Idle => panic!("a generator always has input"),
            SourceOutput::Invalid(_) => panic!("a generator rejects nothing"),
            SourceOutput::Ended => panic!("it does not end"),
        }
    }
    let first = timestamps[0];
    let expected: Vec<i64> = (0..4_000).map(|index| first + index).collect();
    assert_eq!(timestamps[..4_000], expected);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_given_up_moves_nothing() {
    let connector = generator(json!({ "to": 6, "rate": 2 }));
    let mut source = source(&*connector);
    let mut values = Vec::new();
    let mut given_up = 0;
    loop {
        let before = source.splits();
        match timeout(Duration::from_millis(70), source.poll()).await {
            Err(_) => {
                given_up += 1;
                assert_eq!(source.splits(), before);
            }
            Ok(Ok(SourceOutput::Batch(batch))) => values.extend(values_of(&batch)),
            Ok(Ok(SourceOutput::Watermark(_))) => panic!("there are no timestamps"),
            Ok(Ok(SourceOutput::Idle)) => panic!("a generator always has input"),
            Ok(Ok(SourceOutput::Invalid(_))) => panic!("a generator rejects nothing"),
            Ok(Ok(SourceOutput::Ended)) => break,
            Ok(Err(error)) => panic!("{error}"),
        }
    }
    assert_eq!(values, integers(1, 6));
    assert!(given_up > 20, "{given_up}");
}

#[tokio::test]
async fn a_future_that_is_never_polled_moves_nothing() {
    let connector = generator(json!({ "to": 6 }));
    let mut source = source(&*connector);
    let before = source.splits();
    drop(source.poll());
    assert_eq!(source.splits(), before);
}

#[test]
fn values_that_make_no_sense_are_refused_by_key() {
    for (options, key) in [
        (json!({ "from": 9, "to": 8 }), "`to`"),
        (json!({ "to": u64::MAX }), "`to`"),
        (json!({ "from": u64::MAX }), "`from`"),
        (json!({ "keys": 0 }), "`keys`"),
        (json!({ "rate": 0 }), "`rate`"),
        (json!({ "batch": 0 }), "`batch`"),
        (json!({ "timestamps": "due" }), "`timestamps`"),
        (json!({ "late": { "every": 9, "by-ms": 9 } }), "`late`"),
        (
            json!({ "timestamps": "value", "late": { "every": 0, "by-ms": 9 } }),
            "`late`",
        ),
    ] {
        let reason = job_refusal(generator_options(options).connect(&context(Path::new("/"))));
        assert!(reason.starts_with(key), "{reason}");
    }
}

#[test]
fn a_position_that_is_not_one_is_refused() {
    let connector = generator(json!({ "to": 100 }));
    let mut split = plan_one(&*connector).remove(0);
    split.position[0] = 9;
    let refused: Result<_, ConnectorError> = connector.open(&subtask(0), vec![split]);
    let reason = state_refusal(refused);
    assert!(reason.contains("format version 9"), "{reason}");
}

/// Reads to the end, isolating from the 200th integer until `singles` were returned so. Returns the
/// values of each batch, with the place that the source reports for it.
fn read_isolating(source: &mut dyn Source, singles: usize) -> Vec<(Vec<String>, SourcePlace)> {
    let mut batches: Vec<(Vec<String>, SourcePlace)> = Vec::new();
    let mut given = 0;
    loop {
        match poll(source).expect("it can be read") {
            SourceOutput::Batch(batch) => {
                let place = source.last_place().expect("a generator knows its places");
                batches.push((values_of(&batch), place));
                given += batch.len();
                source.isolate(match (200..200 + singles).contains(&given) {
                    true => Isolation::On,
                    false => Isolation::Off,
                });
            }
            SourceOutput::Watermark(_) => {}
            SourceOutput::Idle => panic!("a generator always has input"),
            SourceOutput::Invalid(_) => panic!("a generator rejects nothing"),
            SourceOutput::Ended => return batches,
        }
    }
}

#[test]
fn isolation_gives_single_integers_until_it_ends_and_all_of_them_in_all() {
    // Two subtasks: the integers of each are in blocks, with gaps between them.
    for parallelism in [1, 2] {
        let connector = generator(json!({ "from": 0, "to": 999, "batch": 100 }));
        let mut all = Vec::new();
        for splits in connector
            .enumerator()
            .plan(parallelism)
            .expect("it can be planned")
        {
            let mut source = connector.open(&subtask(0), splits).expect("it opens");
            let mut single = 0;
            for (values, place) in read_isolating(&mut *source, 50) {
                let ends = (place.from.to_string(), (place.to - 1).to_string());
                let found = (values[0].clone(), values[values.len() - 1].clone());
                assert_eq!(found, ends, "{place}");
                single += usize::from(values.len() == 1);
                all.extend(values);
            }
            assert!((50..=51).contains(&single), "{single} single integers");
        }
        assert_eq!(sorted(all), sorted(integers(0, 999)));
    }
}
