//! Keeps a running total of the values of each key, and emits it with every record.

use tidegate_sdk::prelude::*;

struct Total;

impl Operator for Total {
    type Config = (); // any type that serde can read, from `config` in the job file
    type State = i64; // one for each key, part of every checkpoint

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        total: &mut i64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        *total = total.saturating_add(record.value_as()?);
        out.emit(record.key(), *total);
        Ok(())
    }
}

export_operator!(Total);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn each_key_has_a_total_of_its_own() -> Result<(), Failure> {
        let mut total = Harness::<Total>::builder().open()?;
        total.send_all([("apples", "3"), ("pears", "5"), ("apples", "4")])?;
        let emitted = total.take_text();
        let values: Vec<&str> = emitted.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["3", "5", "7"]);
        Ok(())
    }

    #[test]
    fn a_total_goes_on_after_a_failure() -> Result<(), Failure> {
        let mut total = Harness::<Total>::builder().open()?;
        total.send("apples", "3")?;
        let mut restored = Harness::<Total>::builder().restore(&total.snapshot()?)?;
        restored.send("apples", "4")?;
        assert_eq!(restored.take_text(), [("apples".into(), "7".into())]);
        Ok(())
    }
}
