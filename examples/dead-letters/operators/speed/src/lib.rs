//! Turns a line `METRES SECONDS` into a speed in metres a second. It calls any other line invalid.
//! It has a bug: it traps at zero seconds.

use tidegate_sdk::prelude::*;

struct Speed;

impl Operator for Speed {
    type Config = ();
    type State = ();

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let numbers = two_numbers(record.value_str()?);
        let (metres, seconds) = numbers.ok_or_else(|| record.invalid("not METRES SECONDS"))?;
        // A division by zero panics, and a panic is a trap.
        out.emit(record.key(), metres / seconds);
        Ok(())
    }
}

fn two_numbers(line: &str) -> Option<(u64, u64)> {
    let (metres, seconds) = line.split_once(' ')?;
    Some((metres.parse().ok()?, seconds.parse().ok()?))
}

export_operator!(Speed);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_speed_is_the_distance_by_the_time() -> Result<(), Failure> {
        let mut speed = Harness::<Speed>::builder().open()?;
        speed.send("", "90 20")?;
        assert_eq!(speed.take_text(), [("".into(), "4".into())]);
        Ok(())
    }

    #[test]
    fn a_line_that_is_not_two_numbers_is_invalid() -> Result<(), Failure> {
        let mut speed = Harness::<Speed>::builder().open()?;
        let failure = speed.send("", "90").err();
        let reason = "not METRES SECONDS".to_owned();
        assert_eq!(failure, Some(Failure::InvalidRecord { row: 0, reason }));
        Ok(())
    }
}
