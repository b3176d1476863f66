//! Counts the records of each key, gives each record with `#n` behind its value, where it is the
//! n-th of its key, and can't process some: those whose values stand in its config, under what it
//! does then.

use serde::Deserialize;
use tidegate_sdk::prelude::*;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// It calls the record invalid.
    invalid: Vec<String>,
    /// It panics.
    panics: Vec<String>,
    /// It does not return.
    hangs: Vec<String>,
    /// It panics at whatever it gets.
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
        // The count is spoiled first: what a failed call did must not be seen again.
        *count += 1;
        if is_one_of(&self.config.invalid) {
            return Err(record.invalid("not to its taste"));
        }
        if self.config.panics_always || is_one_of(&self.config.panics) {
            panic!("{value} is poison");
        }
        while is_one_of(&self.config.hangs) {
            std::hint::spin_loop();
        }
        out.emit(record.key(), format!("{value}#{count}"));
        Ok(())
    }
}

export_operator!(Picky);

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
