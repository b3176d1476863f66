//! Counts the records of each key and emits the n-th of a key with `#n` behind its value. It can't
//! process some: its config lists their values, each under its reaction.

use serde::Deserialize;
use tidegate_sdk::prelude::*;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Values that it reports as invalid.
    invalid: Vec<String>,
    /// Values at which it panics.
    panics: Vec<String>,
    /// Values at which it does not return.
    hangs: Vec<String>,
    /// The divisor of integers that it reports as invalid; 0 for none.
    invalid_every: u64,
    /// The divisor of integers at which it panics; 0 for none.
    panics_every: u64,
    /// True if it panics at every value.
    panics_always: bool,
}

struct Picky {
    config: Config,
}

impl Operator for Picky {
    type Config = Config;
    type State = u64;

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        Ok(Self { config })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        count: &mut u64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let value = record.value_str()?;
        let is_one_of = |values: &[String]| values.iter().any(|bad| bad == value);
        // It corrupts the count first: no effect of a failed call may be seen again.
        *count += 1;
        let integer: u64 = value.parse().unwrap_or_default();
        let is_nth = |every: u64| every > 0 && integer.is_multiple_of(every);
        if is_one_of(&self.config.invalid) || is_nth(self.config.invalid_every) {
            return Err(record.invalid("not to its taste"));
        }
        if self.config.panics_always
            || is_one_of(&self.config.panics)
            || is_nth(self.config.panics_every)
        {
            panic!("{value} is poison");
        }
        while is_one_of(&self.config.hangs) {
            std::hint::spin_loop();
        }
        out.emit(record.key(), format!("{value}#{count}"));
        Ok(())
    }
}

/// A name that the macro must not take for one of its own.
type Component = Picky;

export_operator!(Component);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_record_in_the_config_is_invalid_and_the_others_are_counted() -> Result<(), Failure> {
        let builder = Harness::<Picky>::builder().config(r#"{"invalid":["2"]}"#);
        let mut picky = builder.open()?;
        picky.send("a", "1")?;
        assert_eq!(picky.take_text(), [("a".into(), "1#1".into())]);
        assert!(picky.send("a", "2").is_err());
        Ok(())
    }
}
