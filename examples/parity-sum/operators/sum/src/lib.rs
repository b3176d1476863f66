//! Keeps a running count and sum of the values of each key.
//!
//! Config `emit`: `"updates"` (the default) sends count and sum with each record, `"final"` sends
//! them once for each key when the input has ended. Config `encoding`: `"text"` (the default)
//! reads decimal numbers and writes `COUNT SUM`, `"le64"` reads eight little-endian bytes and
//! writes sixteen, the count and then the sum. A sum that passes 64 bits wraps around.

use serde::{Deserialize, Serialize};
use tidegate_sdk::prelude::*;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    emit: Emit,
    encoding: Encoding,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Emit {
    #[default]
    Updates,
    Final,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Text,
    Le64,
}

struct Sum {
    emit: Emit,
    encoding: Encoding,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Totals {
    count: u64,
    sum: i64,
}

impl Operator for Sum {
    type Config = Config;
    type State = Totals;

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        let Config { emit, encoding } = config;
        Ok(Self { emit, encoding })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        totals: &mut Totals,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let value = match self.encoding {
            Encoding::Text => record.value_as()?,
            Encoding::Le64 => record.value_le64()?,
        };
        totals.count += 1;
        totals.sum = totals.sum.wrapping_add(value);
        if self.emit == Emit::Updates {
            self.emit(record.key(), *totals, out);
        }
        Ok(())
    }

    fn on_finish(
        &mut self,
        keys: &mut KeyedState<Totals>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        if self.emit == Emit::Final {
            for (key, totals) in keys.iter() {
                self.emit(key, *totals, out);
            }
        }
        Ok(())
    }
}

impl Sum {
    #[inline(always)]
    fn emit(&self, key: &[u8], totals: Totals, out: &mut Output) {
        match self.encoding {
            Encoding::Text => out.emit(key, (totals.count, " ", totals.sum)),
            Encoding::Le64 => out.emit(key, (Le64(totals.count), Le64(totals.sum))),
        }
    }
}

export_operator!(Sum);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn text_updates_carry_count_and_sum() -> Result<(), Failure> {
        let mut sum = Harness::<Sum>::builder().open()?;
        sum.send_all([("odd", "3"), ("even", "-2"), ("odd", "5")])?;
        let values = sum
            .take_text()
            .into_iter()
            .map(|(key, value)| format!("{key}: {value}"));
        assert_eq!(
            values.collect::<Vec<_>>(),
            ["odd: 1 3", "even: 1 -2", "odd: 2 8"]
        );
        Ok(())
    }

    #[test]
    fn le64_updates_are_sixteen_bytes() -> Result<(), Failure> {
        let mut sum = Harness::<Sum>::builder()
            .config(r#"{"encoding":"le64"}"#)
            .open()?;
        sum.send([0; 8], (-7_i64).to_le_bytes())?;
        let expected = [1_u64.to_le_bytes(), (-7_i64).to_le_bytes()].concat();
        assert_eq!(sum.take_output()[0].value, expected);
        Ok(())
    }

    #[test]
    fn final_sums_survive_a_failure() -> Result<(), Failure> {
        let builder = Harness::<Sum>::builder().config(r#"{"emit":"final"}"#);
        let mut sum = builder.clone().open()?;
        sum.send_all([("odd", "3"), ("even", "2")])?;
        let mut restored = builder.restore(&sum.snapshot()?)?;
        restored.send("odd", "5")?;
        restored.finish()?;
        let values = restored
            .take_text()
            .into_iter()
            .map(|(key, value)| format!("{key}: {value}"));
        assert_eq!(values.collect::<Vec<_>>(), ["even: 1 2", "odd: 2 8"]);
        Ok(())
    }

    #[test]
    fn a_value_that_is_no_number_blames_its_record() -> Result<(), Failure> {
        let mut sum = Harness::<Sum>::builder().open()?;
        let failure = sum.send_all([("a", "1"), ("a", "one")]).err();
        let reason = "the value is not a decimal number of type i64".to_owned();
        assert_eq!(failure, Some(Failure::InvalidRecord { row: 1, reason }));
        Ok(())
    }
}
