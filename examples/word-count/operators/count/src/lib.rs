//! Counts how often each key was seen.
//!
//! Config `emit`: `"updates"` (the default) sends the new count with each record, `"final"` sends
//! one count for each key when the input has ended.

use serde::Deserialize;
use tidegate_sdk::prelude::*;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    emit: Emit,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Emit {
    #[default]
    Updates,
    Final,
}

struct Count {
    emit: Emit,
}

impl Operator for Count {
    type Config = Config;
    type State = u64;

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        Ok(Self { emit: config.emit })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        count: &mut u64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        *count += 1;
        if self.emit == Emit::Updates {
            out.emit(record.key(), *count);
        }
        Ok(())
    }

    fn on_finish(&mut self, keys: &mut KeyedState<u64>, out: &mut Output) -> Result<(), Failure> {
        if self.emit == Emit::Final {
            for (key, count) in keys.iter() {
                out.emit(key, *count);
            }
        }
        Ok(())
    }
}

export_operator!(Count);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    fn text(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn updates_carry_the_count_so_far() -> Result<(), Failure> {
        let mut count = Harness::<Count>::builder().open()?;
        count.send_all([("tide", ""), ("gate", ""), ("tide", "")])?;
        count.finish()?;
        assert_eq!(
            count.take_text(),
            text(&[("tide", "1"), ("gate", "1"), ("tide", "2")])
        );
        Ok(())
    }

    #[test]
    fn final_counts_come_once_and_sorted() -> Result<(), Failure> {
        let mut count = Harness::<Count>::builder()
            .config(r#"{"emit":"final"}"#)
            .open()?;
        count.send_all([("tide", ""), ("gate", ""), ("tide", "")])?;
        assert_eq!(count.take_text(), []);
        count.finish()?;
        assert_eq!(count.take_text(), text(&[("gate", "1"), ("tide", "2")]));
        Ok(())
    }

    #[test]
    fn a_count_goes_on_after_a_failure() -> Result<(), Failure> {
        let mut count = Harness::<Count>::builder().open()?;
        count.send_all([("tide", ""), ("tide", "")])?;
        let mut restored = Harness::<Count>::builder().restore(&count.snapshot()?)?;
        restored.send("tide", "")?;
        assert_eq!(restored.take_text(), text(&[("tide", "3")]));
        Ok(())
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        let opened = Harness::<Count>::builder()
            .config(r#"{"emits":"final"}"#)
            .open();
        let failure = opened.err().map(|failure| failure.to_string());
        assert!(failure.is_some_and(|message| message.contains("unknown field `emits`")));
    }
}
