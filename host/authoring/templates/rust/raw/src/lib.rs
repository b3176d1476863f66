//! Turns all values into upper case, a whole column at once, and writes the number of records at
//! the end. It implements `RawOperator`, the interface below `Operator`: it gets and returns
//! batches of columns, and writes and reads its own state.

use tidegate_sdk::raw::{Batch, Emission, NO_TIMESTAMP, RawOperator, StateChunk};
use tidegate_sdk::{Context, Failure, export_raw_operator};

struct Shout {
    records: u64,
}

impl RawOperator for Shout {
    fn open(_context: Context) -> Result<Self, Failure> {
        Ok(Self { records: 0 })
    }

    fn process(&mut self, _input: u32, mut records: Batch) -> Result<Vec<Emission>, Failure> {
        self.records += records.len() as u64;
        // Upper case is as long as lower case, so that the offsets of the rows stay as they are.
        records.values.data.make_ascii_uppercase();
        Ok(vec![Emission { port: 0, records }])
    }

    fn snapshot(&mut self, _checkpoint: u64) -> Result<Vec<StateChunk>, Failure> {
        Ok(vec![StateChunk {
            name: "records".to_owned(),
            schema_version: 1,
            key_group: None,
            bytes: self.records.to_le_bytes().to_vec(),
        }])
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), Failure> {
        // After a rescale, a subtask gets the chunks of several subtasks, or none.
        for chunk in chunks {
            self.records += records_of(&chunk)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Emission>, Failure> {
        let mut records = Batch::default();
        let sentence = format!("{} records in all", self.records);
        records.push(NO_TIMESTAMP, b"", sentence.as_bytes());
        Ok(vec![Emission { port: 0, records }])
    }
}

fn records_of(chunk: &StateChunk) -> Result<u64, Failure> {
    let known = ("records", 1);
    if (chunk.name.as_str(), chunk.schema_version) != known {
        return Err(Failure::incompatible_state(format!(
            "a chunk `{}` of version {}, and this operator writes `records` of version 1",
            chunk.name, chunk.schema_version
        )));
    }
    let bytes = chunk.bytes.as_slice().try_into();
    let bytes = bytes.map_err(|_| Failure::incompatible_state("`records` is not eight bytes"))?;
    Ok(u64::from_le_bytes(bytes))
}

export_raw_operator!(Shout);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::RawHarness;

    #[test]
    fn values_become_upper_case_and_keys_stay() -> Result<(), Failure> {
        let mut shout = RawHarness::<Shout>::builder().open()?;
        shout.send_all([("a", "tide"), ("b", ""), ("c", "Gate 1")])?;
        assert_eq!(
            shout.take_text(),
            [
                ("a".into(), "TIDE".into()),
                ("b".into(), "".into()),
                ("c".into(), "GATE 1".into()),
            ]
        );
        Ok(())
    }

    #[test]
    fn the_records_before_a_failure_are_counted() -> Result<(), Failure> {
        let mut shout = RawHarness::<Shout>::builder().open()?;
        shout.send("", "tide")?;
        let mut restored = RawHarness::<Shout>::builder().restore(&shout.snapshot()?)?;
        restored.send("", "gate")?;
        restored.finish()?;
        let said = restored.take_text().pop();
        assert_eq!(said, Some(("".into(), "2 records in all".into())));
        Ok(())
    }

    #[test]
    fn state_of_another_operator_is_refused() {
        let chunk = StateChunk {
            name: "keyed".to_owned(),
            schema_version: 1,
            key_group: None,
            bytes: vec![],
        };
        assert!(records_of(&chunk).is_err());
    }
}
