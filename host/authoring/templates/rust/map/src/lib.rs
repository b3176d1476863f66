//! Turns the seconds of each record into minutes and seconds.

use tidegate_sdk::prelude::*;

struct Minutes;

impl Operator for Minutes {
    type Config = (); // any type that serde can read, from `config` in the job file
    type State = (); // this operator remembers nothing

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let seconds: u32 = record.value_as()?;
        out.emit(
            record.key(),
            format!("{}:{:02}", seconds / 60, seconds % 60),
        );
        Ok(())
    }
}

export_operator!(Minutes);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn seconds_have_two_digits() -> Result<(), Failure> {
        let mut minutes = Harness::<Minutes>::builder().open()?;
        minutes.send_all([("ann", "75"), ("bob", "9"), ("ann", "3600")])?;
        let emitted = minutes.take_text();
        let values: Vec<&str> = emitted.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["1:15", "0:09", "60:00"]);
        Ok(())
    }

    #[test]
    fn a_value_that_is_no_number_is_rejected() -> Result<(), Failure> {
        let mut minutes = Harness::<Minutes>::builder().open()?;
        assert!(minutes.send("ann", "an hour").is_err());
        Ok(())
    }
}
