//! The treatment of state that this version of an operator did not write.

use tidegate_sdk::prelude::*;
use tidegate_sdk::raw::StateChunk;
use tidegate_sdk::testing::Harness;

/// Counts records by key; `VERSION` is its state version, and it reads all earlier versions.
struct Count<const VERSION: u32>;

impl<const VERSION: u32> Operator for Count<VERSION> {
    type Config = ();
    type State = u64;
    const STATE_VERSION: u32 = VERSION;

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        count: &mut u64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        *count += 1;
        out.emit(record.key(), *count);
        Ok(())
    }

    fn migrate(version: u32, bytes: &[u8]) -> Result<u64, Failure> {
        match version {
            old if old < VERSION => read_state(bytes),
            other => Err(unknown_version(other)),
        }
    }
}

/// Keeps nothing by key, and one number of its own.
struct Stateless;

impl Operator for Stateless {
    type Config = ();
    type State = ();

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        _record: Record<'_>,
        _state: &mut (),
        _out: &mut Output,
    ) -> Result<(), Failure> {
        Ok(())
    }
}

fn snapshot_of_version_1() -> Result<Vec<StateChunk>, Failure> {
    let mut harness = Harness::<Count<1>>::builder().open()?;
    harness.send_all([("a", ""), ("b", ""), ("a", "")])?;
    harness.snapshot()
}

fn refusal<T>(outcome: Result<T, Failure>) -> String {
    match outcome {
        Err(Failure::IncompatibleState(reason)) => reason,
        Err(other) => panic!("not a refusal of the state: {other}"),
        Ok(_) => panic!("the state was accepted"),
    }
}

#[test]
fn an_older_version_is_migrated_and_written_as_the_new_one() -> Result<(), Failure> {
    let mut newer = Harness::<Count<2>>::builder().restore(&snapshot_of_version_1()?)?;
    assert_eq!(newer.state("a"), Some(&2));
    let versions = newer
        .snapshot()?
        .into_iter()
        .map(|chunk| chunk.schema_version);
    assert!(versions.into_iter().all(|version| version == 2));
    Ok(())
}

#[test]
fn a_newer_version_is_refused_by_number() -> Result<(), Failure> {
    let mut newer = Harness::<Count<2>>::builder().restore(&snapshot_of_version_1()?)?;
    let reason = refusal(Harness::<Count<1>>::builder().restore(&newer.snapshot()?));
    assert_eq!(reason, "this operator does not read version 2");
    Ok(())
}

#[test]
fn keyed_state_has_no_place_in_a_stateless_operator() -> Result<(), Failure> {
    let reason = refusal(Harness::<Stateless>::builder().restore(&snapshot_of_version_1()?));
    assert_eq!(reason, "it has keyed state, and this operator keeps none");
    Ok(())
}

#[test]
fn operator_state_is_refused_by_an_operator_without() {
    let chunk = StateChunk {
        name: "items".to_owned(),
        schema_version: 1,
        key_group: None,
        bytes: b"TGI\x01\x07".to_vec(),
    };
    let reason = refusal(Harness::<Stateless>::builder().restore(&[chunk]));
    assert_eq!(
        reason,
        "it has 1 items of operator state, and this operator keeps none"
    );
}

#[test]
fn a_chunk_of_another_name_is_refused() -> Result<(), Failure> {
    let mut chunks = snapshot_of_version_1()?;
    chunks[0].name = "windows".to_owned();
    let reason = refusal(Harness::<Count<1>>::builder().restore(&chunks));
    assert_eq!(
        reason,
        "it has a chunk `windows`, which this operator did not write"
    );
    Ok(())
}

#[test]
fn a_key_in_the_wrong_key_group_is_refused() -> Result<(), Failure> {
    let mut chunks = snapshot_of_version_1()?;
    let key_group = chunks[0].key_group.map(|group| group + 1);
    chunks[0].key_group = key_group;
    let reason = refusal(Harness::<Count<1>>::builder().restore(&chunks));
    assert!(
        reason.ends_with("it has a key of another key group"),
        "{reason}"
    );
    Ok(())
}

#[test]
fn a_key_group_that_comes_twice_is_refused() -> Result<(), Failure> {
    let mut chunks = snapshot_of_version_1()?;
    chunks.push(chunks[0].clone());
    let reason = refusal(Harness::<Count<1>>::builder().restore(&chunks));
    assert!(reason.ends_with("it is there twice"), "{reason}");
    Ok(())
}

#[test]
fn a_key_that_belongs_to_another_subtask_is_refused() -> Result<(), Failure> {
    let mut first = Harness::<Count<1>>::builder().subtask(0, 2).open()?;
    let foreign = if first.owns("a") { "b" } else { "a" };
    assert!(!first.owns(foreign), "one key for each subtask");
    let failure = first
        .send(foreign, "")
        .map_err(|failure| failure.to_string());
    assert!(failure.is_err_and(|reason| reason.contains("partition = \"hash\"")));
    Ok(())
}

#[test]
fn a_config_for_an_operator_that_takes_none_is_refused() {
    let open = |json: &str| {
        Harness::<Stateless>::builder()
            .config(json)
            .open()
            .map(|_| ())
    };
    for nothing in ["", "null", "{}", " { } "] {
        assert_eq!(open(nothing), Ok(()), "{nothing}");
    }
    let failure = open(r#"{"emit":"final"}"#).map_err(|failure| failure.to_string());
    assert!(failure.is_err_and(|reason| reason.starts_with("the operator's config: ")));
}
